// Compaction at work: looks for the log whose part to clean is the greatest, has it cleaned, and looks again; when there is none, after
// log.cleaner.backoff.ms (Kafka's LogCleaner with one thread). What a cleaning wrote goes into the log a segment at a time, each swap on its
// own; how far a log is clean is written down after that, so that a crash costs work and nothing else.
//
// A cleaning that finds the log changed under it is dropped and begins anew another time. One that fails leaves its log alone for a while,
// longer with each failure; Kafka leaves it alone until the next start.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import { nextTurn } from '../../io/clock.ts'
import type { Disk } from '../../io/disk.ts'
import type { Random } from '../../io/random.ts'
import type { Logger } from '../../lib/logger.ts'
import { LogClosedError } from '../log-errors.ts'
import type { Offset } from '../partition-log.ts'
import type { Segment } from '../segment.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import { type CleanableRange, cleanableRange } from './cleanable-range.ts'
import {
  type CleanedSegment,
  CleaningAborted,
  type CleaningEngine,
  type CleaningJob,
  type CleaningLimits,
  type CleaningResult,
  PackedProducers,
  packTransactions,
} from './cleaning-job.ts'
import { removeCleaned } from './swap-files.ts'

export interface CleanedDirectory {
  logs(): Iterable<SegmentedLog>
  cleanedTo(name: string): Offset | undefined
  setCleanedTo(name: string, offset: Offset): Promise<void>
}

export interface LogCleanerOptions {
  readonly directory: CleanedDirectory
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly engine: CleaningEngine
  readonly limits: CleaningLimits
  /** log.cleaner.backoff.ms: between two looks when there was nothing to clean. */
  readonly backoffMs: Millis
}

const retryAfterMs: Millis = 60_000
const retryAfterMsMax: Millis = 3_600_000
/** Looking at logs gives way to others after this long. */
const turnMs: Millis = 2

interface Filthy {
  readonly log: SegmentedLog
  readonly range: CleanableRange
}

interface Failures {
  readonly count: number
  /** On the monotonic clock. */
  readonly retryAt: Millis
}

export class LogCleaner {
  readonly #options: LogCleanerOptions
  readonly #failures = new WeakMap<SegmentedLog, Failures>()
  #timer: Timer | null = null
  #running: Promise<void> = Promise.resolve()
  #current: { readonly name: string; readonly abort: AbortController; readonly done: Promise<unknown> } | null = null
  #stopped = false
  #turnBegan: Millis = 0

  constructor(options: LogCleanerOptions) {
    this.#options = options
  }

  start(): void {
    this.#arm()
  }

  /** Aborts the cleaning under way. Resolves when no log is touched any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#current?.abort.abort()
    await this.#running
    await this.#options.engine.stop()
  }

  /** Aborts the cleaning of this log, if it is under way; resolves once the log is not touched any more. It is about to be closed. */
  async release(name: string): Promise<void> {
    if (this.#current?.name !== name) return
    this.#current.abort.abort()
    await this.#current.done
  }

  /** Cleans the log that needs it most. False when none does, or when the cleaning came to nothing. Never rejects. */
  async cleanFilthiest(): Promise<boolean> {
    const found = await this.#filthiest()
    if (found === null || this.#stopped) return false
    const abort = new AbortController()
    const done = this.#clean(found, abort.signal)
    this.#current = { name: found.log.name, abort, done }
    try {
      return await done
    } finally {
      this.#current = null
    }
  }

  #arm(): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.setTimer(Math.max(1, this.#options.backoffMs), () => {
      this.#running = this.#cleanAll().then(() => this.#arm())
    })
  }

  async #cleanAll(): Promise<void> {
    while (!this.#stopped && (await this.cleanFilthiest())) await nextTurn(this.#options.clock)
  }

  async #filthiest(): Promise<Filthy | null> {
    const { directory, clock, logger } = this.#options
    let filthiest: Filthy | null = null
    this.#turnBegan = clock.monotonic()
    for (const log of directory.logs()) {
      if (this.#stopped) return null
      if (!log.config.compacts || log.fault !== null || this.#isLeftAlone(log)) continue
      try {
        const range = await this.#rangeOf(log)
        if (range.isDue && range.dirtyRatio > (filthiest?.range.dirtyRatio ?? 0)) filthiest = { log, range }
      } catch (error) {
        if (!isGone(log, error)) {
          logger.error({ log: log.name, err: error }, 'what to compact of a log cannot be told')
          this.#leaveAlone(log)
        }
      }
      await this.#giveWay()
    }
    return filthiest
  }

  async #rangeOf(log: SegmentedLog): Promise<CleanableRange> {
    const { directory, clock, logger } = this.#options
    const cleanedTo = directory.cleanedTo(log.name)
    const { highWatermark } = log
    const lastStableOffset = Math.min(highWatermark, log.firstUnstableOffsetAt(highWatermark) ?? highWatermark)
    const { logStartOffset, logEndOffset, config } = log
    const range = await cleanableRange(
      {
        logStartOffset,
        logEndOffset,
        lastStableOffset,
        segments: [...log.segments],
        config,
        largestTimestampOf: (segment) => log.largestTimestampOf(segment),
        firstTimestampOf: (segment) => log.firstTimestampOf(segment),
      },
      cleanedTo,
      clock.now(),
    )
    if (range.resetsCheckpoint) {
      // With a cleanup.policy of compact and delete the start passes the checkpoint as a matter of course.
      if (!config.deletes || cleanedTo! > logEndOffset) {
        const fields = { log: log.name, cleanedTo, logStartOffset, logEndOffset }
        logger.warn(fields, 'the log was compacted up to an offset it does not have: it counts as not compacted')
      }
      await directory.setCleanedTo(log.name, range.firstDirtyOffset)
    }
    return range
  }

  async #clean({ log, range }: Filthy, signal: AbortSignal): Promise<boolean> {
    const { clock, logger, directory, disk } = this.#options
    const { cuts } = log
    const segments = log.segments.filter((segment) => segment.baseOffset < range.firstUncleanableOffset)
    const began = clock.monotonic()
    /** Those that were not replaced yet. */
    let left = segments
    let swapped = 0
    const swap = async ({ replaced, sizeBytes }: CleanedSegment) => {
      if (signal.aborted) throw new CleaningAborted('the cleaning was aborted')
      const old = left.slice(0, replaced.length)
      if (!(await log.replaceSegments(old, sizeBytes, cuts))) throw new CleaningAborted('the log has changed')
      left = left.slice(replaced.length)
      swapped++
    }
    try {
      const job = await this.#jobFor(log, segments, range, signal)
      const result = await this.#options.engine.clean(job, swap, signal)
      if (log.cuts !== cuts) throw new CleaningAborted('the log was cut')
      await directory.setCleanedTo(log.name, result.endOffset)
      this.#failures.delete(log)
      logger.info(summaryOf(log, range, segments.length, swapped, result, clock.monotonic() - began), 'compacted a log')
      return true
    } catch (error) {
      const changed = signal.aborted || log.cuts !== cuts || left.some((segment) => segment.removed)
      if (changed || error instanceof CleaningAborted || isGone(log, error)) {
        logger.debug({ log: log.name, err: error }, 'a compaction was dropped')
      } else {
        this.#leaveAlone(log)
        logger.error({ log: log.name, err: error }, 'a log could not be compacted')
      }
      // After a fault the files may be of a swap that the next start has to finish.
      if (log.fault === null) await this.#tidy(disk, log)
      return false
    }
  }

  async #tidy(disk: Disk, log: SegmentedLog): Promise<void> {
    try {
      await removeCleaned(disk, log.folder)
    } catch (error) {
      this.#options.logger.warn({ log: log.name, err: error }, 'files of a compaction could not be removed')
    }
  }

  async #jobFor(
    log: SegmentedLog,
    segments: readonly Segment[],
    range: CleanableRange,
    signal: AbortSignal,
  ): Promise<CleaningJob> {
    const { clock, random, limits } = this.#options
    const { firstDirtyOffset, firstUncleanableOffset } = range
    const { deleteRetentionMs, segmentIndexBytes, indexIntervalBytes } = log.config
    const nowMs = clock.now()
    const aborted = await log.abortedTransactions(segments[0]!.baseOffset, firstUncleanableOffset)
    const producers = await this.#producersOf(log)
    // What a crash or a full disk takes back must not be what older batches are left out for.
    await log.sync()
    if (signal.aborted) throw new CleaningAborted('the cleaning was aborted')
    return {
      name: log.name,
      folder: log.folder,
      segments: segments.map(({ baseOffset, sizeBytes }) => ({ baseOffset, sizeBytes })),
      firstDirtyOffset,
      firstUncleanableOffset,
      nowMs,
      deleteRetentionMs,
      segmentBytes: log.segmentBytesMax,
      segmentIndexBytes,
      indexIntervalBytes,
      aborted: packTransactions(aborted),
      producers,
      hashKey: new Int32Array(new Uint8Array(random.bytes(16)).buffer),
      limits,
    }
  }

  /** What a producer appends meanwhile lies above all that is cleaned. */
  async #producersOf(log: SegmentedLog): Promise<Float64Array> {
    const packed = new PackedProducers()
    this.#turnBegan = this.#options.clock.monotonic()
    let seen = 0
    for (const { producerId, epoch, batches } of log.producers.entries()) {
      packed.add({ producerId, epoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 })
      if (++seen % 1000 === 0) await this.#giveWay()
    }
    return packed.packed
  }

  #isLeftAlone(log: SegmentedLog): boolean {
    return (this.#failures.get(log)?.retryAt ?? 0) > this.#options.clock.monotonic()
  }

  #leaveAlone(log: SegmentedLog): void {
    const count = (this.#failures.get(log)?.count ?? 0) + 1
    const delayMs = Math.min(retryAfterMsMax, retryAfterMs * 2 ** (count - 1))
    this.#failures.set(log, { count, retryAt: this.#options.clock.monotonic() + delayMs })
  }

  async #giveWay(): Promise<void> {
    const { clock } = this.#options
    if (clock.monotonic() - this.#turnBegan < turnMs) return
    await nextTurn(clock)
    this.#turnBegan = clock.monotonic()
  }
}

/** Deleted or closed meanwhile; or offline, which was said. */
function isGone(log: SegmentedLog, error: unknown): boolean {
  return error instanceof LogClosedError || log.fault !== null
}

function summaryOf(
  log: SegmentedLog,
  { firstDirtyOffset }: CleanableRange,
  segments: number,
  segmentsAfter: number,
  result: CleaningResult,
  durationMs: Millis,
): object {
  return { log: log.name, firstDirtyOffset, segments, segmentsAfter, durationMs: Math.round(durationMs), ...result }
}
