// What one cleaning of one log is told, and what it tells: plain data, for it may cross to another thread.

import type { Offset } from '../partition-log.ts'
import type { AbortedTransaction } from '../txn-index.ts'

export interface CleaningJob {
  /** For log lines: `orders-0`. */
  readonly name: string
  readonly folder: string
  /** The log's segments below `firstUncleanableOffset`, oldest first: sealed, and on disk as they are. */
  readonly segments: readonly { readonly baseOffset: Offset; readonly sizeBytes: number }[]
  /** Below it an earlier cleaning has been. */
  readonly firstDirtyOffset: Offset
  /** Where a segment begins; nothing from there on is looked at. */
  readonly firstUncleanableOffset: Offset
  /** When the cleaning began, wall time: delete horizons are held against it. */
  readonly nowMs: number
  readonly deleteRetentionMs: number
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** `packTransactions`: all that overlap the segments, by their first offset. */
  readonly aborted: Float64Array
  /** `PackedProducers`: every producer that the log still knows. */
  readonly producers: Float64Array
  /** Four words, of chance. */
  readonly hashKey: Int32Array
  readonly limits: CleaningLimits
}

export interface CleaningLimits {
  /** log.cleaner.dedupe.buffer.size */
  readonly keyMapBytes: number
  /** log.cleaner.io.buffer.load.factor */
  readonly loadFactor: number
  /** log.cleaner.io.buffer.size: of one read, and of one write. */
  readonly bufferBytes: number
  /** log.cleaner.io.max.bytes.per.second, over reads and writes; Infinity: no limit. */
  readonly bytesPerSecond: number
}

/** A segment that stands for several: its files end in `.cleaned`, synced, and wait to be swapped in. */
export interface CleanedSegment {
  /** Base offsets; the first is the cleaned segment's own. */
  readonly replaced: readonly Offset[]
  readonly sizeBytes: number
}

export interface CleaningResult {
  /** Below it the log is clean now: as far as the keys fitted into memory. */
  readonly endOffset: Offset
  readonly bytesRead: number
  readonly bytesWritten: number
  /** Of the second pass: all records, and those that are left. */
  readonly recordsRead: number
  readonly recordsKept: number
  /** Records without a key, which a compacted log has no use for. They are gone. */
  readonly recordsWithoutKey: number
  /** How full the key map was, 0 to 1. */
  readonly keyMapUsed: number
}

/** Where a cleaning runs: in a thread of its own, or in this one. */
export interface CleaningEngine {
  /**
   * Cleans one log; `swap` is called for each new segment, in order, and waited for. Rejects with `CleaningAborted` after `signal`, and with
   * whatever went wrong: then nothing but `.cleaned` files is left. One cleaning at a time.
   */
  clean(
    job: CleaningJob,
    swap: (cleaned: CleanedSegment) => Promise<void>,
    signal: AbortSignal,
  ): Promise<CleaningResult>
  /** Lets go of what it keeps between cleanings. None may be under way. */
  stop(): Promise<void>
}

/** The log has changed under the cleaning, is about to go, or the broker stops. Nothing is wrong with the log. */
export class CleaningAborted extends Error {
  override readonly name = 'CleaningAborted'
}

const transactionFields = 4

export function packTransactions(transactions: readonly AbortedTransaction[]): Float64Array {
  const sorted = transactions.toSorted((one, other) => one.firstOffset - other.firstOffset)
  const packed = new Float64Array(transactionFields * sorted.length)
  for (const [i, { producerId, firstOffset, lastOffset, lastStableOffset }] of sorted.entries()) {
    packed.set([producerId, firstOffset, lastOffset, lastStableOffset], transactionFields * i)
  }
  return packed
}

/** The transaction at `index`; undefined beyond the last. */
export function transactionAt(packed: Float64Array, index: number): AbortedTransaction | undefined {
  const at = transactionFields * index
  if (at >= packed.length) return undefined
  const [producerId, firstOffset, lastOffset, lastStableOffset] = packed.subarray(at, at + transactionFields)
  return {
    producerId: producerId!,
    firstOffset: firstOffset!,
    lastOffset: lastOffset!,
    lastStableOffset: lastStableOffset!,
  }
}

/** What has to stay of a producer: the batch with its last sequence, or, when that is none of its epoch, the marker that began it. */
export interface LastOfProducer {
  readonly producerId: number
  /** Offset of its last data record, or -1. */
  readonly lastDataOffset: Offset
  readonly epoch: number
}

const producerFields = 3

export class PackedProducers {
  #packed = new Float64Array(producerFields * 64)
  #size = 0

  add({ producerId, lastDataOffset, epoch }: LastOfProducer): void {
    const at = this.#size
    if (at === this.#packed.length) {
      const larger = new Float64Array(2 * at)
      larger.set(this.#packed)
      this.#packed = larger
    }
    this.#packed[at] = producerId
    this.#packed[at + 1] = lastDataOffset
    this.#packed[at + 2] = epoch
    this.#size = at + producerFields
  }

  get packed(): Float64Array {
    return this.#packed.slice(0, this.#size)
  }
}

export function unpackProducers(packed: Float64Array): Map<number, LastOfProducer> {
  const producers = new Map<number, LastOfProducer>()
  for (let at = 0; at < packed.length; at += producerFields) {
    const producerId = packed[at]!
    producers.set(producerId, { producerId, lastDataOffset: packed[at + 1]!, epoch: packed[at + 2]! })
  }
  return producers
}
