// What every log must do, whatever disk it lies on: one suite, and the small world the storage tests share.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import type { Disk } from '../io/disk.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { baseOffsetOf, leaderEpochOf } from '../records/batch.ts'
import { LogDirectory, type LogDirectoryOptions } from './log-directory.ts'
import type { LogConfig, Offset, PartitionLog } from './partition-log.ts'
import type { SegmentedLog } from './segmented-log.ts'
import { batchOf, readAll, smallConfig } from './small-log.sim.ts'

export { batchOf, readAll, smallConfig }

export const ordersTopicId = 'bYTNgNGuTtWhMHc-8cU6sQ'

export interface DiskUnderTest {
  readonly disk: Disk
  readonly path: string
}

export function openDirectory(
  { disk, path }: DiskUnderTest,
  options: Partial<LogDirectoryOptions> = {},
): Promise<LogDirectory> {
  return LogDirectory.open({
    disk,
    path,
    clock: new SimulatedClock(),
    random: seededRandom(1),
    logger: silentLogger,
    nodeId: 1,
    ...options,
  })
}

export function openOrders(directory: LogDirectory, config: LogConfig = smallConfig): Promise<SegmentedLog> {
  return directory.openLog({ topicName: 'orders', partition: 0, topicId: ordersTopicId, config })
}

/** Appends and waits until the batch is durable; answers its base offset. */
export async function appended(log: PartitionLog, batch: Uint8Array, leaderEpoch = 0): Promise<Offset> {
  const answer = log.append(batch, leaderEpoch, 'client')
  assert.ok(answer.ok, JSON.stringify(answer))
  await log.sync()
  return answer.baseOffset
}

/** For comparing bytes whatever holds them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes)
}

export function partitionLogContract(diskName: string, diskFor: (t: TestContext) => Promise<DiskUnderTest>): void {
  /** A log of 30 batches of one size with 2 records each, a minute apart, over several segments. */
  async function filledLog(t: TestContext, config: LogConfig = smallConfig) {
    const place = await diskFor(t)
    const directory = await openDirectory(place)
    t.after(() => directory.close())
    const log = await openOrders(directory, config)
    const written: Uint8Array[] = []
    for (let i = 0; i < 30; i++) {
      const batch = batchOf([`${i + 10}a`, `${i + 10}b`], { timestamp: 1000 + 60_000 * i })
      await appended(log, batch, Math.floor(i / 10))
      written.push(batch)
    }
    return { place, directory, log, written }
  }

  const it = (title: string, run: (t: TestContext) => Promise<void>): void => {
    void test(`on the ${diskName} disk, ${title}`, run)
  }

  it('what was appended is read back, byte for byte, with its offsets and epochs', async (t) => {
    const { log, written } = await filledLog(t)
    const found = await readAll(log)
    assert.deepEqual(found.map(asBuffer), written.map(asBuffer))
    assert.deepEqual(
      found.map((batch) => baseOffsetOf(batch)),
      written.map((_, i) => 2 * i),
    )
    assert.equal(leaderEpochOf(found[25]!), 2)
    assert.ok(log.segmentCount > 3)
    assert.equal(
      log.sizeBytes,
      written.reduce((sum, batch) => sum + batch.length, 0),
    )
  })

  it('a closed log opens again as it was, from its files alone', async (t) => {
    const { place, directory, log, written } = await filledLog(t)
    const { sizeBytes } = log
    await directory.close()
    const again = await openDirectory(place)
    t.after(() => again.close())
    assert.ok(again.wasClean)
    const reopened = await openOrders(again)
    assert.equal(reopened.fault, null)
    assert.deepEqual([reopened.logStartOffset, reopened.logEndOffset, reopened.durableOffset], [0, 60, 60])
    assert.equal(reopened.latestEpoch, 2)
    assert.equal(reopened.sizeBytes, sizeBytes)
    assert.deepEqual((await readAll(reopened)).map(asBuffer), written.map(asBuffer))
    assert.equal(await appended(reopened, batchOf(['more']), 3), 60)
    assert.deepEqual(reopened.endOffsetForEpoch(2), { epoch: 2, endOffset: 60 })
  })

  it('reads keep to their limits', async (t) => {
    const { place, directory, log, written } = await filledLog(t)
    const size = written[0]!.length
    const check = async (log: PartitionLog) => {
      const sizes = async (from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean) => {
        const read = await log.read(from, maxBytes, upTo, atLeastOne)
        return read.ok ? read.sizeBytes / size : read.refusal
      }
      assert.equal(await sizes(4, 3 * size, 60, true), 3)
      assert.equal(await sizes(4, 3 * size - 1, 60, true), 2)
      assert.equal(await sizes(4, 1, 60, true), 1)
      assert.equal(await sizes(4, 1, 60, false), 0)
      assert.equal(await sizes(4, 3 * size, 8, true), 2)
      assert.equal(await sizes(4, 3 * size, 7, true), 1, 'a batch that is not wholly below the bound stays away')
      assert.equal(await sizes(5, size, 60, true), 1, 'the batch that holds the offset comes whole')
      assert.equal(await sizes(60, size, 60, true), 0)
      assert.equal(await sizes(61, size, 60, true), 'offsetOutOfRange')
      assert.equal(await sizes(-1, size, 60, true), 'offsetOutOfRange')
    }
    await check(log)
    await directory.close()
    const again = await openDirectory(place, { limits: { tailCacheBytes: 0 } })
    t.after(() => again.close())
    await check(await openOrders(again))
  })

  it('truncating drops what the leader never had, and the place is used again', async (t) => {
    for (const end of [58, 40, 31, 2, 0]) {
      const { place, directory, log, written } = await filledLog(t)
      const kept = Math.floor(end / 2)
      await log.truncateTo(end)
      assert.equal(log.logEndOffset, 2 * kept, 'a batch goes as a whole')
      assert.deepEqual((await readAll(log)).map(asBuffer), written.slice(0, kept).map(asBuffer))
      assert.equal(log.latestEpoch, kept === 0 ? -1 : Math.floor((kept - 1) / 10))
      assert.equal(await appended(log, batchOf(['new']), 7), 2 * kept)
      await directory.close()
      const again = await openDirectory(place)
      const reopened = await openOrders(again)
      assert.equal(reopened.logEndOffset, 2 * kept + 1)
      assert.equal((await readAll(reopened)).length, kept + 1)
      assert.equal(reopened.latestEpoch, 7)
      await again.deleteLog({ topicName: 'orders', partition: 0 })
      await again.close()
    }
  })

  it('advancing the start drops whole segments and hides the rest', async (t) => {
    const { place, directory, log, written } = await filledLog(t)
    const segmentsBefore = log.segmentCount
    await log.advanceStartTo(31)
    assert.equal(log.logStartOffset, 31)
    assert.ok(log.segmentCount < segmentsBefore)
    assert.deepEqual(await log.read(30, 100, 60, true), { ok: false, refusal: 'offsetOutOfRange' })
    assert.deepEqual((await readAll(log)).map(asBuffer), written.slice(15).map(asBuffer))
    await log.advanceStartTo(60)
    assert.deepEqual([log.logStartOffset, log.logEndOffset, log.sizeBytes], [60, 60, 0])
    await directory.close()
    const again = await openDirectory(place)
    t.after(() => again.close())
    const reopened = await openOrders(again)
    assert.deepEqual([reopened.logStartOffset, reopened.logEndOffset], [60, 60])
    assert.equal(await appended(reopened, batchOf(['more'])), 60)
  })

  it('time is found in every segment', async (t) => {
    const { log } = await filledLog(t)
    for (let i = 0; i < 30; i++) {
      const expected = { timestamp: 1000 + 60_000 * i, offset: 2 * i, leaderEpoch: Math.floor(i / 10) }
      assert.deepEqual(await log.findByTimestamp(1000 + 60_000 * i, 60), expected)
      assert.deepEqual(await log.findByTimestamp(1000 + 60_000 * i - 59_999, 60), expected)
      assert.deepEqual(await log.findMaxTimestamp(2 * i + 2), expected)
    }
    assert.equal(await log.findByTimestamp(1000 + 60_000 * 30, 60), null)
    assert.equal(await log.findByTimestamp(1000 + 60_000 * 20, 40), null)
    assert.equal(await log.findMaxTimestamp(0), null)
    await log.advanceStartTo(31)
    assert.equal((await log.findByTimestamp(0, 60))?.offset, 31)
  })

  it('progress is told in order: written, then durable', async (t) => {
    const place = await diskFor(t)
    const directory = await openDirectory(place)
    t.after(() => directory.close())
    const log = await openOrders(directory)
    const told: string[] = []
    log.listen({
      written: (end) => told.push(`written ${end}`),
      durable: (end) => told.push(`durable ${end}`),
      dropped() {},
      failed: (error) => told.push(error.message),
    })
    log.append(batchOf(['a']), 0, 'client')
    log.append(batchOf(['b', 'c']), 0, 'client')
    assert.deepEqual([log.logEndOffset, log.writtenOffset, log.durableOffset], [3, 0, 0])
    assert.deepEqual(await log.read(0, 1000, Infinity, true), { ok: true, chunks: [], sizeBytes: 0 })
    await log.sync()
    assert.deepEqual(told, ['written 3', 'durable 3'], 'what is appended in one turn is one write and one sync')
  })

  it('with page-cache, written is durable, and sync still reaches the disk', async (t) => {
    const place = await diskFor(t)
    const directory = await openDirectory(place)
    t.after(() => directory.close())
    const log = await openOrders(directory, { ...smallConfig, flushPolicy: 'page-cache' })
    let durable = 0
    const confirmed = new Promise<void>((resolve, reject) => {
      log.listen({
        written() {},
        durable(end) {
          durable = end
          resolve()
        },
        dropped() {},
        failed: reject,
      })
    })
    log.append(batchOf(['a']), 0, 'client')
    await confirmed
    assert.equal(durable, 1)
    assert.equal(log.recoveryPoint, 0)
    await log.sync()
    assert.equal(log.recoveryPoint, 1)
  })

  it('a deleted log is gone, and its name is free', async (t) => {
    const { place, directory, log } = await filledLog(t)
    await directory.deleteLog({ topicName: 'orders', partition: 0 })
    assert.deepEqual(log.append(batchOf(['late']), 0, 'client'), { ok: false, refusal: 'offline' })
    const other = await directory.openLog({ topicName: 'orders', partition: 0, topicId: null, config: smallConfig })
    assert.equal(other.logEndOffset, 0)
    await appended(other, batchOf(['x']))
    await directory.close()
    assert.deepEqual(
      (await place.disk.list(place.path)).filter((entry) => entry.kind === 'folder').map((entry) => entry.name),
      ['orders-0'],
    )
  })
}
