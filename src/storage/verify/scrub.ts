// Reads all logs of a running broker again and again, slowly, and checks every batch: damage is found while replicas or backups still have
// what was lost, not when a consumer happens to ask for it. A log that is damaged goes offline, as when a reader had found it; the
// others go on.
//
// What the system has in its page cache is not read from the disk: then the copy in memory is checked, which is what consumers get. Over
// the rounds every log has been out of the cache. It reads through the logs' own files and keeps none of them from being deleted, cut or
// compacted: what such a change overtakes is begun anew, or left to the next round.

import { type Clock, type Millis, nextTurn, type Timer } from '../../io/clock.ts'
import { DiskError } from '../../io/disk.ts'
import type { Random } from '../../io/random.ts'
import type { Logger } from '../../lib/logger.ts'
import { CorruptLogError, LogClosedError } from '../log-errors.ts'
import type { Offset } from '../partition-log.ts'
import type { Segment } from '../segment.ts'
import { BatchWalk, problemWords } from './batch-walk.ts'

/** A log as the scrub needs it. `SegmentedLog` is one. */
export interface ScrubbedLog {
  readonly name: string
  readonly logStartOffset: Offset
  readonly durableOffset: Offset
  /** It has failed, closes, or is about to be deleted. */
  readonly isOffline: boolean
  /** Oldest first; the last is active. */
  readonly segments: readonly Segment[]
  /** Where the next segment begins, or the log ends. */
  segmentEnd(segment: Segment): Offset
  /** Odd while files are cut, deleted or replaced; changes when that begins and ends. */
  readonly shape: number
  /** Takes the log offline. */
  fail(fault: Error): void
}

export interface ScrubOptions {
  readonly directory: { logs(): Iterable<ScrubbedLog> }
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** log.scrub.io.max.bytes.per.second; 0: there is no scrub. */
  readonly bytesPerSecond: number
  /** log.initial.task.delay.ms: from the start to the first round. */
  readonly initialDelayMs: Millis
  /** log.scrub.interval.ms: from the end of a round to the next. */
  readonly intervalMs: Millis
}

export interface ScrubProgress {
  /** Rounds that are done. */
  readonly rounds: number
  /** Checked since the start. */
  readonly bytes: number
  /** Logs taken offline. */
  readonly damagedLogs: number
}

/** Read and checked in one turn of the event loop: far below a millisecond, 2 of them when it is full of the smallest batches. */
const windowBytes = 128 << 10
/** No read costs a disk less: ten thousand short logs are not read in one burst. */
const readBytesMin = 4096
/** Shorter waits are turns of the event loop: timers have no finer grain. */
const timerMsMin = 1

export class Scrub {
  readonly #options: ScrubOptions
  readonly #window: Buffer
  #round: Promise<void> = Promise.resolve()
  #timer: Timer | null = null
  #wake: (() => void) | null = null
  #stopped = false
  /** When what was read so far is paid for. */
  #paidAt: Millis = 0
  #rounds = 0
  #bytes = 0
  #damagedLogs = 0

  constructor(options: ScrubOptions) {
    this.#options = options
    this.#window = Buffer.allocUnsafeSlow(options.bytesPerSecond > 0 ? windowBytes : 0)
  }

  get progress(): ScrubProgress {
    return { rounds: this.#rounds, bytes: this.#bytes, damagedLogs: this.#damagedLogs }
  }

  /** How far it came is forgotten with the process. */
  start(): void {
    if (this.#options.bytesPerSecond <= 0) return
    this.#round = this.#runRounds()
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#wake?.()
    await this.#round
  }

  async #runRounds(): Promise<void> {
    const { clock, logger, initialDelayMs, intervalMs } = this.#options
    if (initialDelayMs > 0) await this.#sleep(initialDelayMs)
    while (!this.#stopped) {
      const startedAt = clock.monotonic()
      const bytesBefore = this.#bytes
      await this.#overAll()
      if (this.#stopped) return
      this.#rounds++
      const bytes = this.#bytes - bytesBefore
      logger.info({ bytes, ms: Math.round(clock.monotonic() - startedAt) }, 'all logs were read and checked')
      await this.#sleep(intervalMs)
    }
  }

  async #overAll(): Promise<void> {
    const { directory, random } = this.#options
    const logs = [...directory.logs()]
    // Where brokers never run for a whole round, each log has its turn all the same.
    const first = logs.length === 0 ? 0 : random.below(logs.length)
    for (let i = 0; i < logs.length; i++) {
      const log = logs[(first + i) % logs.length]!
      // Segments that begin from now on have their turn in the next round.
      for (const segment of log.segments.slice()) {
        while (this.#isWanted(log, segment) && (await this.#scrub(log, segment)) === 'again') await this.#pay(0)
      }
    }
  }

  #isWanted(log: ScrubbedLog, segment: Segment): boolean {
    return !this.#stopped && !log.isOffline && !segment.removed
  }

  /** 'again': the log's files were changed, what looked like damage may be none. */
  async #scrub(log: ScrubbedLog, segment: Segment): Promise<'done' | 'again'> {
    const { shape } = log
    const isSettled = () => log.shape === shape && shape % 2 === 0
    try {
      const walk = this.#walkOf(log, segment)
      if (walk === null) return 'done'
      while (!walk.done && this.#isWanted(log, segment)) {
        const bytes = await walk.step()
        this.#bytes += bytes
        // Damage is judged in the same turn, while the log is as it was read.
        if (walk.damage === null) await this.#pay(bytes)
      }
      if (walk.damage === null || !this.#isWanted(log, segment)) return 'done'
      if (!isSettled()) return 'again'
      this.#report(log, segment, walk)
    } catch (error) {
      if (error instanceof LogClosedError || !this.#isWanted(log, segment)) return 'done'
      if (!(error instanceof DiskError)) throw error
      if (!isSettled()) return 'again'
      this.#reportFault(log, error)
    }
    return 'done'
  }

  /** Over the durable batches of the segment; null when the log no longer has it. */
  #walkOf(log: ScrubbedLog, segment: Segment): BatchWalk | null {
    const index = log.segments.indexOf(segment)
    if (index < 0) return null
    const range = {
      from: 0,
      to: segment.writtenBytes,
      expectedOffset: segment.baseOffset,
      endOffset: log.segments[index + 1]?.baseOffset ?? Infinity,
      // Beyond it nothing was promised yet.
      stopOffset: log.durableOffset,
    }
    return new BatchWalk(segment.file, this.#window, range, () => undefined)
  }

  #report(log: ScrubbedLog, segment: Segment, walk: BatchWalk): void {
    const { logger } = this.#options
    const { position, offset, endOffset, problem } = walk.damage!
    const { path } = segment.file
    if (offset >= log.durableOffset) return
    // The log may start in the middle of a batch: that is read. So may one whose end nobody knows be.
    if (Math.min(endOffset, log.segmentEnd(segment)) <= log.logStartOffset) {
      const fields = { log: log.name, file: path, position, offset, problem }
      logger.warn(fields, 'damage was found below the start of the log, where nobody reads')
      return
    }
    this.#damagedLogs++
    const fault = new CorruptLogError(path, position, offset, `${problemWords[problem]}, as the scrub found`)
    logger.error({ log: log.name, err: fault }, 'a log is damaged: its partition goes offline')
    log.fail(fault)
  }

  #reportFault(log: ScrubbedLog, error: DiskError): void {
    const { logger } = this.#options
    if (scarcityCodes.has(error.code)) {
      logger.warn({ log: log.name, err: error }, 'a segment could not be checked, the next round tries again')
      return
    }
    this.#damagedLogs++
    logger.error({ log: log.name, err: error }, 'the disk cannot read a log: its partition goes offline')
    log.fail(error)
  }

  /** Waits until `bytes` more may be read. Always gives way to others. */
  async #pay(bytes: number): Promise<void> {
    const { clock, bytesPerSecond } = this.#options
    const now = clock.monotonic()
    // Time in which nothing was read is lost: the disk is never flooded afterwards.
    this.#paidAt = Math.max(this.#paidAt, now) + (Math.max(bytes, readBytesMin) * 1000) / bytesPerSecond
    if (this.#paidAt - now >= timerMsMin) await this.#sleep(this.#paidAt - now)
    else await nextTurn(clock)
  }

  async #sleep(delayMs: Millis): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#timer = this.#options.clock.setTimer(delayMs, resolve)
    })
    this.#wake = null
    this.#timer = null
  }
}

/** What the process ran out of says nothing about the file. */
const scarcityCodes: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])
