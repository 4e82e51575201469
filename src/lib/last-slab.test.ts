import assert from 'node:assert/strict'
import test from 'node:test'
import { LastSlab } from './last-slab.ts'
import { slabOf } from './slab.ts'

test('what was released serves the next that is not larger', () => {
  const memory = new LastSlab()
  const first = memory.take(100_000)
  slabOf(first)!.release()
  const second = memory.take(131_072)
  assert.equal(second.buffer, first.buffer)
  assert.equal(second.length, 131_072)
})

test('what is held is nobody else’s', () => {
  const memory = new LastSlab()
  const first = memory.take(100_000)
  const second = memory.take(100_000)
  assert.notEqual(second.buffer, first.buffer)
})

test('the largest piece is the one that is kept', () => {
  const memory = new LastSlab()
  const small = memory.take(20_000)
  const large = memory.take(1_000_000)
  slabOf(large)!.release()
  slabOf(small)!.release()
  assert.equal(memory.take(900_000).buffer, large.buffer)
})

test('a small piece is the collector’s', () => {
  assert.equal(slabOf(new LastSlab().take(100)), undefined)
})
