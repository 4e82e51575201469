// What `odradek disk` shows: a file in the data folder that the broker writes now and then, and anybody may read. Written without fsync:
// after a crash it may be gone or empty, and the next broker writes another.

import type { AppendRate } from './append-rates.ts'
import type { DiskLimits } from './disk-limits.ts'

export const diskReportFileName = 'disk-report.json'

export interface TopicUse {
  readonly topic: string
  readonly partitions: number
  readonly segments: number
  /** On disk, side files and files that wait for their deletion included. */
  readonly bytes: number
  /** Timestamp of the oldest record, wall time; null: empty, or not known yet. */
  readonly oldestRecordMs: number | null
  readonly weight: number
  readonly policy: 'delete' | 'refuse' | 'exempt'
  /** Bytes appended per second. */
  readonly rate: AppendRate
}

export interface NextRemoval {
  /** `orders-0`. */
  readonly log: string
  readonly baseOffset: number
  /** The offset after its last record. */
  readonly endOffset: number
  readonly bytes: number
  readonly newestRecordMs: number
  readonly weight: number
  /** It takes appends: it is sealed before it can go. */
  readonly active: boolean
}

export interface DiskReport {
  readonly version: 1
  readonly writtenAtMs: number
  /** Null: in memory, without a bound. */
  readonly volume: { readonly totalBytes: number; readonly freeBytes: number } | null
  /** The volume is full right now. */
  readonly volumeFull: boolean
  /** Null without `disk.budget` and `disk.free.reserve`. */
  readonly limits: DiskLimits | null
  /** Everything in the data folder. */
  readonly usedBytes: number
  /** Of it what the budget never takes away: metadata, internal topics, checkpoints, the spare file. */
  readonly internalBytes: number
  /** Of it what may be deleted, today or once it is sealed. */
  readonly removableBytes: number
  readonly rate: AppendRate
  /** By bytes, the largest first. */
  readonly topics: readonly TopicUse[]
  /** Topics that are left out, each smaller than those. */
  readonly smallerTopics: number
  readonly next: readonly NextRemoval[]
}

export function encodeDiskReport(report: DiskReport): Uint8Array {
  return Buffer.from(`${JSON.stringify(report)}\n`)
}

/** Null for what is not a report of this version. */
export function decodeDiskReport(bytes: Uint8Array): DiskReport | null {
  try {
    const found: unknown = JSON.parse(Buffer.from(bytes).toString())
    const isReport = typeof found === 'object' && found !== null && 'version' in found && found.version === 1
    return isReport ? (found as DiskReport) : null
  } catch {
    return null
  }
}
