// What lies in a log's folder, read without changing anything: the log's own files by kind, and what does not belong to it any more.

import type { Disk } from '../../io/disk.ts'
import type { Offset } from '../partition-log.ts'
import {
  leaderEpochFileName,
  logSuffix,
  offsetIndexSuffix,
  offsetInName,
  partitionMetadataFileName,
  snapshotSuffix,
  timeIndexSuffix,
  txnIndexSuffix,
} from '../segment-names.ts'
import type { Findings } from './finding.ts'

/** Of files that a deletion or compaction renames, or that are being written. */
const leftovers: readonly { readonly suffix: string; readonly what: string; readonly meaning: string }[] = [
  { suffix: '.deleted', what: 'deleted', meaning: 'the next start removes it' },
  { suffix: '.cleaned', what: 'written by a compaction that did not end', meaning: 'the next start removes it' },
  {
    suffix: '.swap',
    what: 'a compaction was about to put it in place',
    meaning: 'the next start finishes that, or removes it',
  },
  { suffix: '.tmp', what: 'was being written', meaning: 'the next start removes it' },
]

export interface FolderContent {
  /** By base offset. */
  readonly segments: readonly { readonly baseOffset: Offset; readonly sizeBytes: number }[]
  /** Rising. */
  readonly snapshots: readonly Offset[]
  readonly files: ReadonlySet<string>
  /** A compaction was interrupted while it replaced segments. */
  readonly hasSwaps: boolean
}

/** Rejects with the disk's faults. */
export async function readFolder(disk: Disk, folder: string, findings: Findings): Promise<FolderContent> {
  const segments: { baseOffset: Offset; sizeBytes: number }[] = []
  const snapshots: Offset[] = []
  const sideFiles: { name: string; baseOffset: Offset }[] = []
  const files = new Set<string>()
  let hasSwaps = false
  for (const { name, kind, sizeBytes } of await disk.list(folder)) {
    files.add(name)
    const leftover = leftovers.find(({ suffix }) => name.endsWith(suffix))
    if (leftover !== undefined) {
      hasSwaps ||= leftover.suffix === '.swap'
      findings.add('leftover', name, leftover.what, leftover.meaning)
      continue
    }
    const baseOffset = offsetInName(name, logSuffix)
    const snapshot = offsetInName(name, snapshotSuffix)
    const indexed = [offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix]
      .map((suffix) => offsetInName(name, suffix))
      .find((offset) => offset !== null)
    if (baseOffset !== null && kind === 'file') segments.push({ baseOffset, sizeBytes })
    else if (snapshot !== null) snapshots.push(snapshot)
    else if (indexed !== undefined && indexed !== null) sideFiles.push({ name, baseOffset: indexed })
    else if (name !== leaderEpochFileName && name !== partitionMetadataFileName) {
      findings.add('leftover', name, `an unknown ${kind}`, 'no part of the log; it is left alone')
    }
  }
  const present = new Set(segments.map((segment) => segment.baseOffset))
  for (const { name, baseOffset } of sideFiles) {
    if (!present.has(baseOffset)) findings.add('leftover', name, 'its segment is gone', 'the next start removes it')
  }
  return { segments, snapshots, files, hasSwaps }
}
