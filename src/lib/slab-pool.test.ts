import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlabPool } from './slab-pool.ts'
import { slabOf } from './slab.ts'

const mib = 1024 * 1024

test('a piece that was released is given again to who asks for about as much', () => {
  const pool = new SlabPool(4 * mib)
  const piece = pool.take(mib + 5000)
  assert.equal(piece.length, mib + 5000)
  assert.notEqual(pool.take(mib + 5000).buffer, piece.buffer, 'somebody holds it')
  slabOf(piece)!.release()
  assert.notEqual(pool.take(mib / 2).buffer, piece.buffer)
  assert.equal(pool.take(mib + 100).buffer, piece.buffer)
  assert.notEqual(pool.take(mib + 100).buffer, piece.buffer)
})

test("small pieces are the collector's", () => {
  assert.equal(slabOf(new SlabPool(mib).take(1000)), undefined)
})

test('no more is kept than was allowed', () => {
  const pool = new SlabPool(mib)
  const pieces = [pool.take(mib), pool.take(mib)]
  for (const piece of pieces) slabOf(piece)!.release()
  const again = [pool.take(mib), pool.take(mib)]
  assert.equal(again.filter(({ buffer }) => pieces.some((piece) => piece.buffer === buffer)).length, 1)
})

test('pieces of sizes that nobody asks for any more make room for others', () => {
  const pool = new SlabPool(2 * mib)
  const small = Array.from({ length: 32 }, () => pool.take(mib / 16))
  for (const piece of small) slabOf(piece)!.release()
  const large = pool.take(mib)
  slabOf(large)!.release()
  assert.equal(pool.take(mib).buffer, large.buffer)
  const again = Array.from({ length: 32 }, () => pool.take(mib / 16))
  assert.equal(again.filter(({ buffer }) => small.some((piece) => piece.buffer === buffer)).length, 16)
})
