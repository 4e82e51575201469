// Disks that fail, bytes that rot, files that go missing: what is confirmed stays or the log says why it cannot serve.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import type { Disk } from '../io/disk.ts'
import { silentLogger } from '../lib/logger.ts'
import { maxTimestampOf } from '../records/batch.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { CorruptLogError } from './log-errors.ts'
import {
  appended,
  asBuffer,
  batchOf,
  openDirectory,
  openOrders,
  readAll,
  smallConfig,
} from './partition-log.contract.ts'
import type { Offset } from './partition-log.ts'
import { fileNameOf } from './segment-names.ts'
import type { SegmentedLog } from './segmented-log.ts'

const folder = '/data/orders-0'
const oneSegment = { ...smallConfig, segmentBytes: 1 << 20 }

async function overwrite(disk: Disk, path: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const bytes = change(Buffer.from((await disk.readFile(path))!))
  const file = await disk.open(path)
  await file.truncate(0)
  await file.write([bytes], 0)
  await file.sync()
  await file.close()
}

/** A disk as a killed broker left it: `batches` batches of one record, all confirmed; nothing was checkpointed. */
async function killedAfter(
  batches: number,
  config = oneSegment,
): Promise<{ disk: SimulatedDisk; written: Uint8Array[] }> {
  const disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }), config)
  const written: Uint8Array[] = []
  for (let i = 0; i < batches; i++) {
    const batch = batchOf([`value ${i} `.repeat(8)], { timestamp: 1000 + i })
    await appended(log, batch)
    written.push(batch)
  }
  return { disk: disk.kill(), written }
}

async function reopen(disk: Disk, config = oneSegment): Promise<SegmentedLog> {
  return openOrders(await openDirectory({ disk, path: '/data' }), config)
}

const pathOf = (offset: Offset, suffix: string) => `${folder}/${fileNameOf(offset, suffix)}`
const sizeOf = (batches: readonly Uint8Array[]) => batches.reduce((sum, batch) => sum + batch.length, 0)

async function isWhole(log: SegmentedLog, written: readonly Uint8Array[]): Promise<void> {
  assert.equal(log.fault, null)
  assert.deepEqual((await readAll(log)).map(asBuffer), written.map(asBuffer))
}

function isOffline(log: SegmentedLog, reason: RegExp): void {
  assert.ok(log.fault instanceof CorruptLogError, String(log.fault))
  assert.match(log.fault.message, reason)
  assert.deepEqual(log.append(batchOf(['x']), 0, 'client'), { ok: false, refusal: 'offline' })
}

test('a torn tail is cut, at every byte', async () => {
  const { written } = await killedAfter(3)
  const whole = sizeOf(written.slice(0, 2))
  for (let size = whole; size < whole + written[2]!.length; size++) {
    const { disk } = await killedAfter(3)
    await overwrite(disk, pathOf(0, '.log'), (bytes) => bytes.subarray(0, size))
    const log = await reopen(disk)
    await isWhole(log, written.slice(0, 2))
    assert.equal((await disk.readFile(pathOf(0, '.log')))!.length, whole)
    assert.equal(await appended(log, batchOf(['after'])), 2)
  }
})

test('garbage after the last batch is cut', async () => {
  const { disk, written } = await killedAfter(3)
  await overwrite(disk, pathOf(0, '.log'), (bytes) => Buffer.concat([bytes, Buffer.alloc(500, 0xa5)]))
  await isWhole(await reopen(disk), written)
})

test('a last batch of which a sector never arrived is cut', async () => {
  const { disk, written } = await killedAfter(20)
  const whole = sizeOf(written.slice(0, 19))
  await overwrite(disk, pathOf(0, '.log'), (bytes) => bytes.fill(0, whole))
  await isWhole(await reopen(disk), written.slice(0, 19))
})

test('a sector that never arrived takes what was written after it along: none of it was confirmed', async () => {
  const { disk, written } = await killedAfter(20)
  const from = Math.ceil(sizeOf(written.slice(0, 10)) / 512) * 512
  await overwrite(disk, pathOf(0, '.log'), (bytes) => bytes.fill(0, from, from + 512))
  const log = await reopen(disk)
  assert.equal(log.fault, null)
  assert.ok(log.logEndOffset < 13)
  await isWhole(log, written.slice(0, log.logEndOffset))
})

test('a flipped bit with good batches after it is rot: nothing is cut, the log is offline', async () => {
  const { disk, written } = await killedAfter(20)
  const before = await disk.readFile(pathOf(0, '.log'))
  disk.flipBit(pathOf(0, '.log'), sizeOf(written.slice(0, 7)) + 80)
  isOffline(await reopen(disk), /badChecksum, with good batches after it/)
  assert.equal((await disk.readFile(pathOf(0, '.log')))!.length, before!.length)
})

test('a flipped bit in a length with good batches after it is rot, too', async () => {
  const { disk, written } = await killedAfter(20)
  disk.flipBit(pathOf(0, '.log'), sizeOf(written.slice(0, 7)) + 9, 4)
  isOffline(await reopen(disk), /with good batches after it/)
})

test('damage below the recovery point is rot, even at the end', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, oneSegment)
  for (let i = 0; i < 3; i++) await appended(log, batchOf([`${i}`]))
  await directory.checkpoint()
  const found = disk.kill()
  const size = (await found.readFile(pathOf(0, '.log')))!.length
  found.flipBit(pathOf(0, '.log'), size - 5)
  isOffline(await reopen(found), /below offset 3, which was confirmed/)
})

test('damage below the checkpointed high watermark is rot', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, oneSegment)
  for (let i = 0; i < 3; i++) await appended(log, batchOf([`${i}`]))
  directory.useHighWatermarks(() => [['orders-0', 3]])
  await directory.checkpoint()
  const found = disk.kill()
  await overwrite(found, pathOf(0, '.log'), (bytes) => bytes.subarray(0, bytes.length - 1))
  isOffline(await reopen(found), /confirmed/)
})

test('confirmed segments that are gone take the log offline', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, oneSegment)
  await appended(log, batchOf(['a']))
  await directory.checkpoint()
  const found = disk.kill()
  await found.remove(pathOf(0, '.log'))
  isOffline(await reopen(found), /segments are missing/)
})

test('rot in a sealed segment is found after an unclean stop, with good segments after it', async () => {
  const { disk, written } = await killedAfter(20, smallConfig)
  disk.flipBit(pathOf(0, '.log'), sizeOf(written.slice(0, 2)) - 3)
  isOffline(await reopen(disk, smallConfig), /badChecksum/)
})

for (const suffix of ['.index', '.timeindex']) {
  for (const [how, change] of [
    ['missing', null],
    ['empty', () => Buffer.alloc(0)],
    ['of zeros', (bytes: Buffer) => bytes.fill(0)],
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 3)],
    ['garbage', (bytes: Buffer) => bytes.fill(0x5a)],
  ] as const) {
    test(`an ${suffix} file that is ${how} is built again`, async () => {
      const disk = new MemoryDisk()
      const directory = await openDirectory({ disk, path: '/data' })
      const log = await openOrders(directory)
      const written = Array.from({ length: 30 }, (_, i) => batchOf([`value ${i}`], { timestamp: 1000 + i }))
      for (const batch of written) await appended(log, batch)
      await directory.close()
      for (const { name } of await disk.list(folder)) {
        if (!name.endsWith(suffix)) continue
        if (change === null) await disk.remove(`${folder}/${name}`)
        else await overwrite(disk, `${folder}/${name}`, change)
      }
      const again = await openDirectory({ disk, path: '/data' }, { limits: { tailCacheBytes: 0 } })
      const reopened = await openOrders(again)
      await isWhole(reopened, written)
      for (let i = 0; i < 30; i++) {
        const read = await reopened.read(i, 1, 30, true)
        assert.ok(read.ok && read.sizeBytes > 0)
        assert.equal((await reopened.findByTimestamp(1000 + i, 30))?.offset, i)
      }
      await again.close()
    })
  }
}

test('the time index of a sealed segment that lost its entries is built again', async () => {
  const disk = new MemoryDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  for (let i = 0; i < 30; i++) await appended(log, batchOf([`value ${i}`], { timestamp: 1000 + i }))
  await directory.close()
  await overwrite(disk, pathOf(0, '.timeindex'), (bytes) => bytes.fill(0))
  const reopened = await reopen(disk, smallConfig)
  assert.equal((await reopened.findByTimestamp(1001, 30))?.offset, 1)
})

test('a sealed segment of one large batch has an index without entries, and nothing is wrong with it', async () => {
  const disk = new MemoryDisk()
  const config = { ...smallConfig, segmentBytes: 1 << 20, indexIntervalBytes: 100 }
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, config)
  await appended(log, batchOf(['x'.repeat(5000)]))
  log.roll()
  await appended(log, batchOf(['y']))
  await directory.close()
  assert.equal((await disk.readFile(pathOf(0, '.index')))!.length, 0)
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) }
  const again = await openDirectory({ disk, path: '/data' }, { limits: { tailCacheBytes: 0 }, logger })
  const read = await (await openOrders(again, config)).read(0, 1, 2, true)
  assert.ok(read.ok && read.sizeBytes > 5000)
  assert.deepEqual(warnings, [])
  await again.close()
})

test('a damaged index of aborted transactions is built again', async () => {
  const disk = new MemoryDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  const producer = { producerId: 5, producerEpoch: 0, timestamp: 1000 }
  await appended(log, batchOf(['a'], { ...producer, baseSequence: 0, transactional: true }))
  log.append(buildEndTransactionMarker({ kind: 'abort', coordinatorEpoch: 0 }, producer), 0, 'coordinator')
  for (let i = 0; i < 30; i++) await appended(log, batchOf([`value ${i}`]))
  const aborted = await log.abortedTransactions(0, 32)
  assert.deepEqual(aborted, [{ producerId: 5, firstOffset: 0, lastOffset: 1, lastStableOffset: 2 }])
  await directory.close()
  await overwrite(disk, pathOf(0, '.txnindex'), (bytes) => bytes.subarray(1))
  assert.deepEqual(await (await reopen(disk, smallConfig)).abortedTransactions(0, 32), aborted)
})

test("a log that Kafka left behind unclean opens: preallocated indexes, no snapshot, its leader's epoch", async () => {
  const { disk, written } = await killedAfter(20)
  await overwrite(disk, pathOf(0, '.log'), (bytes) => bytes)
  for (const [suffix, entryBytes] of [
    ['.index', 8],
    ['.timeindex', 12],
  ] as const) {
    const file = await disk.open(pathOf(0, suffix), { create: true })
    await file.truncate(10 * 1024 * 1024 - ((10 * 1024 * 1024) % entryBytes))
    await file.close()
  }
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, oneSegment)
  await isWhole(log, written)
  await directory.close()
  assert.ok((await disk.readFile(pathOf(0, '.index')))!.length < 1000)
})

test('a batch that was written, and shows damage only when it is read, takes the log offline', async () => {
  const { disk, written } = await killedAfter(20)
  const directory = await openDirectory({ disk, path: '/data' }, { limits: { tailCacheBytes: 0 } })
  const log = await openOrders(directory, oneSegment)
  disk.flipBit(pathOf(0, '.log'), sizeOf(written.slice(0, 7)) + 16, 2)
  assert.deepEqual(await log.read(7, 1000, 20, true), { ok: false, refusal: 'offline' })
  isOffline(log, /badMagic/)
})

test('a failed write takes only its own log offline, and tells whoever waits', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  const other = await directory.openLog({ topicName: 'other', partition: 0, topicId: null, config: smallConfig })
  await appended(log, batchOf(['kept']))
  const told: string[] = []
  log.listen({
    written: (end) => told.push(`written ${end}`),
    durable: (end) => told.push(`durable ${end}`),
    dropped() {},
    failed: (error) => told.push(error.message),
  })
  disk.failWhen({ kind: 'write', path: 'orders-0', afterBytes: 10 })
  assert.ok(log.append(batchOf(['lost']), 0, 'client').ok)
  await assert.rejects(log.sync(), { code: 'EIO' })
  assert.deepEqual(
    told.map((line) => line.slice(0, 3)),
    ['EIO'],
  )
  assert.equal(log.durableOffset, 1)
  assert.equal(log.queuedBytes, 0)
  assert.deepEqual(log.append(batchOf(['more']), 0, 'client'), { ok: false, refusal: 'offline' })
  assert.deepEqual(await log.read(0, 100, 1, true), { ok: false, refusal: 'offline' })
  await assert.rejects(log.truncateTo(0), { code: 'EIO' })
  await appended(other, batchOf(['fine']))
  await directory.close()
  const again = await openDirectory({ disk, path: '/data' })
  assert.equal(again.wasClean, false)
  const reopened = await openOrders(again)
  assert.deepEqual([reopened.fault, reopened.logEndOffset], [null, 1])
  assert.equal((await disk.readFile(pathOf(0, '.log')))!.length, reopened.sizeBytes)
})

test('a sync that failed is never tried again, and nothing it covered is confirmed', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  let durable = 0
  log.listen({
    written() {},
    durable: (end) => (durable = end),
    dropped() {},
    failed() {},
  })
  await appended(log, batchOf(['kept']))
  disk.failWhen({ kind: 'sync', path: '.log' })
  log.append(batchOf(['lost']), 0, 'client')
  await assert.rejects(log.sync(), { code: 'EIO' })
  await assert.rejects(log.sync(), { code: 'EIO' })
  await directory.close()
  assert.equal(durable, 1)
})

test('a retry of a batch that still waits to be written gets the first answer', async () => {
  const disk = new MemoryDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }))
  const batch = () => batchOf(['a', 'b'], { producerId: 1, producerEpoch: 0, baseSequence: 0 })
  log.append(batchOf(['before']), 0, 'client')
  const first = log.append(batch(), 0, 'client')
  assert.deepEqual(first, { ok: true, baseOffset: 1, lastOffset: 2, duplicate: false, logAppendTimeMs: -1 })
  // Kafka gives a retry the greatest timestamp of the batch, where the first answer had none.
  const logAppendTimeMs = maxTimestampOf(batch())
  assert.deepEqual(log.append(batch(), 0, 'client'), { ...first, duplicate: true, logAppendTimeMs })
  assert.equal(log.writtenOffset, 0)
  await log.sync()
  assert.equal((await readAll(log)).length, 2)
})

test('a batch larger than a segment is refused', async () => {
  const log = await openOrders(await openDirectory({ disk: new MemoryDisk(), path: '/data' }))
  assert.deepEqual(log.append(batchOf(['x'.repeat(600)]), 0, 'client'), { ok: false, refusal: 'recordListTooLarge' })
})
