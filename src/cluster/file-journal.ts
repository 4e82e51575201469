// The journal as a log of Kafka record batches in one folder. There is one file at a time, named by the offset of its first
// record: a snapshot, and after it one batch per commit. A commit is written and synced before the next begins, so a crash can only
// damage the last batch; a bad batch with a good one behind it is damage of another kind, and nothing starts on it.

import { nextOffsetOf } from '../records/batch.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { isNoRoom } from '../io/no-room.ts'
import { invariant } from '../lib/invariant.ts'
import { type Journal, type JournalEntry, JournalFull } from './journal.ts'
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
    try {
      await this.#file.write([batch], this.#sizeBytes)
    } catch (error) {
      if (!isNoRoom(error)) throw error
      await this.#file.truncate(this.#sizeBytes)
      throw new JournalFull(`no room for a change in ${this.#file.path}`, { cause: error })
    }
    await this.#file.sync()
    this.#sizeBytes += batch.length
    this.#nextOffset += entries.length
  }

  async replace(revision: Revision, entries: Iterable<JournalEntry>): Promise<void> {
    const name = `${String(this.#nextOffset).padStart(20, '0')}.log`
    const path = `${this.#folder}/${name}`
    const old = this.#file
    const { offset, position } = await this.#writeSnapshot(`${path}.tmp`, revision, [...entries])
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

  /** Synced, and not in use yet. Leaves nothing behind when there is no room for it. */
  async #writeSnapshot(
    path: string,
    revision: Revision,
    all: readonly JournalEntry[],
  ): Promise<{ offset: number; position: number }> {
    await this.#disk.remove(path)
    try {
      return await this.#writeEntries(path, revision, all)
    } catch (error) {
      if (!isNoRoom(error)) throw error
      await this.#disk.remove(path)
      throw new JournalFull(`no room for a snapshot in ${path}`, { cause: error })
    }
  }

  async #writeEntries(
    path: string,
    revision: Revision,
    all: readonly JournalEntry[],
  ): Promise<{ offset: number; position: number }> {
    const file = await this.#disk.open(path, { create: true })
    let offset = this.#nextOffset
    let position = 0
    const write = async (batch: Uint8Array) => {
      await file.write([batch], position)
      position += batch.length
      offset = nextOffsetOf(batch)
    }
    try {
      await write(encodeSnapshotMark({ revision, entries: all.length }, offset))
      for (let i = 0; i < all.length; i += snapshotBatchEntries) {
        await write(encodeEntries(all.slice(i, i + snapshotBatchEntries), offset))
      }
      await file.sync()
    } finally {
      await file.close()
    }
    return { offset, position }
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
