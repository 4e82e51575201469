// Open files of all logs of a broker, bounded: a file is opened when it is first used, and one that was not used lately and is idle is
// closed when too many are open. So 10,000 partitions need no 10,000 descriptors.

import type { Disk, DiskFile } from '../io/disk.ts'
import { LogClosedError } from './log-errors.ts'

export class FileHandles {
  readonly disk: Disk
  readonly #openMax: number
  /**
   * Open files in the order of their turns: one that was used since its last turn gets another one at the end. To keep them in the order of
   * use would be a change of the set with each write.
   */
  readonly #open = new Set<PooledFile>()

  constructor(disk: Disk, openMax: number) {
    this.disk = disk
    this.#openMax = openMax
  }

  file(path: string): PooledFile {
    return new PooledFile(path, this)
  }

  /** @internal */
  opened(file: PooledFile): void {
    this.#open.add(file)
    this.idle()
  }

  /** @internal Nothing runs on a file any more: what could not be closed while all were busy can be now. */
  idle(): void {
    if (this.#open.size > this.#openMax) this.#closeUnused()
  }

  #closeUnused(): void {
    let turns = 2 * this.#open.size
    for (const file of this.#open) {
      if (turns-- === 0) break
      if (file.usedSinceTurn) {
        file.usedSinceTurn = false
        this.#open.delete(file)
        this.#open.add(file)
      } else if (file.closeIfIdle()) {
        this.#open.delete(file)
        if (this.#open.size <= this.#openMax) break
      }
    }
  }

  /** @internal */
  closed(file: PooledFile): void {
    this.#open.delete(file)
  }
}

/** A file by its path, open or not. Missing files are created by the first write, not by a read. */
export class PooledFile {
  path: string
  /** @internal */
  usedSinceTurn = false
  readonly #handles: FileHandles
  #file: DiskFile | null = null
  #opening: Promise<DiskFile> | null = null
  #closing: Promise<void> | null = null
  #running = 0
  #retired = false
  /** A sync of one handle covers writes through another (fsync is by file), but a failed close must not go unseen. */
  #closeFault: Error | null = null

  constructor(path: string, handles: FileHandles) {
    this.path = path
    this.#handles = handles
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const file = await this.#begin(false)
    try {
      return await file.read(into, position)
    } finally {
      this.#ended()
    }
  }

  /** As `DiskFile.readNow`; -1 also for a file that is not open. */
  readNow(into: Uint8Array, position: number): number {
    if (this.#file === null || this.#retired || this.#closeFault !== null) return -1
    this.usedSinceTurn = true
    return this.#file.readNow(into, position)
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const file = await this.#begin(true)
    try {
      await file.write(chunks, position)
    } finally {
      this.#ended()
    }
  }

  /** As `DiskFile.writeNow`; false also for a file that is not open. */
  writeNow(chunks: readonly Uint8Array[], position: number): boolean {
    if (this.#file === null || this.#retired || this.#closeFault !== null) return false
    this.usedSinceTurn = true
    return this.#file.writeNow(chunks, position)
  }

  async truncate(sizeBytes: number): Promise<void> {
    const file = await this.#begin(false)
    try {
      await file.truncate(sizeBytes)
    } finally {
      this.#ended()
    }
  }

  async sync(): Promise<void> {
    const file = await this.#begin(false)
    try {
      await file.sync()
    } finally {
      this.#ended()
    }
  }

  /** The next use opens the file anew: a handle whose sync failed fails for ever. Nothing may be running on it. */
  async reopen(): Promise<void> {
    const file = this.#file
    if (file === null) return
    this.#file = null
    this.#handles.closed(this)
    await file.close()
  }

  #ended(): void {
    this.#running--
    if (this.#running === 0) this.#handles.idle()
  }

  /** For good: whoever still holds the file may not open it again. */
  async close(): Promise<void> {
    this.#retired = true
    await this.#opening?.catch(() => undefined)
    if (this.#file !== null) {
      const file = this.#file
      this.#file = null
      this.#handles.closed(this)
      await file.close()
    }
    await this.#closing
  }

  /** @internal Starts to close when nothing runs on it; a failure shows at the next use. */
  closeIfIdle(): boolean {
    if (this.#running > 0 || this.#file === null) return false
    const file = this.#file
    this.#file = null
    this.#closing = file
      .close()
      .catch((error: Error) => {
        this.#closeFault = error
      })
      .then(() => {
        this.#closing = null
      })
    return true
  }

  async #begin(create: boolean): Promise<DiskFile> {
    if (this.#retired) throw new LogClosedError(`${this.path} is closed`)
    if (this.#closeFault !== null) throw this.#closeFault
    // Counted before the file is there, so that it cannot be closed between being opened and being used.
    this.#running++
    if (this.#file !== null) {
      this.usedSinceTurn = true
      return this.#file
    }
    try {
      return await (this.#opening ??= this.#openNow(create))
    } catch (error) {
      this.#running--
      throw error
    }
  }

  async #openNow(create: boolean): Promise<DiskFile> {
    try {
      this.#file = await this.#handles.disk.open(this.path, { create })
      this.usedSinceTurn = true
      this.#handles.opened(this)
      return this.#file
    } finally {
      this.#opening = null
    }
  }
}
