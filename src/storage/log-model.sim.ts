// What a log must be, as a list of its batches: the model that random operations are held against (log-workload.sim.ts). Batches below the
// log's start stay in it: producers outlive their records.

import assert from 'node:assert/strict'
import { baseOffsetOf, maxTimestampOf, nextOffsetOf, producerIdOf } from '../records/batch.ts'
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
  /** There was no room on the disk: where the log starts may not be written down, and what it was too large by may be dropped. */
  startUnsure = false
  /** A bit of this batch has rotted. Where it is the last one, or nothing is synced, a recovery cannot tell it from one that was torn. */
  rotten: Uint8Array | null = null
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

  /** The batch that holds the record at `offset`. */
  batchAt(offset: Offset): Uint8Array | undefined {
    let low = 0
    let high = this.batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (nextOffsetOf(this.batches[middle]!) <= offset) low = middle + 1
      else high = middle
    }
    return this.batches[low]
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

  #mayBeCutAt(): Offset {
    const { rotten, config } = this
    if (rotten === null || (config.flushPolicy === 'fsync' && rotten !== this.batches.at(-1))) return Infinity
    return this.#endBefore(baseOffsetOf(rotten))
  }

  /** Where the last batch ends that lies below `offset`; offsets may be missing in between. */
  #endBefore(offset: Offset): Offset {
    const last = this.batches.findLast((batch) => nextOffsetOf(batch) <= offset)
    return last === undefined ? this.base : nextOffsetOf(last)
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
    const { retentionMs, retentionBytes, deletes, compacts } = this.config
    if (start === this.start) return
    assert.ok(deletes && start > this.start && start <= this.confirmed, `retention moved ${this.start} to ${start}`)
    assert.ok(
      // Where offsets are missing a segment begins where the one before ends.
      start === this.end || batches.some((batch) => baseOffsetOf(batch) === start || nextOffsetOf(batch) === start),
      `retention cut a batch at ${start}`,
    )
    let remaining = 0
    // What compaction has left out counts neither by its size nor by its age.
    for (const batch of compacts || this.startUnsure ? [] : batches.toReversed()) {
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
    const cutTo = this.cutting === null ? Infinity : this.#endBefore(this.cutting)
    const least = Math.min(kept, cutTo, this.#mayBeCutAt())
    assert.ok(log.logEndOffset >= least, `${log.name} ends at ${log.logEndOffset}, ${least} was confirmed`)
    assert.ok(
      log.logEndOffset <= this.end,
      `${log.name} ends at ${log.logEndOffset}, no more than ${this.end} was written`,
    )
    const { batches } = this
    this.cutAt(log.logEndOffset)
    // Where nothing is left the start may be all that is.
    if (this.batches.length > 0 && log.logEndOffset > log.logStartOffset)
      assert.equal(this.end, log.logEndOffset, `${log.name} ends where a batch ends`)
    const found = log.logStartOffset
    // A deletion that failed half way: its checkpoints may be gone, and with them where the log started.
    if (this.deleting || this.startUnsure) this.start = Math.min(this.start, found)
    // A start where offsets are missing goes back with the end, and the cut that this was for may not have come.
    if (this.cutting !== null && found === this.#endBefore(this.cutting)) this.start = Math.min(this.start, found)
    this.deleting = false
    this.startUnsure = false
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
