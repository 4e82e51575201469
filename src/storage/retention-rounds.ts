// Retention at work: every log.retention.check.interval.ms a round over all logs deletes what retention.ts says, one log after the other
// and with pauses, so that ten thousand logs do not hold up those who are served (Kafka's LogManager.cleanupLogs). Kafka leaves logs that
// are compacted, too, to its cleaner's thread; here they are part of the round.

import { type Clock, type Millis, nextTurn, type Timer } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { LogClosedError } from './log-errors.ts'
import { type Deletion, type DeletionReason, deletionsOf } from './retention.ts'
import type { Segment } from './segment.ts'
import type { SegmentedLog } from './segmented-log.ts'

export interface RetentionRoundsOptions {
  readonly directory: { logs(): Iterable<SegmentedLog> }
  readonly clock: Clock
  readonly logger: Logger
  /** log.initial.task.delay.ms: until the first round. */
  readonly initialDelayMs: Millis
  /** log.retention.check.interval.ms: from the end of a round to the next. */
  readonly intervalMs: Millis
}

/** A round gives way to others after this long. */
const turnMs = 2

const messages: Readonly<Record<DeletionReason, string>> = {
  logStart: 'deleted segments below the start of the log',
  size: 'deleted the oldest segments: the log was larger than retention.bytes',
  time: 'deleted segments whose records are all older than retention.ms',
}

export class RetentionRounds {
  readonly #options: RetentionRoundsOptions
  /** Segments that were already said to be of the future. */
  readonly #futureTold = new WeakSet<Segment>()
  #timer: Timer | null = null
  #round: Promise<void> = Promise.resolve()
  #stopped = false
  #turnBegan: Millis = 0

  constructor(options: RetentionRoundsOptions) {
    this.#options = options
  }

  start(): void {
    this.#arm(this.#options.initialDelayMs)
  }

  /** Resolves when no log is touched any more; what a round had left is left to the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#round
  }

  #arm(delayMs: Millis): void {
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#round = this.#overAll().then(() => {
        if (!this.#stopped) this.#arm(this.#options.intervalMs)
      })
    })
  }

  async #overAll(): Promise<void> {
    const { directory, clock, logger } = this.#options
    this.#turnBegan = clock.monotonic()
    for (const log of directory.logs()) {
      if (this.#stopped) return
      try {
        await this.#retain(log)
      } catch (error) {
        // Deleted or closed meanwhile; or offline, which was said.
        if (!(error instanceof LogClosedError) && log.fault === null) {
          logger.error({ log: log.name, err: error }, 'old segments could not be deleted')
        }
      }
      await this.#giveWay()
    }
  }

  async #retain(log: SegmentedLog): Promise<void> {
    if (log.fault !== null) return
    const { logStartOffset, logEndOffset, highWatermark, config } = log
    const now = this.#options.clock.now()
    const deletions = await deletionsOf(
      { segments: [...log.segments], logStartOffset, logEndOffset, highWatermark, config },
      now,
      (segment) => this.#largestTimestampOf(log, segment, now),
    )
    for (const deletion of deletions) if (!(await this.#delete(log, deletion))) return
  }

  async #largestTimestampOf(log: SegmentedLog, segment: Segment, now: Millis): Promise<Millis> {
    const timestamp = await log.largestTimestampOf(segment)
    if (timestamp > now && !this.#futureTold.has(segment)) {
      this.#futureTold.add(segment)
      const { path: file } = segment.file
      this.#options.logger.warn({ log: log.name, file, timestamp }, 'a segment has timestamps in the future: it stays')
    }
    return timestamp
  }

  /** False when the log has changed since the deletion was decided: the next round decides anew. */
  async #delete(log: SegmentedLog, { reason, segments, startOffset }: Deletion<Segment>): Promise<boolean> {
    const last = segments.at(-1)!
    const isAsDecided = log.segments.includes(last) && log.segmentEnd(last) === startOffset
    if (!isAsDecided || startOffset > log.highWatermark || this.#stopped) return false
    // What is appended from here on is not part of it.
    if (startOffset === log.logEndOffset) log.roll()
    let bytes = 0
    for (const { sizeBytes } of segments) bytes += sizeBytes
    if (startOffset > log.logStartOffset) await log.advanceStartTo(startOffset)
    else await log.deleteBelowStart()
    const { retentionMs, retentionBytes } = log.config
    const limit = { logStart: {}, size: { retentionBytes }, time: { retentionMs } }[reason]
    const fields = { log: log.name, segments: segments.length, bytes, startOffset: log.logStartOffset, ...limit }
    this.#options.logger.info(fields, messages[reason])
    return true
  }

  async #giveWay(): Promise<void> {
    const { clock } = this.#options
    if (clock.monotonic() - this.#turnBegan < turnMs) return
    await nextTurn(clock)
    this.#turnBegan = clock.monotonic()
  }
}
