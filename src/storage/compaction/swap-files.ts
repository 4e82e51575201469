// Putting a cleaned segment in the place of those it stands for, so that after a crash at any point a start finds the old segments or the
// new one (Kafka's LocalLog.replaceSegments and LogLoader):
//
//   1. `.cleaned` files, synced          found at a start: they go, and with them `.swap` files of their offset or a later one
//   2. all renamed to `.swap`            from here on the swap happens: a start does what is left of it
//   3. the replaced segments are deleted a start deletes those that begin within the batches of the `.log.swap`
//   4. `.log.swap` renamed to `.log`     now nothing old is left, so that index files of that name are the new ones'
//   5. the index files likewise
//
// The folder is synced after each step. A replaced segment whose records are all gone lies behind the last batch of the new one; a start
// that finds it leaves it: it was not cleaned then, which is no worse than a cleaning that came no further.

import type { Disk } from '../../io/disk.ts'
import { FileHandles } from '../file-handles.ts'
import { CorruptLogError } from '../log-errors.ts'
import type { Offset } from '../partition-log.ts'
import {
  cleanedSuffix,
  fileNameOf,
  logSuffix,
  offsetIndexSuffix,
  offsetInName,
  swapSuffix,
  timeIndexSuffix,
  txnIndexSuffix,
} from '../segment-names.ts'
import { scanBatches } from '../segment-scan.ts'

const sideSuffixes = [txnIndexSuffix, timeIndexSuffix, offsetIndexSuffix] as const
const segmentSuffixes = [logSuffix, ...sideSuffixes] as const

/** Steps 1 and 2, for the files of one cleaned segment. Once it resolves the replaced segments may go. */
export async function announceSwap(disk: Disk, folder: string, baseOffset: Offset): Promise<void> {
  await disk.syncFolder(folder)
  const names = new Set((await disk.list(folder)).map(({ name }) => name))
  for (const suffix of segmentSuffixes) {
    const name = fileNameOf(baseOffset, suffix)
    if (!names.has(name + cleanedSuffix)) continue
    await disk.rename(`${folder}/${name}${cleanedSuffix}`, `${folder}/${name}${swapSuffix}`)
  }
  await disk.syncFolder(folder)
}

/** Steps 4 and 5; the replaced segments are gone, durably. */
export async function finishSwap(disk: Disk, folder: string, baseOffset: Offset): Promise<void> {
  const names = new Set((await disk.list(folder)).map(({ name }) => name))
  for (const suffixes of [[logSuffix], sideSuffixes]) {
    for (const suffix of suffixes) {
      const name = fileNameOf(baseOffset, suffix)
      if (names.has(name + swapSuffix)) await disk.rename(`${folder}/${name}${swapSuffix}`, `${folder}/${name}`)
    }
    await disk.syncFolder(folder)
  }
}

/** A cleaning that came to nothing: what it wrote goes. */
export async function removeCleaned(disk: Disk, folder: string): Promise<void> {
  for (const { name, kind } of await disk.list(folder)) {
    if (kind === 'file' && name.endsWith(cleanedSuffix)) await disk.remove(`${folder}/${name}`)
  }
}

/**
 * At a start, before anything else of the log is looked at: does what is left of a swap, or takes back what was not yet one. Rejects with
 * `CorruptLogError` when a swap cannot be finished, and with the disk's faults.
 */
export async function settleSwaps(disk: Disk, folder: string, fileNames: readonly string[]): Promise<void> {
  const cleaned = segmentFiles(fileNames, cleanedSuffix)
  const firstCleaned = Math.min(...cleaned.map(({ baseOffset }) => baseOffset))
  const swaps = segmentFiles(fileNames, swapSuffix)
  const valid = swaps.filter(({ baseOffset }) => baseOffset < firstCleaned)
  for (const { name, baseOffset } of swaps) if (baseOffset >= firstCleaned) await disk.remove(`${folder}/${name}`)
  // Never a `.swap` file of theirs without its sign that it is none yet.
  if (valid.length < swaps.length) await disk.syncFolder(folder)
  for (const { name } of cleaned) await disk.remove(`${folder}/${name}`)

  const current = segmentSuffixes.flatMap((suffix) =>
    fileNames.flatMap((name) => {
      const baseOffset = offsetInName(name, suffix)
      return baseOffset === null ? [] : [{ name, baseOffset }]
    }),
  )
  for (const { name, baseOffset } of valid) {
    if (offsetInName(name, logSuffix + swapSuffix) === null) continue
    const endOffset = await endOf(disk, `${folder}/${name}`, baseOffset)
    for (const old of current) {
      const replaced = old.baseOffset === baseOffset || (old.baseOffset > baseOffset && old.baseOffset < endOffset)
      if (replaced) await disk.remove(`${folder}/${old.name}`)
    }
  }
  await disk.syncFolder(folder)
  for (const baseOffset of new Set(valid.map((file) => file.baseOffset))) await finishSwap(disk, folder, baseOffset)
}

/** Whether a cleaning or a swap has left files here. */
export function hasSwapFiles(fileNames: readonly string[]): boolean {
  return fileNames.some((name) => name.endsWith(cleanedSuffix) || name.endsWith(swapSuffix))
}

/** Files of segments with `ending` behind their names. */
function segmentFiles(names: readonly string[], ending: string): { name: string; baseOffset: Offset }[] {
  return names.flatMap((name) => {
    for (const suffix of segmentSuffixes) {
      const baseOffset = offsetInName(name, suffix + ending)
      if (baseOffset !== null) return [{ name, baseOffset }]
    }
    return []
  })
}

/** The offset after the last batch of a log file; `baseOffset` when it has none. */
async function endOf(disk: Disk, path: string, baseOffset: Offset): Promise<Offset> {
  const file = new FileHandles(disk, 1).file(path)
  try {
    const to = await sizeOf(disk, path)
    const scan = { from: 0, to, expectedOffset: baseOffset, verifyChecksums: true }
    const { damage, position, nextOffset } = await scanBatches(file, scan, () => undefined)
    if (damage !== null) throw new CorruptLogError(path, position, nextOffset, damage)
    return nextOffset
  } finally {
    await file.close()
  }
}

async function sizeOf(disk: Disk, path: string): Promise<number> {
  const file = await disk.open(path, { readOnly: true })
  try {
    return await file.size()
  } finally {
    await file.close()
  }
}
