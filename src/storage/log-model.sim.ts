// What a log must be, as a list of its batches: the model that random operations are held against (log-workload.sim.ts). Batches below the
// log's start stay in it: producers outlive their records.

import assert from 'node:assert/strict'
import type { SeededRandom } from '../io/random.sim.ts'
import { baseOffsetOf, leaderEpochOf, maxTimestampOf, nextOffsetOf, producerIdOf } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import { asBuffer, readAll } from './partition-log.contract.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { producerBatchOf } from './producer-batch.ts'
import { ProducerState } from './producer-state.ts'
import type { SegmentedLog } from './segmented-log.ts'
import type { AbortedTransaction } from './txn-index.ts'

export class LogModel {
  readonly topicName: string
  topicId: string
  config: LogConfig
  batches: Uint8Array[] = []
  start: Offset = 0
  /** Told to be durable: what acks=all has confirmed. */
  confirmed: Offset = 0
  /** Known to survive a power failure, too; less than confirmed without fsync. */
  synced: Offset = 0
  epoch = 0
  /** Where the log was begun anew (`restartAt`). */
  base: Offset = 0
  /** Cuts and deletions that were asked for and of which no end was heard: they may have happened. */
  cutting: Offset | null = null
  restarting: Offset | null = null
  advancing: Offset | null = null
  retaining = false
  /** Since it was seen last, the machine has lost its power. */
  powerFailed = false
  /** The topic is deleted, perhaps: its log is as it was, or gone. */
  deleting = false

  constructor(topicName: string, topicId: string, config: LogConfig) {
    this.topicName = topicName
    this.topicId = topicId
    this.config = config
  }

  get end(): Offset {
    const last = this.batches.at(-1)
    return last === undefined ? this.base : nextOffsetOf(last)
  }

  /** The batches of which at least one record can be read. */
  get visible(): Uint8Array[] {
    return this.batches.filter((batch) => nextOffsetOf(batch) > this.start)
  }

  /** The topic of this name is a new one. */
  beginAnew(topicId: string): void {
    this.topicId = topicId
    this.batches = []
    this.start = 0
    this.confirmed = 0
    this.synced = 0
    this.epoch = 0
    this.base = 0
    this.forgetPending()
    this.powerFailed = false
    this.deleting = false
  }

  restartAt(offset: Offset): void {
    this.batches = []
    this.base = offset
    this.start = offset
    this.confirmed = offset
    this.synced = offset
  }

  forgetPending(): void {
    this.cutting = null
    this.restarting = null
    this.advancing = null
    this.retaining = false
  }

  cutAt(end: Offset): void {
    this.batches = this.batches.filter((batch) => nextOffsetOf(batch) <= end)
    // Where offsets are missing the log may end before its start was: the start goes back with it.
    this.start = Math.min(this.start, this.end)
    this.confirmed = Math.min(this.confirmed, this.end)
    this.synced = Math.min(this.synced, this.end)
  }

  producers(): { state: ProducerState; aborted: AbortedTransaction[] } {
    const state = new ProducerState()
    const aborted: AbortedTransaction[] = []
    for (const batch of this.batches) {
      const producerId = producerIdOf(batch)
      if (producerId < 0) continue
      const transaction = state.apply(producerBatchOf(batch, 0, producerId, baseOffsetOf(batch)))
      if (transaction !== null) aborted.push(transaction)
    }
    return { state, aborted }
  }

  /**
   * Retention, asked for at `now`, moved the log's start to `start`, or fails: whole batches, all confirmed, each too old, or in excess of
   * retention.bytes. `batches`: what the log had then.
   */
  retainedFrom(start: Offset, now: number, batches = this.batches): void {
    const { retentionMs, retentionBytes, deletes } = this.config
    if (start === this.start) return
    assert.ok(deletes && start > this.start && start <= this.confirmed, `retention moved ${this.start} to ${start}`)
    assert.ok(
      // Where offsets are missing a segment begins where the one before ends.
      start === this.end || batches.some((batch) => baseOffsetOf(batch) === start || nextOffsetOf(batch) === start),
      `retention cut a batch at ${start}`,
    )
    let remaining = 0
    for (const batch of batches.toReversed()) {
      const base = baseOffsetOf(batch)
      if (base < start && base >= this.start && remaining < retentionBytes) {
        const timestamp = maxTimestampOf(batch)
        assert.ok(
          now - timestamp > retentionMs,
          `retention took [${base}, of ${timestamp}, which is ${now - timestamp} ms old`,
        )
      }
      remaining += batch.length
    }
    this.start = start
  }

  /** Nobody heard of the end of a restart: the log begins anew, or is some beginning of what it was, and nothing of it was wanted. */
  #foundAfterRestart(log: SegmentedLog): void {
    const { logStartOffset, logEndOffset } = log
    const startMin = Math.min(this.start, this.restarting!)
    assert.ok(logStartOffset >= startMin, `${log.name} starts at ${logStartOffset}, it started at ${startMin}`)
    // Without a record the beginning of an old log is known by its producers.
    if (logStartOffset === logEndOffset && log.producers.size === 0) {
      assert.ok(logEndOffset === this.restarting || logEndOffset <= this.end)
      this.restartAt(logEndOffset)
    } else {
      assert.ok(logEndOffset <= this.end, `${log.name} ends at ${logEndOffset}, no more than ${this.end} was written`)
      this.cutAt(logEndOffset)
      assert.equal(this.end, logEndOffset, `${log.name} ends where a batch ends`)
      this.start = logStartOffset
    }
    this.confirmed = this.end
    this.synced = this.end
    this.powerFailed = false
    this.deleting = false
    this.forgetPending()
  }

  /** The log as it was found after the last run is a possible outcome; the model becomes it. */
  foundAgain(log: SegmentedLog, now: number): void {
    if (this.restarting !== null) return this.#foundAfterRestart(log)
    const kept = this.powerFailed ? this.synced : this.confirmed
    const least = Math.min(kept, this.cutting ?? Infinity)
    assert.ok(log.logEndOffset >= least, `${log.name} ends at ${log.logEndOffset}, ${least} was confirmed`)
    assert.ok(
      log.logEndOffset <= this.end,
      `${log.name} ends at ${log.logEndOffset}, no more than ${this.end} was written`,
    )
    const { batches } = this
    this.cutAt(log.logEndOffset)
    // Where nothing is left the start may be all that is.
    if (this.batches.length > 0) assert.equal(this.end, log.logEndOffset, `${log.name} ends where a batch ends`)
    const found = log.logStartOffset
    // A deletion that failed half way: its checkpoints may be gone, and with them where the log started.
    if (this.deleting) this.start = Math.min(this.start, found)
    this.deleting = false
    if (this.advancing !== null) {
      assert.ok(
        found >= this.start && (found <= this.advancing || this.retaining),
        `${log.name} starts at ${found}, not in [${this.start}, ${this.advancing}]`,
      )
      this.start = found
    } else if (this.retaining) this.retainedFrom(found, now, batches)
    assert.equal(found, this.start, `${log.name} starts elsewhere`)
    this.confirmed = this.end
    this.synced = this.end
    this.powerFailed = false
    this.forgetPending()
  }
}

const rangeOf = (batch: Uint8Array) => `[${baseOffsetOf(batch)}, ${nextOffsetOf(batch)})`

/** As a snapshot keeps it: the last batch only, without a timestamp of its own. */
function rememberedBy(state: ProducerState): unknown[] {
  return [...state.entries()]
    .map(({ batches, ...entry }) => ({ ...entry, last: { ...batches.at(-1), timestamp: 0 } }))
    .sort((one, other) => one.producerId - other.producerId)
}

/** Everything the log can be asked is as the model says. All that was appended is written. */
export async function checkLog(log: SegmentedLog, model: LogModel, random: SeededRandom): Promise<void> {
  assert.equal(log.logStartOffset, model.start)
  assert.equal(log.logEndOffset, model.end)
  const { visible } = model
  const found = await readAll(log, log.logStartOffset, 1 + random.below(700))
  assert.deepEqual(found.map(rangeOf), visible.map(rangeOf))
  for (const [i, batch] of visible.entries())
    assert.ok(asBuffer(found[i]!).equals(batch), `${rangeOf(batch)} is as sent`)
  const { state, aborted } = model.producers()
  assert.deepEqual(rememberedBy(log.producers), rememberedBy(state))
  assert.deepEqual(
    await log.abortedTransactions(model.start, Infinity),
    aborted.filter((transaction) => transaction.lastOffset >= model.start),
  )
  for (const batch of visible) {
    assert.equal(log.epochAt(Math.max(baseOffsetOf(batch), model.start)), leaderEpochOf(batch))
  }
  await checkTimes(log, model, random)
  checkSegments(log, model)
}

async function checkTimes(log: SegmentedLog, { visible, start }: LogModel, random: SeededRandom): Promise<void> {
  const records = visible.flatMap((batch) => [...recordsOf(batch)]).filter((record) => record.offset >= start)
  for (let i = 0; i < 2 && visible.length > 0; i++) {
    const timestamp = maxTimestampOf(random.pick(visible)) + random.below(3) - 1
    const expected = records.find((record) => record.timestamp >= timestamp)
    assert.equal((await log.findByTimestamp(timestamp, Infinity))?.offset, expected?.offset, `time ${timestamp}`)
  }
  const greatest = Math.max(...records.map((record) => record.timestamp))
  const expected = records.find((record) => record.timestamp === greatest)
  assert.equal((await log.findMaxTimestamp(Infinity))?.offset, expected?.offset)
}

function checkSegments(log: SegmentedLog, model: LogModel): void {
  const [first] = log.segments
  const held = model.batches.filter((batch) => baseOffsetOf(batch) >= first!.baseOffset)
  assert.ok(first!.baseOffset <= model.start)
  assert.equal(
    log.sizeBytes,
    held.reduce((sum, batch) => sum + batch.length, 0),
    'the size of the log is that of its batches',
  )
  for (const segment of log.segments) {
    if (segment.sizeBytes === 0) assert.equal(segment, log.segments.at(-1), 'only the active segment may be empty')
    assert.ok(segment.sizeBytes <= log.config.segmentBytes, 'no segment is larger than segment.bytes')
  }
}
