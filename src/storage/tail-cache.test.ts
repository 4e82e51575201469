import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../io/random.sim.ts'
import { type LogTail, TailCache } from './tail-cache.ts'

const batch = (size: number) => new Uint8Array(size)
const sizes = (chunks: Uint8Array[] | null) => chunks?.map((chunk) => chunk.length) ?? null

test('the newest batches are read back, within the limits of the read', () => {
  const tail = new TailCache(10_000).tail()
  assert.equal(tail.read(0, 100, 10, true), null)
  for (let i = 0; i < 5; i++) tail.add(batch(10 + i), 2 * i, 2 * i + 2)
  assert.deepEqual(sizes(tail.read(0, 1000, 10, true)), [10, 11, 12, 13, 14])
  assert.deepEqual(sizes(tail.read(5, 25, 10, true)), [12, 13])
  assert.deepEqual(sizes(tail.read(5, 25, 9, true)), [12, 13])
  assert.deepEqual(sizes(tail.read(5, 25, 7, true)), [12])
  assert.deepEqual(sizes(tail.read(5, 1, 10, true)), [12])
  assert.deepEqual(sizes(tail.read(5, 1, 10, false)), [])
})

test('one budget holds for all logs, and what was appended first goes first', () => {
  const cache = new TailCache(3 * (100 + 96))
  const [one, other] = [cache.tail(), cache.tail()]
  one.add(batch(100), 0, 1)
  other.add(batch(100), 0, 1)
  other.add(batch(100), 1, 2)
  one.add(batch(100), 1, 2)
  assert.equal(one.read(0, 1000, 2, true), null)
  assert.deepEqual(sizes(one.read(1, 1000, 2, true)), [100])
  assert.deepEqual(sizes(other.read(0, 1000, 2, true)), [100, 100])
  assert.equal(cache.usedBytes, cache.budgetBytes)
})

test('a batch larger than the budget leaves the log without a tail rather than with a gap', () => {
  const cache = new TailCache(500)
  const tail = cache.tail()
  tail.add(batch(100), 0, 1)
  tail.add(batch(600), 1, 2)
  assert.equal(tail.read(0, 1000, 2, true), null)
  assert.equal(cache.usedBytes, 0)
})

test('logs that come and go leave nothing behind', () => {
  const cache = new TailCache(1_000_000)
  const lasting = cache.tail()
  lasting.add(batch(100), 0, 1)
  for (let log = 0; log < 1000; log++) {
    const tail = cache.tail()
    for (let i = 0; i < 20; i++) tail.add(batch(10), i, i + 1)
    tail.clear()
    assert.ok(cache.places < 2500, `${cache.places} places for one batch`)
  }
  assert.deepEqual(sizes(lasting.read(0, 100, 1, true)), [100])
})

test('a small batch does not keep a large buffer alive', () => {
  const tail = new TailCache(10_000).tail()
  const network = new Uint8Array(65_536)
  tail.add(network.subarray(0, 100), 0, 1)
  tail.add(network.subarray(100, 20_000), 1, 2)
  assert.notEqual(tail.read(0, 100, 2, true)?.[0]?.buffer, network.buffer)
})

test('the budget covers the whole buffers that batches are views of, shared or not', () => {
  const random = seededRandom(5)
  const cache = new TailCache(20_000)
  const logs = Array.from({ length: 3 }, () => ({ tail: cache.tail(), end: 0 }))
  for (let i = 0; i < 5000; i++) {
    const buffer = new Uint8Array(300 + random.below(1000))
    let at = 0
    while (at < buffer.length) {
      const size = Math.min(buffer.length - at, 100 + random.below(buffer.length))
      const log = random.pick(logs)
      log.tail.add(buffer.subarray(at, at + size), log.end, ++log.end)
      at += size
    }
    if (random.chance(0.02)) random.pick(logs).tail.clear()
    const alive = new Set<ArrayBufferLike>()
    for (const { tail, end } of logs) {
      for (let from = end - 1; from >= 0; from--) {
        const [chunk] = tail.read(from, 1, Infinity, true) ?? []
        if (chunk === undefined) break
        alive.add(chunk.buffer)
      }
    }
    const bytes = [...alive].reduce((sum, { byteLength }) => sum + byteLength, 0)
    assert.ok(bytes <= cache.budgetBytes, `${bytes} bytes are kept alive`)
  }
})

test('whatever is added, read and cleared, a tail is a gapless run up to its end and the budget holds', () => {
  const random = seededRandom(3)
  const cache = new TailCache(3000)
  const logs: { tail: LogTail; start: number; end: number }[] = Array.from({ length: 4 }, () => ({
    tail: cache.tail(),
    start: 0,
    end: 0,
  }))
  for (let i = 0; i < 20_000; i++) {
    const log = random.pick(logs)
    if (random.chance(0.01)) log.tail.clear()
    else log.tail.add(batch(1 + random.below(200)), log.end, ++log.end)
    assert.ok(cache.usedBytes <= cache.budgetBytes && cache.usedBytes >= 0)
    if (log.end === 0) continue
    const from = Math.max(0, log.end - 1 - random.below(5))
    const found = log.tail.read(from, Infinity, Infinity, true)
    if (found !== null) assert.equal(found.length, log.end - from)
  }
  for (const { tail } of logs) tail.clear()
  assert.equal(cache.usedBytes, 0)
})
