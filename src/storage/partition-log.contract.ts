// What every log must do, whatever disk it lies on: one suite, and the small world the storage tests share.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import type { Disk } from '../io/disk.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { baseOffsetOf, leaderEpochOf } from '../records/batch.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
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
    const advanced = log.advanceStartTo(31)
    assert.deepEqual([log.logStartOffset, log.keptStartOffset], [31, 0])
    await advanced
    assert.deepEqual([log.logStartOffset, log.keptStartOffset], [31, 31])
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

  /** A log beside the one that is filled, which replicates it. */
  function follower(directory: LogDirectory, config: LogConfig = smallConfig): Promise<SegmentedLog> {
    return directory.openLog({ topicName: 'copy', partition: 0, topicId: null, config })
  }

  it('what a leader has is appended as it is: offsets, epochs and bytes, several batches at once', async (t) => {
    const { place, directory, log, written } = await filledLog(t)
    const copy = await follower(directory)
    for (const from of [0, 7, 20]) {
      const batches = Buffer.concat(written.slice(from, { 0: 7, 7: 20, 20: 30 }[from]))
      assert.deepEqual(copy.appendReplicated(batches, 2), { ok: true, endOffset: { 0: 14, 7: 40, 20: 60 }[from] })
    }
    await copy.sync()
    const check = async (copy: SegmentedLog) => {
      assert.deepEqual((await readAll(copy)).map(asBuffer), written.map(asBuffer))
      for (const epoch of [0, 1, 2]) assert.deepEqual(copy.endOffsetForEpoch(epoch), log.endOffsetForEpoch(epoch))
      assert.deepEqual([copy.logStartOffset, copy.logEndOffset, copy.durableOffset], [0, 60, 60])
      assert.deepEqual(
        copy.segments.map((segment) => segment.baseOffset),
        log.segments.map((segment) => segment.baseOffset),
      )
      assert.equal((await copy.findByTimestamp(1000 + 60_000 * 11, 60))?.offset, 22)
    }
    await check(copy)
    await directory.close()
    const again = await openDirectory(place)
    t.after(() => again.close())
    await check(await follower(again))
  })

  it('a copy has the gaps that compaction left, of any width', async (t) => {
    const { place, directory, written } = await filledLog(t)
    const copy = await follower(directory)
    const far = batchOf(['far'], { baseOffset: 5_000_000_000, leaderEpoch: 3 })
    const farther = batchOf(['farther'], { baseOffset: 9_000_000_000, leaderEpoch: 3 })
    const kept = [written[2]!, written[3]!, written[11]!, far, farther]
    assert.deepEqual(copy.appendReplicated(Buffer.concat(kept.slice(0, 3)), 3), { ok: true, endOffset: 24 })
    assert.deepEqual(copy.appendReplicated(Buffer.concat(kept.slice(3)), 3), { ok: true, endOffset: 9_000_000_001 })
    await copy.sync()
    const check = async (copy: SegmentedLog) => {
      assert.equal(copy.fault, null)
      assert.deepEqual((await readAll(copy)).map(asBuffer), kept.map(asBuffer))
      for (const [from, found] of [
        [0, 4],
        [8, 22],
        [24, 5_000_000_000],
        [5_000_000_001, 9_000_000_000],
      ] as const) {
        const [batch] = await readAll(copy, Math.max(from, copy.logStartOffset))
        assert.equal(baseOffsetOf(batch!), found)
      }
      assert.equal(copy.epochAt(22), 1)
      assert.deepEqual(copy.endOffsetForEpoch(1), { epoch: 1, endOffset: 5_000_000_000 })
    }
    await check(copy)
    await directory.close()
    const again = await openDirectory(place, { limits: { tailCacheBytes: 0 } })
    t.after(() => again.close())
    const reopened = await follower(again)
    await check(reopened)
    await reopened.truncateTo(23)
    assert.equal(reopened.logEndOffset, 8, 'it ends where the last batch ends that stays')
    assert.equal(await appended(reopened, batchOf(['next']), 4), 8)
  })

  it('a copy may begin far behind the start of its leader', async (t) => {
    const { place, directory } = await filledLog(t)
    const copy = await follower(directory)
    const far = batchOf(['far'], { baseOffset: 5_000_000_000, leaderEpoch: 3 })
    assert.ok(copy.appendReplicated(far, 3).ok)
    await copy.sync()
    await directory.close()
    const again = await openDirectory(place)
    t.after(() => again.close())
    const reopened = await follower(again)
    assert.equal(reopened.fault, null)
    assert.deepEqual((await readAll(reopened)).map(asBuffer), [asBuffer(far)])
  })

  it('what does not follow the log, or is damaged, or of a later leadership, is refused as a whole', async (t) => {
    const { directory, written } = await filledLog(t)
    const copy = await follower(directory)
    const damaged = Buffer.from(written[3]!)
    damaged.writeUInt8(damaged.readUInt8(70) ^ 1, 70)
    const refusals: [Uint8Array[], number, string][] = [
      [[written[1]!, written[0]!], 2, 'outOfOrder'],
      [[written[1]!, written[1]!], 2, 'outOfOrder'],
      [[written[2]!, damaged], 2, 'corrupt'],
      [[written[2]!, written[3]!.subarray(0, 80)], 2, 'corrupt'],
      [[written[9]!, written[10]!], 0, 'newerEpoch'],
    ]
    for (const [batches, epoch, refusal] of refusals) {
      assert.deepEqual(copy.appendReplicated(Buffer.concat(batches), epoch), { ok: false, refusal })
    }
    assert.equal(copy.logEndOffset, 0)
    assert.ok(copy.appendReplicated(written[4]!, 2).ok)
    assert.deepEqual(copy.appendReplicated(written[3]!, 2), { ok: false, refusal: 'outOfOrder' })
    await directory.deleteLog({ topicName: 'copy', partition: 0 })
    assert.deepEqual(copy.appendReplicated(written[9]!, 2), { ok: false, refusal: 'offline' })
  })

  it('a copy knows the producers and the transactions of what it replicated', async (t) => {
    const { directory, log } = await filledLog(t)
    const copy = await follower(directory)
    const producer = { producerId: 7, producerEpoch: 1, baseOffset: 0, transactional: true, leaderEpoch: 2 }
    const markerPlace = { producerId: 7, producerEpoch: 1, timestamp: 5, baseOffset: 2, leaderEpoch: 2 }
    const sent = [
      // In the middle of the producer's sequences: a client would be refused.
      batchOf(['a', 'b'], { ...producer, baseSequence: 40 }),
      buildEndTransactionMarker({ kind: 'abort', coordinatorEpoch: 3 }, markerPlace),
      batchOf(['c'], { ...producer, baseOffset: 3, baseSequence: 42 }),
    ]
    assert.ok(copy.appendReplicated(Buffer.concat(sent), 2).ok)
    await copy.sync()
    assert.equal(copy.firstUnstableOffset, 3)
    assert.deepEqual(
      (await copy.abortedTransactions(0, 9)).map(({ producerId, firstOffset, lastOffset }) => [
        producerId,
        firstOffset,
        lastOffset,
      ]),
      [[7, 0, 2]],
    )
    const again = copy.append(batchOf(['c'], { ...producer, baseSequence: 42 }), 3, 'client')
    assert.deepEqual(again.ok && [again.duplicate, again.baseOffset], [true, 3], 'it may lead at any time')
    assert.equal(log.firstUnstableOffset, null)
  })

  it('a log begins anew at any offset, without anything of what it was', async (t) => {
    for (const offset of [0, 31, 60, 500, 7_000_000_000]) {
      const { place, directory, log } = await filledLog(t)
      await log.restartAt(offset)
      assert.deepEqual(
        [log.logStartOffset, log.logEndOffset, log.durableOffset, log.sizeBytes],
        [offset, offset, offset, 0],
      )
      assert.deepEqual([log.latestEpoch, log.endOffsetForEpoch(2).epoch], [-1, -1])
      assert.deepEqual(await readAll(log), [])
      assert.ok(log.appendReplicated(batchOf(['new'], { baseOffset: offset, leaderEpoch: 9 }), 9).ok)
      await log.sync()
      await directory.close()
      const again = await openDirectory(place)
      const reopened = await openOrders(again)
      assert.equal(reopened.fault, null)
      assert.deepEqual([reopened.logStartOffset, reopened.logEndOffset], [offset, offset + 1])
      assert.equal((await readAll(reopened)).length, 1)
      assert.equal(reopened.latestEpoch, 9)
      await again.deleteLog({ topicName: 'orders', partition: 0 })
      await again.close()
    }
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
