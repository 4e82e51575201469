// What lies in a log's folder, by kind.

import type { DirectoryEntry, Disk } from '../io/disk.ts'
import { hasSwapFiles, settleSwaps } from './compaction/swap-files.ts'
import type { Offset } from './partition-log.ts'
import {
  leftoverSuffixes,
  logSuffix,
  offsetIndexSuffix,
  offsetInName,
  snapshotSuffix,
  timeIndexSuffix,
  txnIndexSuffix,
} from './segment-names.ts'

export interface LogFiles {
  /** By base offset. */
  readonly segments: readonly SegmentFile[]
  /** Offsets of producer snapshots, rising. */
  readonly snapshots: readonly Offset[]
}

export interface SegmentFile {
  readonly baseOffset: Offset
  readonly sizeBytes: number
  /** Wall time. */
  readonly modifiedAtMs: number
}

/**
 * Lists the folder, and settles what a run before left half done: temporary files and indexes without their segment go, a swap of cleaned
 * segments is finished or taken back. Rejects with `CorruptLogError` when it cannot be, and with the disk's faults.
 */
export async function listLogFiles(disk: Disk, folder: string): Promise<LogFiles> {
  const segments: SegmentFile[] = []
  const snapshots: Offset[] = []
  const indexes: { name: string; baseOffset: Offset }[] = []
  for (const { name, kind, sizeBytes, modifiedAtMs } of await listSettled(disk, folder)) {
    if (kind !== 'file') continue
    if (leftoverSuffixes.some((suffix) => name.endsWith(suffix))) {
      await disk.remove(`${folder}/${name}`)
      continue
    }
    const baseOffset = offsetInName(name, logSuffix)
    if (baseOffset !== null) segments.push({ baseOffset, sizeBytes, modifiedAtMs })
    const snapshot = offsetInName(name, snapshotSuffix)
    if (snapshot !== null) snapshots.push(snapshot)
    for (const suffix of [offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix]) {
      const indexed = offsetInName(name, suffix)
      if (indexed !== null) indexes.push({ name, baseOffset: indexed })
    }
  }
  const present = new Set(segments.map((segment) => segment.baseOffset))
  for (const { name, baseOffset } of indexes) if (!present.has(baseOffset)) await disk.remove(`${folder}/${name}`)
  return { segments, snapshots }
}

async function listSettled(disk: Disk, folder: string): Promise<DirectoryEntry[]> {
  const entries = await disk.list(folder)
  const names = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name)
  if (!hasSwapFiles(names)) return entries
  await settleSwaps(disk, folder, names)
  return disk.list(folder)
}
