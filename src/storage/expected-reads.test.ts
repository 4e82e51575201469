import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { Slab } from '../lib/slab.ts'
import { appended, batchOf, openDirectory, openOrders, smallConfig } from './partition-log.contract.ts'
import type { LogRead } from './partition-log.ts'
import { releaseRead, ExpectedReads } from './expected-reads.ts'

/** A log of 30 batches in one segment that are not in memory, and how often its file was read. */
async function countedReads() {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' }, { limits: { tailCacheBytes: 0 } })
  const log = await openOrders(directory, { ...smallConfig, segmentBytes: 1 << 20 })
  for (let i = 0; i < 30; i++) await appended(log, batchOf([`value ${i}`]))
  const counted = { reads: 0, fails: false }
  disk.onOperation = ({ kind, path }) => {
    if (kind !== 'read' || !path.endsWith('.log')) return
    counted.reads += 1
    if (counted.fails) throw new Error('no read')
  }
  return { log, counted }
}

const bytesOf = (read: LogRead): Buffer => {
  assert.ok(read.ok)
  return Buffer.concat(read.chunks)
}

test('what was expected is read once, and answered with what a read without it finds', async () => {
  const { log, counted } = await countedReads()
  const plain = bytesOf(await log.read(5, 300, Infinity, true))
  assert.equal(counted.reads, 1)
  log.expectRead(5, 300, Infinity)
  log.expectRead(5, 300, Infinity)
  assert.deepEqual(bytesOf(await log.read(5, 300, Infinity, true)), plain)
  assert.equal(counted.reads, 2)
  // It is used once.
  assert.deepEqual(bytesOf(await log.read(5, 300, Infinity, true)), plain)
  assert.equal(counted.reads, 3)
})

test('what was expected with wider limits than those of the read is not answered', async () => {
  const { log } = await countedReads()
  const one = bytesOf(await log.read(5, 1, 6, true))
  log.expectRead(5, 300, 20)
  assert.deepEqual(bytesOf(await log.read(5, 300, 6, true)), one)
  log.expectRead(5, 300, 20)
  assert.deepEqual(bytesOf(await log.read(5, 1, 20, true)), one)
  log.expectRead(5, 1, 20)
  assert.deepEqual(bytesOf(await log.read(5, 1, 20, false)).length, 0)
  // One batch that is larger than the limit both times.
  log.expectRead(5, 1, 20)
  assert.deepEqual(bytesOf(await log.read(5, 1, 20, true)), one)
})

test('what was expected is forgotten when the log is cut back', async () => {
  const { log } = await countedReads()
  log.expectRead(10, 300, Infinity)
  await log.truncateTo(10)
  const other = batchOf(['another value'])
  await appended(log, other, 1)
  assert.deepEqual(bytesOf(await log.read(10, 300, Infinity, true)), Buffer.from(other))
})

test('a failure of what is only expected harms nobody', async () => {
  const { log, counted } = await countedReads()
  const plain = bytesOf(await log.read(5, 300, Infinity, true))
  counted.fails = true
  log.expectRead(5, 300, Infinity)
  await new Promise((resolve) => setImmediate(resolve))
  counted.fails = false
  assert.deepEqual(bytesOf(await log.read(5, 300, Infinity, true)), plain)
  assert.equal(log.fault, null)
})

test('there is room for so many bytes, and what nobody came for makes room after a while', async () => {
  const clock = new SimulatedClock()
  const reads = new ExpectedReads(clock, 250)
  const free: Slab[] = []
  const dropped: number[] = []
  const begin = (from: number) => {
    const slab = new Slab({ takeBack: (slab) => void free.push(slab) }, 100)
    slab.hold()
    const found: LogRead = { ok: true, chunks: [slab.bytes], sizeBytes: 100 }
    const place = { from, maxBytes: 100, upTo: 1000, shape: 0 }
    return reads.begin(
      place,
      () => Promise.resolve(found),
      () => dropped.push(from),
    )
  }
  const first = begin(1)
  assert.ok(first !== null && begin(2) !== null)
  assert.equal(begin(3), null)
  releaseRead(await reads.take(first))
  assert.equal(free.length, 1)
  assert.ok(begin(4) !== null)
  assert.equal(begin(5), null)
  await clock.advance(1000)
  assert.ok(begin(6) !== null)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([dropped, free.length], [[2], 2])
})
