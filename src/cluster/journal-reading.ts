// What a journal's folder holds, read without changing it: for a start, which then cuts what a crash left of the last commit, and for
// whoever wants to know whether a start would succeed.

import type { Disk } from '../io/disk.ts'
import { baseOffsetOf, nextOffsetOf, sizeInBytesOf } from '../records/batch.ts'
import { hasSoundBatchAfter, isSoundBatchAt } from '../records/sound-batches.ts'
import { JournalCorrupt, type JournalEntry } from './journal.ts'
import { decodeBatch, type SnapshotMark } from './journal-format.ts'
import type { Revision } from './meta-store.ts'

export interface JournalContent {
  readonly revision: Revision
  /** Offset that the next record gets. */
  readonly nextOffset: number
  /** Of whole commits; what the file has beyond it is of one that a crash tore. */
  readonly sizeBytes: number
  /** Of them, the snapshot at the beginning. */
  readonly snapshotBytes: number
  readonly batches: number
  readonly entries: number
}

const logName = /^\d{20}\.log$/

/** The one file that counts, of the names in a journal's folder. */
export function newestJournalOf(names: readonly string[]): string | undefined {
  return names
    .filter((name) => logName.test(name))
    .sort()
    .at(-1)
}

/** Whether the name is of a journal, current, replaced or being written. */
export function isJournalFile(name: string): boolean {
  return logName.test(name) || name.endsWith('.tmp')
}

/** Visits the entries of a journal's file. Throws `JournalCorrupt` when it is damaged elsewhere than at its end. */
export function readJournal(path: string, bytes: Uint8Array, visit: (entry: JournalEntry) => void): JournalContent {
  let at = 0
  let nextOffset = Number(path.slice(path.lastIndexOf('/') + 1).slice(0, 20))
  let mark: SnapshotMark | null = null
  let revision = 0
  let entries = 0
  let batches = 0
  let snapshotBytes = 0
  while (isBatchAt(bytes, at, nextOffset)) {
    const size = sizeInBytesOf(bytes, at)
    const decoded = decodeBatch(bytes.subarray(at, at + size))
    if ('revision' in decoded) {
      mark = decoded
      revision = decoded.revision
    } else {
      for (const entry of decoded) {
        visit(entry)
        revision = Math.max(revision, entry.modRevision)
      }
      entries += decoded.length
    }
    batches++
    at += size
    nextOffset = nextOffsetOf(bytes, at - size)
    if (mark !== null && entries <= mark.entries) snapshotBytes = at
  }
  // The snapshot was synced before the file got its name: no crash takes any of it.
  if (mark === null || entries < mark.entries) throw corrupt(path, at)
  if (hasSoundBatchAfter(bytes, at, nextOffset)) throw corrupt(path, at)
  return { revision, nextOffset, sizeBytes: at, snapshotBytes, batches, entries }
}

export interface InspectedJournal extends JournalContent {
  /** Names in the folder. */
  readonly file: string
  /** Bytes behind the last whole commit, which the next start cuts. */
  readonly tornBytes: number
  /** Names of what a crash left; the next start removes them. */
  readonly leftovers: readonly string[]
}

/** As a start reads it, without a change; null when there is no journal. Rejects with `JournalCorrupt` and the disk's faults. */
export async function inspectJournal(
  disk: Disk,
  folder: string,
  visit: (entry: JournalEntry) => void,
): Promise<InspectedJournal | null> {
  const names = (await disk.list(folder)).map((entry) => entry.name)
  const file = newestJournalOf(names)
  if (file === undefined) return null
  const path = `${folder}/${file}`
  const bytes = (await disk.readFile(path)) ?? new Uint8Array(0)
  const content = readJournal(path, bytes, visit)
  const leftovers = names.filter((name) => name !== file && isJournalFile(name))
  return { ...content, file, tornBytes: bytes.length - content.sizeBytes, leftovers }
}

function isBatchAt(bytes: Uint8Array, at: number, offset: number): boolean {
  return isSoundBatchAt(bytes, at) && baseOffsetOf(bytes, at) === offset
}

function corrupt(path: string, at: number): JournalCorrupt {
  return new JournalCorrupt(
    `${path} is damaged at byte ${at}, with later changes behind it that depend on what is lost there; ` +
      'restore the file from a backup',
  )
}
