// Writes the report that `odradek disk` shows (disk-report.ts): when something changed, and not more often than every few seconds. A report
// that cannot be written is no loss.

import { type Clock, nextTurn, type Timer } from '../../io/clock.ts'
import type { Disk, DiskFile } from '../../io/disk.ts'
import type { Logger } from '../../lib/logger.ts'
import { baseTimestampOf, batchHeaderBytes } from '../../records/batch.ts'
import { parseLogFolderName } from '../log-folder-name.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import { AppendRates, rateStepMs } from './append-rates.ts'
import type { DiskCount, DiskKeeper } from './disk-keeper.ts'
import {
  type DiskReport,
  diskReportFileName,
  encodeDiskReport,
  type NextRemoval,
  type TopicUse,
} from './disk-report.ts'
import type { DiskRoom } from './disk-room.ts'
import type { DiskUse } from './disk-use.ts'
import { type KeptFolder, logsPerTurn, type PlannedLog } from './kept-logs.ts'
import { planRemoval } from './removal-plan.ts'

export interface DiskReporterOptions {
  readonly folder: KeptFolder
  readonly disk: Disk
  readonly use: DiskUse
  readonly room: DiskRoom
  readonly keeper: DiskKeeper
  readonly clock: Clock
  readonly logger: Logger
}

const nextMax = 20
const topicsMax = 1000
/** First records that are looked up for one report: the rest is known by a later one. */
const lookupsMax = 200

export class DiskReporter {
  readonly #options: DiskReporterOptions
  readonly #rates = new AppendRates()
  /** Of each log, the timestamp of its first record and the offset it was looked up for. */
  readonly #oldest = new WeakMap<SegmentedLog, { readonly start: number; readonly timestamp: number }>()
  #timer: Timer | null = null
  #writing: Promise<void> = Promise.resolve()
  #stopped = false
  #appendedBytes = 0
  #saidFull = false
  /** What the last report went by. */
  #reported = ''

  constructor(options: DiskReporterOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(rateStepMs, () => {
      this.#writing = this.#write(this.#measure()).then(() => {
        if (!this.#stopped) this.start()
      })
    })
  }

  /** Writes a last report. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#writing
    await this.#write(this.#appendedBytes)
  }

  /** When there is something new to say. Never rejects. */
  async #write(appendedBytes: number): Promise<void> {
    const { room, use, logger } = this.#options
    try {
      const news = JSON.stringify([appendedBytes, use.totalBytes, room.volumeFull, this.#rates.total()])
      // On a full volume one report says so: the room is for others.
      if (news === this.#reported || (room.volumeFull && this.#saidFull)) return
      const report = await this.report()
      await this.#put(encodeDiskReport(report))
      this.#saidFull = report.volumeFull
      // Writing it has changed the use, perhaps.
      this.#reported = JSON.stringify([appendedBytes, use.totalBytes, report.volumeFull, report.rate])
    } catch (error) {
      logger.debug({ err: error }, 'the report of the disk could not be written')
    }
  }

  async report(): Promise<DiskReport> {
    const { clock, keeper, room } = this.#options
    const count = await keeper.count()
    const planned = count.limits === null ? [] : await keeper.planned()
    const now = clock.now()
    const removals = planRemoval(planned, { bytes: Infinity, segmentsMax: nextMax, nowMs: now })
    const next = removals.map(({ log, segment, kind }): NextRemoval => {
      const { baseOffset, endOffset, sizeBytes: bytes, newestMs: newestRecordMs } = segment
      return {
        log: log.name,
        baseOffset,
        endOffset,
        bytes,
        newestRecordMs,
        weight: log.weight,
        active: kind === 'roll',
      }
    })
    return {
      version: 1,
      writtenAtMs: now,
      ...totalsOf(count, planned),
      volumeFull: room.volumeFull,
      rate: this.#rates.total(),
      ...(await this.#topics()),
      next,
    }
  }

  /** Answers all that was ever appended to the logs that are open. */
  #measure(): number {
    const totals = new Map<string, number>()
    let appendedBytes = 0
    for (const log of this.#options.folder.logs()) {
      const topic = topicOf(log)
      totals.set(topic, (totals.get(topic) ?? 0) + log.appendedBytes)
      appendedBytes += log.appendedBytes
    }
    this.#rates.step(totals)
    this.#appendedBytes = appendedBytes
    return appendedBytes
  }

  async #topics(): Promise<Pick<DiskReport, 'topics' | 'smallerTopics'>> {
    const { folder, use, clock } = this.#options
    const topics = new Map<string, { -readonly [K in keyof TopicUse]: TopicUse[K] }>()
    let lookups = lookupsMax
    let seen = 0
    const logs = [...folder.logs()]
    for (const log of logs) {
      if (++seen % logsPerTurn === 0) await nextTurn(clock)
      const topic = topicOf(log)
      const { budgetWeight: weight, budgetPolicy: policy } = log.config
      let found = topics.get(topic)
      if (found === undefined) {
        const rate = this.#rates.of(topic)
        found = { topic, partitions: 0, segments: 0, bytes: 0, oldestRecordMs: null, weight, policy, rate }
        topics.set(topic, found)
      }
      found.partitions++
      found.bytes += use.bytesIn(log.folder)
      if (log.sizeBytes === 0) continue
      found.segments += log.segmentCount
      if (lookups > 0 && this.#oldest.get(log)?.start !== log.logStartOffset) {
        lookups--
        await this.#lookUp(log)
      }
      const oldest = this.#oldest.get(log)?.timestamp ?? -1
      if (oldest >= 0) found.oldestRecordMs = Math.min(found.oldestRecordMs ?? Infinity, oldest)
    }
    const sorted = [...topics.values()].sort((one, other) => other.bytes - one.bytes)
    return { topics: sorted.slice(0, topicsMax), smallerTopics: Math.max(0, sorted.length - topicsMax) }
  }

  /** The first record of the first batch that can be read. */
  async #lookUp(log: SegmentedLog): Promise<void> {
    const start = log.logStartOffset
    const read = await log.read(start, 1, log.logEndOffset, true)
    const chunk = read.ok ? read.chunks[0] : undefined
    if (chunk === undefined || chunk.length < batchHeaderBytes) return
    this.#oldest.set(log, { start, timestamp: baseTimestampOf(chunk) })
  }

  /** Without fsync: the file is worth nothing after a crash. */
  async #put(bytes: Uint8Array): Promise<void> {
    const { disk, folder } = this.#options
    const path = `${folder.path}/${diskReportFileName}`
    let file: DiskFile | null = null
    try {
      file = await disk.open(`${path}.tmp`, { create: true })
      await file.truncate(0)
      await file.write([bytes], 0)
      await disk.rename(`${path}.tmp`, path)
    } catch (error) {
      await disk.remove(`${path}.tmp`)
      throw error
    } finally {
      await file?.close()
    }
  }
}

function totalsOf(count: DiskCount, planned: readonly PlannedLog[]) {
  const { totalBytes, freeBytes } = count.volume
  let removableBytes = 0
  for (const { segments } of planned) for (const { sizeBytes } of segments) removableBytes += sizeBytes
  return {
    volume: totalBytes === Infinity ? null : { totalBytes, freeBytes },
    limits: count.limits,
    usedBytes: count.usedBytes,
    internalBytes: count.internalBytes,
    removableBytes,
  }
}

function topicOf(log: SegmentedLog): string {
  return parseLogFolderName(log.name)?.topicName ?? log.name
}
