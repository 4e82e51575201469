// Reads that are under way while the files under them change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { appended, asBuffer, batchOf, openDirectory, openOrders, smallConfig } from './partition-log.contract.ts'
import type { LogConfig } from './partition-log.ts'
import type { AbortedTransaction } from './txn-index.ts'

/** A log of 30 batches on a disk whose next read of a log file waits for `release`; `held` resolves when it does. */
async function heldRead(config: LogConfig = smallConfig) {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' }, { limits: { tailCacheBytes: 0 } })
  const log = await openOrders(directory, config)
  const written: Uint8Array[] = []
  for (let i = 0; i < 30; i++) {
    const batch = batchOf([`value ${i}`], { timestamp: 1000 + i })
    await appended(log, batch)
    written.push(batch)
  }
  const held = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  let waiting = true
  disk.onOperation = async ({ kind, path }) => {
    if (!waiting || kind !== 'read' || !path.endsWith('.log')) return
    waiting = false
    held.resolve()
    await released.promise
  }
  return { log, written, held: held.promise, release: () => released.resolve() }
}

test('a read of what is cut meanwhile answers with what took its place', async () => {
  const { log, held, release } = await heldRead({ ...smallConfig, segmentBytes: 1 << 20 })
  const reading = log.read(20, 1000, Infinity, true)
  await held
  await log.truncateTo(15)
  const fresh: Uint8Array[] = []
  for (let i = 0; i < 10; i++) {
    const batch = batchOf([`another and longer value ${i}`])
    await appended(log, batch, 1)
    fresh.push(batch)
  }
  release()
  const read = await reading
  assert.ok(read.ok)
  assert.deepEqual(Buffer.concat(read.chunks), Buffer.concat(fresh.slice(5)))
  assert.equal(log.fault, null)
})

test('a read of what is cut and not replaced is at the end of the log', async () => {
  const { log, held, release } = await heldRead({ ...smallConfig, segmentBytes: 1 << 20 })
  const reading = log.read(20, 1000, Infinity, true)
  await held
  await log.truncateTo(15)
  release()
  assert.deepEqual(await reading, { ok: true, chunks: [], sizeBytes: 0 })
  assert.equal(log.fault, null)
})

test('a read of what is deleted meanwhile is out of range', async () => {
  const { log, held, release } = await heldRead()
  const reading = log.read(0, 1000, Infinity, true)
  await held
  const deleted = log.advanceStartTo(25)
  release()
  await deleted
  assert.deepEqual(await reading, { ok: false, refusal: 'offsetOutOfRange' })
  assert.equal(log.fault, null)
})

test('a read goes on undisturbed by appends and rolls', async () => {
  const { log, written, held, release } = await heldRead()
  const reading = log.read(2, 150, Infinity, true)
  await held
  for (let i = 0; i < 20; i++) await appended(log, batchOf([`more ${i}`]))
  release()
  const read = await reading
  assert.ok(read.ok)
  assert.deepEqual(read.chunks.map(asBuffer), [Buffer.concat([written[2]!, written[3]!]).subarray(0, read.sizeBytes)])
})

test('a search by time that overlaps a cut finds what is left', async () => {
  const { log, held, release } = await heldRead({ ...smallConfig, segmentBytes: 1 << 20 })
  const search = log.findByTimestamp(1020, Infinity)
  await held
  await log.truncateTo(15)
  release()
  assert.equal(await search, null)
  assert.equal((await log.findMaxTimestamp(Infinity))?.offset, 14)
})

test('closing answers reads that are under way as offline, without a fault', async () => {
  const { log, held, release } = await heldRead()
  const reading = log.read(0, 1000, Infinity, true)
  await held
  const closed = log.close()
  release()
  await closed
  const read = await reading
  assert.ok(read.ok || read.refusal === 'offline')
  assert.equal(log.fault, null)
})

test('aborted transactions are told for the range that is read, and no further than they can overlap', async () => {
  const directory = await openDirectory({ disk: new SimulatedDisk(), path: '/data' })
  const log = await openOrders(directory)
  const aborted: AbortedTransaction[] = []
  for (let i = 0; i < 20; i++) {
    const producer = { producerId: i, producerEpoch: 0, timestamp: 1000 }
    await appended(log, batchOf(['a', 'b'], { ...producer, baseSequence: 0, transactional: true }))
    const kind = i % 2 === 0 ? 'abort' : 'commit'
    log.append(buildEndTransactionMarker({ kind, coordinatorEpoch: 0 }, producer), 0, 'coordinator')
    if (kind === 'abort') {
      aborted.push({ producerId: i, firstOffset: 3 * i, lastOffset: 3 * i + 2, lastStableOffset: 3 * i + 3 })
    }
  }
  await log.sync()
  assert.deepEqual(await log.abortedTransactions(0, 60), aborted)
  for (const [from, upTo] of [
    [0, 3],
    [7, 20],
    [8, 13],
    [9, 12],
    [30, 60],
  ] as const) {
    const overlapping = aborted.filter((one) => one.lastOffset >= from && one.firstOffset < upTo)
    assert.deepEqual(await log.abortedTransactions(from, upTo), overlapping, `[${from}, ${upTo})`)
  }
})
