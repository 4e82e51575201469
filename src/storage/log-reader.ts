// Everything that reads a log's files while others append to it, delete from it or cut it. A read that overlaps a change of the files is
// done again; damage that shows when nothing changed takes the log offline.

import { DiskError } from '../io/disk.ts'
import { batchHeaderBytes, maxTimestampOf } from '../records/batch.ts'
import { CorruptLogError } from './log-errors.ts'
import type { LogRead, Offset, TimestampAndOffset } from './partition-log.ts'
import { abortedIn } from './producer-recovery.ts'
import { readGreatestTimestamp } from './segment-age.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import { releaseRead, type ExpectedRead } from './expected-reads.ts'
import { readSegment, type SegmentReadOptions } from './segment-read.ts'
import type { StorageContext } from './storage-context.ts'
import type { LogTail } from './tail-cache.ts'
import { findByTimestamp, findMaxTimestamp, type TimeLookup } from './time-lookup.ts'
import type { AbortedTransaction } from './txn-index.ts'

/** The log as its reader sees it, at one moment. */
export interface ReadableLog {
  readonly folder: string
  /** By base offset; the last is active. */
  readonly segments: readonly Segment[]
  readonly snapshots: Iterable<Offset>
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  readonly writtenOffset: Offset
  /** Its newest batches, in memory. */
  readonly tail: LogTail
  readonly indexIntervalBytes: number
  readonly isOffline: boolean
  /** Changes when the files begin to be cut, deleted or replaced, and again when that is done: odd meanwhile. */
  readonly shape: number
}

export interface ReaderHost {
  view(): ReadableLog
  /** Resolves when no change of the files is under way. */
  settled(): Promise<unknown>
  /** Takes the log offline. */
  fail(error: unknown): void
}

type ReadLimits = Pick<SegmentReadOptions, 'from' | 'maxBytes' | 'upTo' | 'atLeastOne' | 'onThread'>

export const nothingRead: LogRead = { ok: true, chunks: [], sizeBytes: 0 }
export const outOfRange: LogRead = { ok: false, refusal: 'offsetOutOfRange' }
export const offlineRead: LogRead = { ok: false, refusal: 'offline' }

export class LogReader {
  readonly #context: StorageContext
  readonly #host: ReaderHost
  /** By the offset from which they were read. */
  readonly #expected = new Map<Offset, ExpectedRead>()

  constructor(context: StorageContext, host: ReaderHost) {
    this.#context = context
    this.#host = host
  }

  /** As `PartitionLog.read`, below `upTo`, which is written. */
  async read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    try {
      return await this.#undisturbed(async (log) => {
        if (from < log.logStartOffset) return outOfRange
        const expected = this.#expected.get(from)
        if (expected !== undefined) {
          const found = await this.#takeExpected(expected, maxBytes, upTo, atLeastOne)
          if (found !== null) return found
        }
        return this.#readFrom(log, { from, maxBytes, upTo, atLeastOne, onThread: false })
      })
    } catch (error) {
      if (this.#host.view().isOffline) return offlineRead
      throw error
    }
  }

  /**
   * A read from `from` is expected soon, with these limits: it is begun at once, by a thread, and `read` then finds it. At most that, however
   * wrong it is: what fails is for `read` to find.
   */
  expect(from: Offset, maxBytes: number, upTo: Offset): void {
    const log = this.#host.view()
    if (this.#expected.has(from) || log.isOffline || log.shape % 2 !== 0 || from < log.logStartOffset) return
    const segments = [...log.segments]
    const read = async (): Promise<LogRead | null> => {
      try {
        return await this.#readFrom({ ...log, segments }, { from, maxBytes, upTo, atLeastOne: true, onThread: true })
      } catch {
        return null
      }
    }
    const place = { from, maxBytes, upTo, shape: log.shape }
    const expected = this.#context.expectedReads.begin(place, read, () => this.#expected.delete(from))
    if (expected !== null) this.#expected.set(from, expected)
  }

  /** Null when it is not what may be read within these limits now. */
  async #takeExpected(
    expected: ExpectedRead,
    maxBytes: number,
    upTo: Offset,
    atLeastOne: boolean,
  ): Promise<LogRead | null> {
    const { place } = expected
    this.#expected.delete(place.from)
    const found = await this.#context.expectedReads.take(expected)
    if (
      found !== null &&
      found.ok &&
      found.sizeBytes > 0 &&
      place.upTo <= upTo &&
      this.#host.view().shape === place.shape
    ) {
      // Read to a limit that is no greater now, what is more than it is a first batch that comes however large it is.
      if (found.sizeBytes <= maxBytes || (atLeastOne && place.maxBytes <= maxBytes)) return found
    }
    releaseRead(found)
    return null
  }

  async #readFrom(log: ReadableLog, limits: ReadLimits): Promise<LogRead> {
    const { segments, indexIntervalBytes } = log
    const memory = this.#context.readMemory
    for (let i = indexOfSegment(segments, limits.from); i < segments.length; i++) {
      const segment = segments[i]!
      if (segment.baseOffset >= limits.upTo) break
      if (segment.writtenBytes === 0) continue
      const indexes = await this.#indexesOf(segment, log)
      const endOffset = () => segments[i + 1]?.baseOffset ?? this.#host.view().writtenOffset
      const bytes = await readSegment(segment, indexes, { ...limits, memory, endOffset, indexIntervalBytes })
      if (bytes === null) continue
      return bytes.length === 0 ? nothingRead : { ok: true, chunks: [bytes], sizeBytes: bytes.length }
    }
    return nothingRead
  }

  findByTimestamp(timestamp: number, upTo: Offset): Promise<TimestampAndOffset | null> {
    return this.#undisturbed((log) => findByTimestamp(this.#timeLookup(log, upTo), timestamp))
  }

  findMaxTimestamp(upTo: Offset): Promise<TimestampAndOffset | null> {
    return this.#undisturbed((log) => findMaxTimestamp(this.#timeLookup(log, upTo)))
  }

  /** By their markers' offsets; stops where nothing later can overlap [from, upTo). */
  abortedTransactions(from: Offset, upTo: Offset): Promise<AbortedTransaction[]> {
    return this.#undisturbed(async (log) => {
      const found: AbortedTransaction[] = []
      for (let i = indexOfSegment(log.segments, from); i < log.segments.length; i++) {
        for (const transaction of await this.#abortedIn(log.segments[i]!, log)) {
          if (transaction.lastOffset >= from && transaction.firstOffset < upTo) found.push(transaction)
          if (transaction.lastStableOffset >= upTo) return found
        }
      }
      return found
    })
  }

  /** Aborted transactions that ended in the segment; kept with it from now on. For whoever keeps the files from changing. */
  abortedIn(segment: Segment): Promise<AbortedTransaction[]> {
    return this.#abortedIn(segment, this.#host.view())
  }

  async #abortedIn(segment: Segment, log: ReadableLog): Promise<AbortedTransaction[]> {
    const { folder, segments, snapshots, indexIntervalBytes } = log
    const endOffset = segments[segments.indexOf(segment) + 1]?.baseOffset ?? log.logEndOffset
    const place = { folder, segments, snapshots, segment, endOffset, indexIntervalBytes }
    segment.aborted ??= await abortedIn(this.#context, place)
    return segment.aborted
  }

  async largestTimestampOf(segment: Segment): Promise<number> {
    if (segment.maxTimestamp === null) {
      await this.#undisturbed(async (log) => {
        if (segment.maxTimestamp !== null || segment.removed) return
        const end = log.segments[log.segments.indexOf(segment) + 1]?.baseOffset ?? Infinity
        if (!(await readGreatestTimestamp(this.#context.disk, segment, end))) await this.#indexesOf(segment, log)
      })
    }
    const { maxTimestamp, modifiedAtMs } = segment
    return maxTimestamp !== null && maxTimestamp >= 0 ? maxTimestamp : modifiedAtMs
  }

  /** Greatest timestamp of the segment's first batch; -1 when it has none. */
  firstTimestampOf(segment: Segment): Promise<number> {
    return this.#undisturbed(async () => {
      if (segment.firstTimestamp === null && segment.writtenBytes > 0 && !segment.removed) {
        const header = Buffer.alloc(batchHeaderBytes)
        await segment.file.read(header, 0)
        segment.firstTimestamp = maxTimestampOf(header)
      }
      return segment.firstTimestamp ?? -1
    })
  }

  #timeLookup(log: ReadableLog, upTo: Offset): TimeLookup {
    return {
      segments: log.segments,
      startOffset: log.logStartOffset,
      endOffset: Math.min(upTo, log.writtenOffset),
      indexesOf: (segment) => this.#indexesOf(segment, log),
      cached: (from) => log.tail.read(from, Infinity, Math.min(upTo, log.writtenOffset), false),
    }
  }

  #indexesOf(segment: Segment, { segments, indexIntervalBytes }: ReadableLog): Promise<SegmentIndexes> {
    if (segment.indexes !== null && segment === segments.at(-1)) return Promise.resolve(segment.indexes)
    const end = segments[segments.indexOf(segment) + 1]?.baseOffset ?? Infinity
    return this.#context.indexCache.indexesOf(segment, end, indexIntervalBytes)
  }

  /** Runs `work` until no change of the files got in its way. Rejects when the log is offline, or goes offline by what was found. */
  async #undisturbed<T>(work: (log: ReadableLog) => Promise<T>): Promise<T> {
    for (;;) {
      const log = this.#host.view()
      if (log.shape % 2 !== 0) {
        await this.#host.settled()
        continue
      }
      try {
        const result = await work({ ...log, segments: [...log.segments] })
        if (this.#host.view().shape === log.shape) return result
      } catch (error) {
        const { isOffline, shape } = this.#host.view()
        if (isOffline) throw error
        if (shape === log.shape) {
          if (error instanceof DiskError || error instanceof CorruptLogError) this.#host.fail(error)
          throw error
        }
      }
      await this.#host.settled()
    }
  }
}

/** The last segment that begins at or before `offset`, or the first. */
export function indexOfSegment(segments: readonly Segment[], offset: Offset): number {
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (segments[middle]!.baseOffset <= offset) low = middle
    else high = middle - 1
  }
  return low
}
