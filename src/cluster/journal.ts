// What the embedded metadata store needs of a disk: entries appended durably, all read back at start, and the whole replaced by
// what is left of it now and then. `FileJournal` is the one there is.

import type { Revision } from './meta-store.ts'

/** The state of one key from `modRevision` on. */
export interface JournalEntry {
  readonly key: string
  /** Null: the key was deleted. */
  readonly value: Uint8Array | null
  /** Of a deleted key: where it was created. */
  readonly createRevision: Revision
  readonly modRevision: Revision
  /** The key goes with its lease, and no lease outlives the process. */
  readonly leased: boolean
}

/**
 * Every method rejects when the disk fails it; then nothing may be appended any more. Only after `JournalFull` it goes on: nothing has
 * changed then.
 */
export interface Journal {
  /** Called once, before anything else: visits what was kept, in order, and answers the last revision (0: none yet). */
  load(visit: (entry: JournalEntry) => void): Promise<Revision>
  /** All of it or nothing survives a crash; once the promise resolves, all of it. One call at a time. */
  append(entries: readonly JournalEntry[]): Promise<void>
  /** Replaces everything by `entries`, the state at `revision`. A crash leaves the old or the new. */
  replace(revision: Revision, entries: Iterable<JournalEntry>): Promise<void>
  /** Bytes that a start has to read. */
  readonly sizeBytes: number
  /** Bytes of them that the last `replace` wrote. */
  readonly snapshotBytes: number
  close(): Promise<void>
}

/** There was no room on the disk. */
export class JournalFull extends Error {
  override readonly name = 'JournalFull'
}

/** What was kept is damaged in the middle, where no crash damages it: the store must not start. */
export class JournalCorrupt extends Error {
  override readonly name = 'JournalCorrupt'
}
