// How journal entries lie in Kafka record batches, so that Kafka's own tools print them: the record's key and value are the entry's
// (no value: deleted), its headers the rest. Each commit is one batch, so its checksum makes the commit all or nothing.
//
//   header m  revision of this state, decimal
//   header c  revision that created the key, when it is another
//   header l  present when the key is bound to a lease
//
// A file begins with a record whose key is empty: it names the revision of the snapshot that follows and the number of its entries.

import { buildBatch, type NewRecord } from '../records/batch-builder.ts'
import { recordsOf } from '../records/record.ts'
import { type JournalEntry, JournalCorrupt } from './journal.ts'
import type { Revision } from './meta-store.ts'

/** What the first record of a file says. */
export interface SnapshotMark {
  readonly revision: Revision
  readonly entries: number
}

/** One batch. `baseOffset`: the offset of its first record. */
export function encodeEntries(entries: readonly JournalEntry[], baseOffset: number): Uint8Array {
  return buildBatch(entries.map(recordOf), { baseOffset, leaderEpoch: 0 })
}

export function encodeSnapshotMark({ revision, entries }: SnapshotMark, baseOffset: number): Uint8Array {
  const headers = [
    { key: 'm', value: String(revision) },
    { key: 'n', value: String(entries) },
  ]
  return buildBatch([{ key: '', value: '', headers }], { baseOffset, leaderEpoch: 0 })
}

/** The entries of a batch; or the mark, when it holds one. Keys and values are the caller's to keep. */
export function decodeBatch(batch: Uint8Array): readonly JournalEntry[] | SnapshotMark {
  const entries: JournalEntry[] = []
  for (const record of recordsOf(batch)) {
    const headers = new Map(record.headers.map((header) => [header.key, textOf(header.value)]))
    const modRevision = revisionOf(headers.get('m'))
    const key = textOf(record.key)
    if (key === '') return { revision: modRevision, entries: revisionOf(headers.get('n')) }
    const created = headers.get('c')
    entries.push({
      key,
      value: record.value === null ? null : Uint8Array.from(record.value),
      createRevision: created === undefined ? modRevision : revisionOf(created),
      modRevision,
      leased: headers.has('l'),
    })
  }
  return entries
}

function recordOf(entry: JournalEntry): NewRecord {
  const headers = [{ key: 'm', value: String(entry.modRevision) }]
  if (entry.createRevision !== entry.modRevision) headers.push({ key: 'c', value: String(entry.createRevision) })
  if (entry.leased) headers.push({ key: 'l', value: '' })
  return { key: entry.key, value: entry.value, headers }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : utf8.decode(bytes)
}

function revisionOf(text: string | undefined): number {
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new JournalCorrupt(`a journal record has no valid number: ${text}`)
  return value
}
