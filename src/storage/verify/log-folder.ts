// What lies in a log's folder, read without changing anything: the log's own files by kind, and what does not belong to it any more.

import type { Disk } from '../../io/disk.ts'
import type { Offset } from '../partition-log.ts'
import {
  cleanedSuffix,
  deletedSuffix,
  failedSyncFileName,
  leaderEpochFileName,
  logSuffix,
  offsetIndexSuffix,
  offsetInName,
  partitionMetadataFileName,
  snapshotSuffix,
  swapSuffix,
  timeIndexSuffix,
  txnIndexSuffix,
} from '../segment-names.ts'
import type { Findings } from './finding.ts'

interface Leftover {
  readonly suffix: string
  readonly what: string
  readonly meaning: string
}

/** Of the log as a whole. */
const knownNames: ReadonlySet<string> = new Set([leaderEpochFileName, partitionMetadataFileName, failedSyncFileName])

/** Of files that a deletion or compaction renames, or that are being written. */
const leftovers: readonly Leftover[] = [
  { suffix: deletedSuffix, what: 'deleted', meaning: 'the next start removes it' },
  { suffix: cleanedSuffix, what: 'of a compaction that did not end', meaning: 'the next start removes it' },
  {
    suffix: swapSuffix,
    what: 'of a compaction that was about to end',
    meaning: 'the next start ends it, or takes it back',
  },
  { suffix: '.tmp', what: 'was being written', meaning: 'the next start removes it' },
]

export interface FolderContent {
  /** By base offset. */
  readonly segments: readonly { readonly baseOffset: Offset; readonly sizeBytes: number }[]
  /** Rising. */
  readonly snapshots: readonly Offset[]
  /** Segments that the next start puts in the place of others (compaction/swap-files.ts). */
  readonly swaps: readonly { readonly baseOffset: Offset; readonly sizeBytes: number }[]
}

/** Rejects with the disk's faults. */
export async function readFolder(disk: Disk, folder: string, findings: Findings): Promise<FolderContent> {
  const segments: { baseOffset: Offset; sizeBytes: number }[] = []
  const snapshots: Offset[] = []
  const sideFiles: { name: string; baseOffset: Offset }[] = []
  const swaps: { baseOffset: Offset; sizeBytes: number }[] = []
  const seen = new Map<Leftover, { name: string; sizeBytes: number }[]>()
  let firstCleaned = Infinity
  for (const { name, kind, sizeBytes } of await disk.list(folder)) {
    const leftover = leftovers.find(({ suffix }) => name.endsWith(suffix))
    if (leftover !== undefined) {
      const swapped = offsetInName(name, logSuffix + swapSuffix)
      const cleaned = name.endsWith(cleanedSuffix) ? Number.parseInt(name, 10) : Infinity
      if (cleaned < firstCleaned) firstCleaned = cleaned
      if (swapped !== null) swaps.push({ baseOffset: swapped, sizeBytes })
      const others = seen.get(leftover) ?? []
      seen.set(leftover, others)
      others.push({ name, sizeBytes })
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
    else if (!knownNames.has(name)) {
      findings.add('leftover', name, `an unknown ${kind}`, 'no part of the log; it is left alone')
    }
  }
  for (const [leftover, files] of seen) reportLeftovers(leftover, files, findings)
  const present = new Set(segments.map((segment) => segment.baseOffset))
  for (const { name, baseOffset } of sideFiles) {
    if (!present.has(baseOffset)) findings.add('leftover', name, 'its segment is gone', 'the next start removes it')
  }
  // A swap beside files that are still being written was none yet.
  return { segments, snapshots, swaps: swaps.filter(({ baseOffset }) => baseOffset < firstCleaned) }
}

/** Deleted segments wait for some time by the hundred: a line for each kind is enough. */
function reportLeftovers(
  { suffix, what, meaning }: Leftover,
  files: readonly { readonly name: string; readonly sizeBytes: number }[],
  findings: Findings,
): void {
  if (files.length === 1) {
    findings.add('leftover', files[0]!.name, what, meaning)
    return
  }
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  findings.add('leftover', `*${suffix}`, `${files.length} files of ${bytes} bytes, ${what}`, meaning)
}
