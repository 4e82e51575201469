// The disk as a broker's data folder uses it: it counts what the files take (disk-use.ts), and when the volume is full it gives up what
// was kept back for that moment, so that what a broker cannot do without is still written: metadata, checkpoints, side files, committed
// offsets, transactions. Batches of ordinary topics get none of it: their producers are told to try again.

import {
  DiskError,
  type DirectoryEntry,
  type Disk,
  type DiskFile,
  type DiskLock,
  type OpenOptions,
} from '../../io/disk.ts'
import { FileReplacement } from '../../io/file-replacement.ts'
import type { CountedFile, DiskUse } from './disk-use.ts'

/** Whether a fault of the disk says that there is no room, for anybody or for this user. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof DiskError && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

export interface DataDiskOptions {
  readonly disk: Disk
  readonly use: DiskUse
  /** What may use the room that was kept back. */
  readonly isPrivileged: (path: string) => boolean
  /** There was no room for something privileged: makes some; false when there is none to make. Must not reject. */
  readonly makeRoom: () => Promise<boolean>
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
    const inner = await this.withRoom(path, () => this.#disk.open(path, options))
    const counted = this.#use.find(path) ?? this.#use.found(path, await inner.size())
    return new DataFile(inner, counted, this, this.#use)
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
    await this.withRoom(path, () => this.#disk.makeFolder(path))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.withRoom(to, () => this.#disk.rename(from, to))
    this.#use.renamed(from, to)
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

  /** @internal Does it once more when there was no room, it is privileged, and room could be made. */
  async withRoom<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isNoRoom(error) || !this.#options.isPrivileged(path) || !(await this.#options.makeRoom())) throw error
      return work()
    }
  }
}

class DataFile implements DiskFile {
  readonly path: string
  readonly #inner: DiskFile
  readonly #counted: CountedFile
  readonly #disk: DataDisk
  readonly #use: DiskUse

  constructor(inner: DiskFile, counted: CountedFile, disk: DataDisk, use: DiskUse) {
    this.path = inner.path
    this.#inner = inner
    this.#counted = counted
    this.#disk = disk
    this.#use = use
  }

  size(): Promise<number> {
    return this.#inner.size()
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#inner.read(into, position)
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let end = position
    for (const chunk of chunks) end += chunk.length
    // Before it is written: what is about to be there counts.
    if (end > this.#counted.sizeBytes) this.#use.resized(this.#counted, end)
    try {
      await this.#disk.withRoom(this.path, () => this.#inner.write(chunks, position))
    } catch (error) {
      await this.#countAgain()
      throw error
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#disk.withRoom(this.path, () => this.#inner.truncate(sizeBytes))
    this.#use.resized(this.#counted, sizeBytes)
  }

  sync(): Promise<void> {
    return this.#inner.sync()
  }

  close(): Promise<void> {
    return this.#inner.close()
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
