// A segment: one file of batches back to back, with its indexes. Only the last one of a log, the active one, is appended to; its indexes
// live in memory and are written when it is sealed. A sealed one's are read when needed (index-cache.ts).

import type { FileHandles, PooledFile } from './file-handles.ts'
import { OffsetIndex } from './offset-index.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { fileNameOf, logSuffix, offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix } from './segment-names.ts'
import { TimeIndex } from './time-index.ts'
import type { AbortedTransaction } from './txn-index.ts'

export interface SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
}

/** Offsets in the indexes are int32, relative to the base offset. */
export const relativeOffsetMax = 2147483647

export class Segment {
  readonly baseOffset: Offset
  readonly folder: string
  readonly file: PooledFile
  /** When the file was made, or at the latest last written before it was loaded, wall time; stands in for a first timestamp when the records have none. */
  readonly createdAtMs: number
  /** Taken off segment.ms, so that partitions made together do not roll together. */
  readonly rollJitterMs: number
  /** When the file was last appended to, wall time; stands in for a greatest timestamp when the records have none. */
  modifiedAtMs: number
  /** Appended, perhaps not yet written. */
  sizeBytes = 0
  /** Where the next write goes. */
  writtenBytes = 0
  /** The folder's entry for the file survives a crash. */
  entryDurable = false
  /** In memory now; always while active. */
  indexes: SegmentIndexes | null = null
  /** Aborted transactions that ended here; null: not in memory. */
  aborted: AbortedTransaction[] | null = null
  /** Greatest timestamp and the last offset of the batch that has it; -1 when no record has one, null when not in memory. */
  maxTimestamp: number | null = null
  offsetOfMaxTimestamp: Offset
  /** Greatest timestamp of the first batch: what segment.ms counts from. */
  firstTimestamp: number | null = null
  /** Its files are gone, or about to. */
  removed = false
  #bytesSinceIndexEntry = 0

  constructor(options: {
    baseOffset: Offset
    folder: string
    handles: FileHandles
    createdAtMs: number
    rollJitterMs: number
  }) {
    this.baseOffset = options.baseOffset
    this.offsetOfMaxTimestamp = options.baseOffset
    this.folder = options.folder
    this.createdAtMs = options.createdAtMs
    this.modifiedAtMs = options.createdAtMs
    this.rollJitterMs = options.rollJitterMs
    this.file = options.handles.file(this.path(logSuffix))
  }

  path(suffix: string): string {
    return `${this.folder}/${fileNameOf(this.baseOffset, suffix)}`
  }

  get offsetIndexPath(): string {
    return this.path(offsetIndexSuffix)
  }

  get timeIndexPath(): string {
    return this.path(timeIndexSuffix)
  }

  get txnIndexPath(): string {
    return this.path(txnIndexSuffix)
  }

  /** Forgets all that is known of the content: the indexes are about to be built from the file. */
  startIndexes(): SegmentIndexes {
    this.indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) }
    this.aborted = []
    this.maxTimestamp = -1
    this.offsetOfMaxTimestamp = this.baseOffset
    this.firstTimestamp = null
    this.#bytesSinceIndexEntry = 0
    return this.indexes
  }

  /** The indexes reach to `position`; batches from there on are to be `indexed`. */
  resumeIndexes(indexes: SegmentIndexes): void {
    const { timestamp, offset } = indexes.times.last
    this.indexes = indexes
    this.maxTimestamp = timestamp
    this.offsetOfMaxTimestamp = offset
    this.#bytesSinceIndexEntry = 0
  }

  /** Kafka's rule: an entry for the first batch after more than `intervalBytes` since the last entry. */
  indexBatch(
    position: number,
    sizeBytes: number,
    lastOffset: Offset,
    maxTimestamp: number,
    intervalBytes: number,
  ): void {
    const { offsets, times } = this.indexes!
    if (position === 0) this.firstTimestamp = maxTimestamp
    if (maxTimestamp > this.maxTimestamp!) {
      this.maxTimestamp = maxTimestamp
      this.offsetOfMaxTimestamp = lastOffset
    }
    if (this.#bytesSinceIndexEntry > intervalBytes) {
      offsets.append(lastOffset, position)
      times.append(this.maxTimestamp!, this.offsetOfMaxTimestamp)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += sizeBytes
  }

  /**
   * Kafka's LogSegment.shouldRoll, for a batch that is about to be appended, with a bound of our own on the size besides segment.bytes
   * (that of the disk budget). An empty segment takes any batch it can index.
   */
  mustRollFor(
    sizeBytes: number,
    lastOffset: Offset,
    maxTimestamp: number,
    config: LogConfig,
    now: number,
    segmentBytesMax: number,
  ): boolean {
    if (lastOffset - this.baseOffset > relativeOffsetMax) return true
    if (this.sizeBytes === 0) return false
    const { offsets, times } = this.indexes!
    return (
      this.sizeBytes + sizeBytes > Math.min(config.segmentBytes, segmentBytesMax) ||
      this.#ageMs(maxTimestamp, now) > config.segmentMs - this.rollJitterMs ||
      offsets.isFull(config.segmentIndexBytes) ||
      times.isFull(config.segmentIndexBytes)
    )
  }

  /** The last entry of the time index says what the segment's greatest timestamp is. */
  finishTimeIndex(): void {
    if (this.maxTimestamp! >= 0) this.indexes!.times.append(this.maxTimestamp!, this.offsetOfMaxTimestamp)
  }

  #ageMs(batchTimestamp: number, now: number): number {
    const first = this.firstTimestamp
    return first !== null && first >= 0 ? batchTimestamp - first : now - this.createdAtMs
  }
}
