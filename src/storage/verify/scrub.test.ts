// The scrub on a simulated clock and disk: it finds what rotted, takes that log offline and no other, reads no faster than it may, and is
// in nobody's way.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { CorruptLogError } from '../log-errors.ts'
import type { LogDirectory } from '../log-directory.ts'
import { appended, batchOf, openDirectory, readAll, smallConfig } from '../partition-log.contract.ts'
import type { LogConfig, Offset } from '../partition-log.ts'
import { fileNameOf } from '../segment-names.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import { Scrub, type ScrubOptions } from './scrub.ts'

const day = 86_400_000
const config: LogConfig = { ...smallConfig, segmentBytes: 2000 }

interface World {
  readonly disk: SimulatedDisk
  readonly clock: SimulatedClock
  readonly directory: LogDirectory
  readonly logs: readonly SegmentedLog[]
}

const nameOf = (n: number) => `topic${n}-0`

/** `count` logs of 40 batches each, in several segments. */
async function world(count: number, logConfig = config): Promise<World> {
  const disk = new SimulatedDisk()
  const clock = new SimulatedClock()
  const directory = await openDirectory({ disk, path: '/data' }, { clock })
  const logs: SegmentedLog[] = []
  for (let n = 0; n < count; n++) {
    const log = await directory.openLog({ topicName: `topic${n}`, partition: 0, topicId: null, config: logConfig })
    for (let i = 0; i < 40; i++) await appended(log, batchOf([`value ${i} `.repeat(10)], { timestamp: 1000 + i }))
    logs.push(log)
  }
  return { disk, clock, directory, logs }
}

function scrubOf({ directory, clock }: World, options: Partial<ScrubOptions> = {}): Scrub {
  const doors = { directory, clock, random: seededRandom(5), logger: silentLogger }
  return new Scrub({ ...doors, bytesPerSecond: 1 << 20, initialDelayMs: 0, intervalMs: day, ...options })
}

const sizeOf = (logs: readonly SegmentedLog[]) => logs.reduce((sum, log) => sum + log.sizeBytes, 0)
const pathOf = (n: number, base: Offset) => `/data/${nameOf(n)}/${fileNameOf(base, '.log')}`

/** Runs a whole round. */
async function oneRound(found: World, options: Partial<ScrubOptions> = {}): Promise<Scrub> {
  const scrub = scrubOf(found, options)
  scrub.start()
  await found.clock.advanceUntil(() => scrub.progress.rounds > 0)
  await scrub.stop()
  return scrub
}

test('a round reads every batch of every log, the active segments included, and finds nothing wrong', async () => {
  const found = await world(3)
  const scrub = await oneRound(found)
  assert.deepEqual(scrub.progress, { rounds: 1, bytes: sizeOf(found.logs), damagedLogs: 0 })
  assert.ok(found.logs.every((log) => log.fault === null && log.segmentCount > 2))
})

for (const segment of ['sealed', 'active'] as const) {
  test(`a flipped bit in a ${segment} segment takes that log offline with its place, and the others serve on`, async () => {
    const found = await world(3)
    const { baseOffset } = segment === 'active' ? found.logs[1]!.segments.at(-1)! : found.logs[1]!.segments[1]!
    const path = pathOf(1, baseOffset)
    const first = (await found.logs[1]!.read(baseOffset, 1, Infinity, true)) as { sizeBytes: number }
    found.disk.flipBit(path, first.sizeBytes + 90, 3)
    const scrub = await oneRound(found)
    assert.equal(scrub.progress.damagedLogs, 1)
    const { fault } = found.logs[1]!
    assert.ok(fault instanceof CorruptLogError)
    assert.equal(fault.file, path)
    assert.equal(fault.position, first.sizeBytes)
    assert.equal(fault.offset, baseOffset + 1)
    assert.match(fault.message, /checksum does not match/)
    assert.deepEqual(await found.logs[1]!.read(0, 100, Infinity, true), { ok: false, refusal: 'offline' })
    for (const n of [0, 2]) {
      assert.equal(found.logs[n]!.fault, null)
      assert.equal((await readAll(found.logs[n]!)).length, 40)
    }
  })
}

test('an offset that rotted is found, though it lies outside the checksum', async () => {
  const found = await world(1)
  found.disk.flipBit(pathOf(0, found.logs[0]!.segments[1]!.baseOffset), 3, 2)
  await oneRound(found)
  assert.match(String(found.logs[0]!.fault), /offsets do not fit/)
})

for (const { where, start, offline } of [
  { where: 'wholly below the start of its log is nobody’s loss', start: 10, offline: false },
  { where: 'that the log starts in the middle of takes the log offline', start: 5, offline: true },
]) {
  test(`a damaged batch ${where}`, async () => {
    const found = await world(0)
    const log = await found.directory.openLog({ topicName: 'topic0', partition: 0, topicId: null, config })
    for (let i = 0; i < 3; i++) await appended(log, batchOf(Array.from({ length: 10 }, (_, n) => `value ${n}`)))
    await log.advanceStartTo(start)
    assert.equal(log.segments[0]!.baseOffset, 0)
    found.disk.flipBit(pathOf(0, 0), 80, 3)
    const scrub = await oneRound(found)
    assert.equal(scrub.progress.damagedLogs, offline ? 1 : 0)
    assert.equal(log.fault !== null, offline)
  })
}

test('it reads no faster than it may, and a new round begins only after the interval', async () => {
  const found = await world(4, { ...config, segmentBytes: 1 << 20 })
  const bytesPerSecond = 10_000
  const scrub = scrubOf(found, { bytesPerSecond })
  scrub.start()
  const total = sizeOf(found.logs)
  let passed = 0
  while (scrub.progress.rounds === 0) {
    await found.clock.advance(100)
    passed += 100
    // Of a read that is under way nothing is paid for yet; each log is one read here.
    assert.ok(scrub.progress.bytes <= (passed * bytesPerSecond) / 1000 + total / 4)
    assert.ok(passed < 100_000)
  }
  assert.ok(passed >= (total * 1000) / bytesPerSecond, `${passed} ms for ${total} bytes`)
  const { bytes } = scrub.progress
  await found.clock.advance(day - passed)
  assert.equal(scrub.progress.bytes, bytes)
  await found.clock.advanceUntil(() => scrub.progress.rounds === 2, 2 * day)
  assert.equal(scrub.progress.bytes, 2 * total)
  await scrub.stop()
  assert.equal(found.clock.pendingTimers, 2) // the directory's own
})

test('a rate of 0 means no scrub', async () => {
  const found = await world(1)
  found.disk.onOperation = () => assert.fail('the disk was touched')
  const scrub = scrubOf(found, { bytesPerSecond: 0 })
  scrub.start()
  await found.clock.advance(1000)
  await scrub.stop()
  assert.equal(scrub.progress.bytes, 0)
})

test('a batch larger than a window is read in pieces, with pauses between them', async () => {
  const found = await world(0)
  const large = { ...config, segmentBytes: 4 << 20 }
  const log = await found.directory.openLog({ topicName: 'topic0', partition: 0, topicId: null, config: large })
  await appended(log, batchOf(['x'.repeat(1 << 20)]))
  await appended(log, batchOf(['y']))
  let longest = 0
  found.disk.onOperation = ({ kind, sizeBytes }) => {
    if (kind === 'read') longest = Math.max(longest, sizeBytes)
  }
  const scrub = await oneRound({ ...found, logs: [log] })
  assert.equal(scrub.progress.bytes, log.sizeBytes)
  assert.ok(longest <= 128 << 10)
  found.disk.flipBit(pathOf(0, 0), 700_000)
  await oneRound({ ...found, logs: [log] })
  assert.ok(log.fault instanceof CorruptLogError)
})

/** Holds each read of the file up until the answer is called, or asks at each what to do. */
function onRead(disk: SimulatedDisk, path: string, then: () => void | Promise<void>): void {
  let first = true
  disk.onOperation = async (operation) => {
    if (!first || operation.kind !== 'read' || operation.path !== path) return
    first = false
    await then()
  }
}

test('a segment that is deleted while it is read is nobody’s damage', async () => {
  const found = await world(2)
  const log = found.logs[0]!
  const { baseOffset } = log.segments[1]!
  onRead(found.disk, pathOf(0, baseOffset), async () => {
    await log.advanceStartTo(log.segments[3]!.baseOffset)
  })
  const scrub = await oneRound(found)
  assert.deepEqual({ ...scrub.progress, bytes: 0 }, { rounds: 1, bytes: 0, damagedLogs: 0 })
  assert.equal(log.fault, null)
  assert.equal(log.logStartOffset, log.segments[0]!.baseOffset)
})

test('a log that is cut and written anew while it is read is nobody’s damage', async () => {
  const found = await world(1, { ...config, segmentBytes: 1 << 20 })
  const log = found.logs[0]!
  let cut: Promise<void> | null = null
  onRead(found.disk, pathOf(0, 0), async () => {
    cut = log.truncateTo(13)
    await cut
    for (let i = 0; i < 60; i++) await appended(log, batchOf([`other ${i}`.repeat(1 + (i % 7))]), 1)
  })
  await oneRound(found)
  assert.ok(cut !== null)
  assert.equal(log.fault, null)
  assert.equal(log.logEndOffset, 73)
})

test('a log that closes, or is deleted, while it is read is nobody’s damage', async () => {
  const closing = await world(2)
  onRead(closing.disk, pathOf(0, closing.logs[0]!.segments[1]!.baseOffset), () =>
    closing.directory.closeLog({ topicName: 'topic0', partition: 0 }),
  )
  assert.equal((await oneRound(closing)).progress.damagedLogs, 0)
  const deleting = await world(2)
  onRead(deleting.disk, pathOf(0, deleting.logs[0]!.segments[1]!.baseOffset), async () => {
    await deleting.directory.deleteLog({ topicName: 'topic0', partition: 0 })
  })
  assert.equal((await oneRound(deleting)).progress.damagedLogs, 0)
  assert.equal(deleting.logs[1]!.fault, null)
})

test('damage in records that are deleted does not take the log offline', async () => {
  const found = await world(1, { ...config, segmentBytes: 1 << 20 })
  const log = found.logs[0]!
  await log.advanceStartTo(20)
  found.disk.flipBit(pathOf(0, 0), 90)
  const scrub = await oneRound(found)
  assert.equal(scrub.progress.damagedLogs, 0)
  assert.equal(log.fault, null)
})

test('what is not durable yet is not judged', async () => {
  const found = await world(1, { ...config, segmentBytes: 1 << 20, flushPolicy: 'fsync' })
  const log = found.logs[0]!
  const { sizeBytes } = log
  let release = () => {}
  const syncing = new Promise<void>((resolve) => {
    release = resolve
  })
  found.disk.onOperation = ({ kind }) => (kind === 'sync' ? syncing : undefined)
  log.append(batchOf(['not yet'], { timestamp: 1050 }), 0, 'client')
  await found.clock.settle()
  assert.ok(log.writtenOffset > log.durableOffset && log.segmentCount === 1)
  // Once in a record, once in the length.
  for (const at of [70, 9]) {
    found.disk.flipBit(pathOf(0, 0), sizeBytes + at)
    const scrub = await oneRound(found)
    assert.equal(scrub.progress.damagedLogs, 0)
    assert.equal(log.fault, null)
  }
  release()
})

test('a disk that cannot read a segment takes its log offline, a process without file descriptors does not', async () => {
  const found = await world(2)
  const path = pathOf(0, found.logs[0]!.segments[1]!.baseOffset)
  const short = found.disk.failWhen({ kind: 'read', path, code: 'EMFILE' })
  assert.equal((await oneRound(found)).progress.damagedLogs, 0)
  assert.equal(found.logs[0]!.fault, null)
  short.cancel()
  found.disk.failWhen({ kind: 'read', path })
  assert.equal((await oneRound(found)).progress.damagedLogs, 1)
  assert.match(String(found.logs[0]!.fault), /EIO/)
  assert.equal(found.logs[1]!.fault, null)
})

test('stop ends a round in the middle and touches no log afterwards', async () => {
  const found = await world(3)
  const scrub = scrubOf(found, { bytesPerSecond: 100_000 })
  scrub.start()
  await found.clock.advanceUntil(() => scrub.progress.bytes > 0)
  await scrub.stop()
  const { bytes, rounds } = scrub.progress
  assert.ok(rounds === 0 && bytes < sizeOf(found.logs))
  found.disk.onOperation = ({ kind }) => assert.notEqual(kind, 'read')
  await found.clock.advance(1000)
  assert.equal(scrub.progress.bytes, bytes)
})

test('the first round waits, so that a start is not held up by it', async () => {
  const found = await world(1)
  const scrub = scrubOf(found, { initialDelayMs: 30_000 })
  scrub.start()
  await found.clock.advance(29_999)
  assert.equal(scrub.progress.bytes, 0)
  await found.clock.advanceUntil(() => scrub.progress.rounds > 0)
  await scrub.stop()
})
