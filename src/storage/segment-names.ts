// How the files of a log are called, as in Kafka's LogFileUtils: twenty digits of the first offset, then what it holds.

import type { Offset } from './partition-log.ts'

export const logSuffix = '.log'
export const offsetIndexSuffix = '.index'
export const timeIndexSuffix = '.timeindex'
export const txnIndexSuffix = '.txnindex'
export const snapshotSuffix = '.snapshot'
export const deletedSuffix = '.deleted'
/** Written by a cleaning that did not finish. */
export const cleanedSuffix = '.cleaned'
/** About to take the place of other segments. */
export const swapSuffix = '.swap'
/** Being removed, or replaced whole: never part of the log. */
export const leftoverSuffixes = [deletedSuffix, '.tmp'] as const
export const leaderEpochFileName = 'leader-epoch-checkpoint'
export const partitionMetadataFileName = 'partition.metadata'
/** See failed-sync.ts. */
export const failedSyncFileName = 'sync-failed'

const digits = 20

/** `00000000000000000042.log` for 42 and `.log`. */
export function fileNameOf(offset: Offset, suffix: string): string {
  return offset.toString().padStart(digits, '0') + suffix
}

/** The offset in a file's name, or null when the name is not twenty digits and `suffix`. */
export function offsetInName(name: string, suffix: string): Offset | null {
  if (name.length !== digits + suffix.length || !name.endsWith(suffix)) return null
  const number = name.slice(0, digits)
  if (!/^\d+$/.test(number)) return null
  const offset = Number(number)
  return Number.isSafeInteger(offset) ? offset : null
}
