// A cleaning, from the first key to the last segment: pass one maps the dirty part's keys to their last offsets, as far as they fit; pass
// two writes the segments up to there anew, without what is superseded (Kafka's Cleaner). It only reads the log and writes `.cleaned`
// files: the log itself swaps them in.

import type { Clock, Millis } from '../../io/clock.ts'
import type { Disk } from '../../io/disk.ts'
import { baseOffsetOf, isControl, lastOffsetOf, recordsCountOf } from '../../records/batch.ts'
import { unpackedRecordsOf } from '../../records/record.ts'
import { RecordCursor } from '../../records/record-cursor.ts'
import type { Offset } from '../partition-log.ts'
import { fileNameOf, logSuffix, offsetIndexSuffix, timeIndexSuffix } from '../segment-names.ts'
import { BatchCleaner } from './batch-cleaner.ts'
import { CleanedFile } from './cleaned-file.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import type { CleanedSegment, CleaningJob, CleaningResult } from './cleaning-job.ts'
import { KeyMap, slotsFor } from './key-map.ts'
import { Pace } from './pace.ts'
import { type GroupedSegment, groupSegments } from './segment-groups.ts'
import { walkSegment, type WalkedSegment } from './segment-walk.ts'

export interface CleanLogOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** Longest stretch between two turns of the event loop, save for one batch. */
  readonly sliceMs: Millis
  readonly signal: AbortSignal
  readonly swap: (cleaned: CleanedSegment) => Promise<void>
}

/** As `CleaningEngine.clean`. */
export async function cleanLog(job: CleaningJob, options: CleanLogOptions): Promise<CleaningResult> {
  return new Cleaning(job, options).run()
}

type JobSegment = WalkedSegment & GroupedSegment

class Cleaning {
  readonly #job: CleaningJob
  readonly #options: CleanLogOptions
  readonly #pace: Pace
  #bytesRead = 0
  #bytesWritten = 0

  constructor(job: CleaningJob, options: CleanLogOptions) {
    this.#job = job
    this.#options = options
    const { bytesPerSecond } = job.limits
    this.#pace = new Pace(options.clock, { bytesPerSecond, sliceMs: options.sliceMs, signal: options.signal })
  }

  async run(): Promise<CleaningResult> {
    const job = this.#job
    const segments = await this.#segments()
    const { keyMapBytes, loadFactor } = job.limits
    const slots = slotsFor(job.firstUncleanableOffset - job.firstDirtyOffset, keyMapBytes, loadFactor)
    const keys = new KeyMap({ slots, loadFactor, hashKey: job.hashKey })
    const endOffset = await this.#mapKeys(segments, keys)
    const transactions = new CleanedTransactions(job.aborted)
    const cleaner = new BatchCleaner(job, keys, endOffset, transactions)
    const cleanable = segments.filter((segment) => segment.baseOffset < endOffset)
    const groups = groupSegments(cleanable, {
      segmentBytes: job.segmentBytes,
      segmentIndexBytes: job.segmentIndexBytes,
      endOffset: job.firstUncleanableOffset,
    })
    for (const group of groups) await this.#cleanGroup(group, cleaner, transactions)
    const { recordsRead, recordsKept, recordsWithoutKey } = cleaner
    return {
      endOffset,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      recordsRead,
      recordsKept,
      recordsWithoutKey,
      keyMapUsed: keys.size / slots,
    }
  }

  async #segments(): Promise<JobSegment[]> {
    const { folder, segments, firstUncleanableOffset } = this.#job
    const sizes = new Map<string, number>()
    for (const { name, sizeBytes } of await this.#options.disk.list(folder)) sizes.set(name, sizeBytes)
    return segments.map(({ baseOffset, sizeBytes }, i) => ({
      path: `${folder}/${fileNameOf(baseOffset, logSuffix)}`,
      baseOffset,
      sizeBytes,
      endOffset: segments[i + 1]?.baseOffset ?? firstUncleanableOffset,
      offsetIndexBytes: sizes.get(fileNameOf(baseOffset, offsetIndexSuffix)) ?? 0,
      timeIndexBytes: sizes.get(fileNameOf(baseOffset, timeIndexSuffix)) ?? 0,
    }))
  }

  /** Fills the map from the dirty part; answers where it ended: the end of what may be cleaned, or where the map was full. */
  async #mapKeys(segments: readonly JobSegment[], keys: KeyMap): Promise<Offset> {
    const { firstDirtyOffset, aborted } = this.#job
    const transactions = new CleanedTransactions(aborted)
    let endOffset = firstDirtyOffset
    for (const segment of segments) {
      if (segment.endOffset <= firstDirtyOffset) continue
      let full = false
      await this.#walk(segment, (batch) => {
        if (isControl(batch)) {
          transactions.isMarkerOfNothing(batch)
        } else if (!transactions.isAborted(batch)) {
          const mappedTo = this.#mapBatch(batch, keys)
          if (mappedTo !== null) {
            full = true
            endOffset = Math.max(endOffset, mappedTo)
            return false
          }
        }
        endOffset = Math.max(endOffset, lastOffsetOf(batch) + 1)
        return true
      })
      if (full) return endOffset
      // Where batches are gone already the offsets go on.
      endOffset = Math.max(endOffset, segment.endOffset)
    }
    return endOffset
  }

  /** Maps the keys of a batch; null when all had room, or the offset from where on they had none. */
  #mapBatch(batch: Uint8Array, keys: KeyMap): Offset | null {
    const count = recordsCountOf(batch)
    if (count === 0) return null
    const { firstDirtyOffset } = this.#job
    const baseOffset = baseOffsetOf(batch)
    const cursor = new RecordCursor(unpackedRecordsOf(batch))
    let mappedTo = baseOffset
    for (let i = 0; i < count; i++) {
      cursor.next()
      const offset = baseOffset + cursor.offsetDelta
      if (cursor.keyLength < 0 || offset < firstDirtyOffset) continue
      if (keys.isFull) return mappedTo
      keys.put(cursor.bytes, cursor.keyAt, cursor.keyAt + cursor.keyLength, offset)
      mappedTo = offset + 1
    }
    return null
  }

  async #cleanGroup(group: readonly JobSegment[], cleaner: BatchCleaner, transactions: CleanedTransactions) {
    const { folder, indexIntervalBytes, limits } = this.#job
    const cleaned = await CleanedFile.create(this.#options.disk, {
      folder,
      baseOffset: group[0]!.baseOffset,
      indexIntervalBytes,
      bufferBytes: limits.bufferBytes,
      pace: this.#pace,
    })
    try {
      transactions.onAborted = (transaction) => cleaned.addAborted(transaction)
      for (const segment of group) {
        await this.#walk(segment, (batch) => {
          const left = cleaner.clean(batch)
          return left === null ? undefined : cleaned.add(left)
        })
      }
      await cleaned.finish()
    } finally {
      await cleaned.close()
    }
    await this.#pace.next()
    this.#bytesWritten += cleaned.sizeBytes
    await this.#options.swap({ replaced: group.map(({ baseOffset }) => baseOffset), sizeBytes: cleaned.sizeBytes })
  }

  async #walk(segment: JobSegment, visit: (batch: Uint8Array) => boolean | void | Promise<void>): Promise<void> {
    const { bufferBytes } = this.#job.limits
    const options = { bufferBytes, pace: this.#pace }
    this.#bytesRead += await walkSegment(this.#options.disk, segment, options, visit)
  }
}
