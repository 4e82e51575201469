// The journal as a log of Kafka record batches in one folder. There is one file at a time, named by the offset of its first
// record: a snapshot, and after it one batch per commit. A commit is written and synced before the next begins, so a crash can only
// damage the last batch; a bad batch with a good one behind it is damage of another kind, and nothing starts on it.

import { nextOffsetOf } from '../records/batch.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { invariant } from '../lib/invariant.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { encodeEntries, encodeSnapshotMark } from './journal-format.ts'
import { isJournalFile, newestJournalOf, readJournal } from './journal-reading.ts'
import type { Revision } from './meta-store.ts'

/** Entries in one batch of a snapshot: some 100 KB, so that no step stalls the event loop. */
const snapshotBatchEntries = 1000

export class FileJournal implements Journal {
  readonly #disk: Disk
  readonly #folder: string
  #file: DiskFile | null = null
  #nextOffset = 0
  #sizeBytes = 0
  #snapshotBytes = 0

  /** `folder`: `<data>/__cluster_metadata-0`; made when absent. */
  constructor(disk: Disk, folder: string) {
    this.#disk = disk
    this.#folder = folder
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes
  }

  /** Rejects with `JournalCorrupt` when the file is damaged elsewhere than at its end. */
  async load(visit: (entry: JournalEntry) => void): Promise<Revision> {
    invariant(this.#file === null, 'a journal is loaded once')
    await this.#disk.makeFolder(this.#folder)
    const names = (await this.#disk.list(this.#folder)).map((entry) => entry.name)
    const newest = newestJournalOf(names)
    if (newest === undefined) {
      await this.replace(0, [])
      return 0
    }
    const revision = await this.#loadFile(newest, visit)
    // Left by a crash between the rename of a new file and the removal of the old one, or before the rename.
    await this.#removeAll(names.filter((name) => name !== newest && isJournalFile(name)))
    return revision
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    invariant(this.#file !== null, 'append to a journal that is not open')
    const batch = encodeEntries(entries, this.#nextOffset)
    await this.#file.write([batch], this.#sizeBytes)
    await this.#file.sync()
    this.#sizeBytes += batch.length
    this.#nextOffset += entries.length
  }

  async replace(revision: Revision, entries: Iterable<JournalEntry>): Promise<void> {
    const all = [...entries]
    const name = `${String(this.#nextOffset).padStart(20, '0')}.log`
    const path = `${this.#folder}/${name}`
    const old = this.#file
    await this.#disk.remove(`${path}.tmp`)
    const file = await this.#disk.open(`${path}.tmp`, { create: true })
    let offset = this.#nextOffset
    let position = 0
    const write = async (batch: Uint8Array) => {
      await file.write([batch], position)
      position += batch.length
      offset = nextOffsetOf(batch)
    }
    await write(encodeSnapshotMark({ revision, entries: all.length }, offset))
    for (let i = 0; i < all.length; i += snapshotBatchEntries) {
      await write(encodeEntries(all.slice(i, i + snapshotBatchEntries), offset))
    }
    await file.sync()
    await file.close()
    await this.#disk.rename(`${path}.tmp`, path)
    await this.#disk.syncFolder(this.#folder)
    this.#file = await this.#disk.open(path)
    this.#nextOffset = offset
    this.#sizeBytes = position
    this.#snapshotBytes = position
    if (old !== null) {
      await old.close()
      await this.#disk.remove(old.path)
      await this.#disk.syncFolder(this.#folder)
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
  }

  async #loadFile(name: string, visit: (entry: JournalEntry) => void): Promise<Revision> {
    const path = `${this.#folder}/${name}`
    const bytes = (await this.#disk.readFile(path)) ?? new Uint8Array(0)
    const { nextOffset, sizeBytes, snapshotBytes, revision } = readJournal(path, bytes, visit)
    this.#nextOffset = nextOffset
    this.#sizeBytes = sizeBytes
    this.#snapshotBytes = snapshotBytes
    this.#file = await this.#disk.open(path)
    if (sizeBytes < bytes.length) await this.#file.truncate(sizeBytes)
    // What a killed process wrote, and the name of its file, may not be on disk yet, and are about to be believed.
    await this.#file.sync()
    await this.#disk.syncFolder(this.#folder)
    return revision
  }

  async #removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#disk.remove(`${this.#folder}/${name}`)
    if (names.length > 0) await this.#disk.syncFolder(this.#folder)
  }
}
