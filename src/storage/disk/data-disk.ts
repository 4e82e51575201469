// The disk as a broker's data folder uses it: it counts what the files take (disk-use.ts), and when the volume is full it gives up what
// was kept back for that moment, so that what a broker cannot do without is still written: metadata, checkpoints, side files, committed
// offsets, transactions. Batches of ordinary topics get none of it: their producers are told to try again.

import type { DirectoryEntry, Disk, DiskFile, DiskLock, OpenOptions } from '../../io/disk.ts'
import { FileReplacement } from '../../io/file-replacement.ts'
import type { CountedFile, DiskUse } from './disk-use.ts'
import { isNoRoom } from '../../io/no-room.ts'

export interface DataDiskOptions {
  readonly disk: Disk
  readonly use: DiskUse
  /** Whose bytes may use the room that was kept back. What is no more than a name always may. */
  readonly isPrivileged: (path: string) => boolean
  /** There was no room for something privileged: makes some, if there is any to make. Must not reject. */
  readonly makeRoom: () => Promise<void>
}

export class DataDisk implements Disk {
  readonly #disk: Disk
  readonly #use: DiskUse
  readonly #options: DataDiskOptions
  readonly #replacement = new FileReplacement(this)

  constructor(options: DataDiskOptions) {
    this.#disk = options.disk
    this.#use = options.use
    this.#options = options
  }

  async open(path: string, options: OpenOptions = {}): Promise<DiskFile> {
    const inner = await this.#withRoom(() => this.#disk.open(path, options))
    const counted = this.#use.find(path) ?? this.#use.found(path, await inner.size())
    const withRoom = this.#options.isPrivileged(path) ? (work: () => Promise<void>) => this.#withRoom(work) : null
    return new DataFile(inner, counted, this.#use, withRoom)
  }

  readFile(path: string): Promise<Uint8Array | null> {
    return this.#disk.readFile(path)
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#replacement.replace(path, bytes)
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    const entries = await this.#disk.list(path)
    this.#use.listed(path, entries)
    return entries
  }

  async makeFolder(path: string): Promise<void> {
    await this.#withRoom(() => this.#disk.makeFolder(path))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#withRoom(() => this.#disk.rename(from, to))
    if (this.#use.renamed(from, to)) return
    // A file that was written past this disk: by the thread that cleans logs.
    const sizeBytes = await this.#sizeOf(to)
    if (sizeBytes !== null) this.#use.found(to, sizeBytes)
  }

  async remove(path: string): Promise<void> {
    await this.#disk.remove(path)
    this.#use.removed(path)
  }

  syncFolder(path: string): Promise<void> {
    return this.#disk.syncFolder(path)
  }

  volume(path: string): ReturnType<Disk['volume']> {
    return this.#disk.volume(path)
  }

  lock(folder: string): Promise<DiskLock | null> {
    return this.#disk.lock(folder)
  }

  /** Null for a folder, and for what cannot be asked: it is counted at the next start. */
  async #sizeOf(path: string): Promise<number | null> {
    const slash = path.lastIndexOf('/')
    const entries = await this.#disk.list(path.slice(0, slash)).catch(() => [])
    const found = entries.find(({ name }) => name === path.slice(slash + 1))
    return found?.kind === 'file' ? found.sizeBytes : null
  }

  /** Does it once more when there was no room: some may have been made, for this one or for another that met the same at the same time. */
  async #withRoom<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isNoRoom(error)) throw error
      await this.#options.makeRoom()
      return work()
    }
  }
}

class DataFile implements DiskFile {
  readonly path: string
  readonly #inner: DiskFile
  readonly #counted: CountedFile
  readonly #use: DiskUse
  /** Null: a write that finds no room fails. */
  readonly #withRoom: ((work: () => Promise<void>) => Promise<void>) | null

  constructor(
    inner: DiskFile,
    counted: CountedFile,
    use: DiskUse,
    withRoom: ((work: () => Promise<void>) => Promise<void>) | null,
  ) {
    this.path = inner.path
    this.#inner = inner
    this.#counted = counted
    this.#use = use
    this.#withRoom = withRoom
  }

  size(): Promise<number> {
    return this.#inner.size()
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#inner.read(into, position)
  }

  readNow(into: Uint8Array, position: number): number {
    return this.#inner.readNow(into, position)
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#countAhead(chunks, position)
    try {
      if (this.#withRoom === null) await this.#inner.write(chunks, position)
      else await this.#withRoom(() => this.#inner.write(chunks, position))
    } catch (error) {
      await this.#countAgain()
      throw error
    }
  }

  writeNow(chunks: readonly Uint8Array[], position: number): boolean {
    this.#countAhead(chunks, position)
    return this.#inner.writeNow(chunks, position)
  }

  async truncate(sizeBytes: number): Promise<void> {
    if (this.#withRoom === null) await this.#inner.truncate(sizeBytes)
    else await this.#withRoom(() => this.#inner.truncate(sizeBytes))
    this.#use.resized(this.#counted, sizeBytes)
  }

  sync(): Promise<void> {
    return this.#inner.sync()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  /** Before it is written: what is about to be there counts. */
  #countAhead(chunks: readonly Uint8Array[], position: number): void {
    let end = position
    for (const chunk of chunks) end += chunk.length
    if (end > position && end > this.#counted.sizeBytes) this.#use.resized(this.#counted, end)
  }

  /** A write that failed may have written a part. */
  async #countAgain(): Promise<void> {
    try {
      this.#use.resized(this.#counted, await this.#inner.size())
    } catch {
      // The write's own fault is the one to report; until the next start the file counts as what it was to become.
    }
  }
}
