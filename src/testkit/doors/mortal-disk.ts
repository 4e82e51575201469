// A disk as a process sees it that may be killed: what it wrote stays (the page cache is the machine's), what it wanted to write is
// never written, it hears of nothing any more, and its lock and its open files are free.

import type { DirectoryEntry, Disk, DiskFile, DiskLock, OpenOptions, Volume } from '../../io/disk.ts'

/** What a dead process waits for. */
const never = new Promise<never>(() => {})

/** One life: whether it goes on, and what of it is under way. */
class Life {
  #dead = false
  readonly #underWay = new Set<Promise<unknown>>()
  readonly held = new Set<() => Promise<void>>()

  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#dead) return never
    const begun = operation()
    const settled = begun.then(
      () => {},
      () => {},
    )
    this.#underWay.add(settled)
    try {
      const result = await begun
      return this.#dead ? await never : result
    } catch (error) {
      if (this.#dead) return never
      throw error
    } finally {
      this.#underWay.delete(settled)
    }
  }

  /** Resolves when nothing of it touches the disk any more. */
  async end(): Promise<void> {
    this.#dead = true
    await Promise.all(this.#underWay)
    await Promise.all([...this.held].map((release) => release()))
  }
}

export class MortalDisk implements Disk {
  readonly #disk: Disk
  readonly #life = new Life()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Resolves when its files and locks are free for the next life. */
  kill(): Promise<void> {
    return this.#life.end()
  }

  async open(path: string, options?: OpenOptions): Promise<DiskFile> {
    const life = this.#life
    return life.run(async () => {
      const file = await this.#disk.open(path, options)
      const close = () => file.close()
      life.held.add(close)
      return {
        path: file.path,
        size: () => life.run(() => file.size()),
        read: (into, position) => life.run(() => file.read(into, position)),
        write: (chunks, position) => life.run(() => file.write(chunks, position)),
        readNow: () => -1,
        writeNow: () => false,
        truncate: (sizeBytes) => life.run(() => file.truncate(sizeBytes)),
        sync: () => life.run(() => file.sync()),
        close: () => {
          life.held.delete(close)
          return life.run(close)
        },
      } satisfies DiskFile
    })
  }

  readFile(path: string): Promise<Uint8Array | null> {
    return this.#life.run(() => this.#disk.readFile(path))
  }

  replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    return this.#life.run(() => this.#disk.replaceFile(path, bytes))
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return this.#life.run(() => this.#disk.list(path))
  }

  makeFolder(path: string): Promise<void> {
    return this.#life.run(() => this.#disk.makeFolder(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#life.run(() => this.#disk.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#life.run(() => this.#disk.remove(path))
  }

  syncFolder(path: string): Promise<void> {
    return this.#life.run(() => this.#disk.syncFolder(path))
  }

  volume(path: string): Promise<Volume> {
    return this.#life.run(() => this.#disk.volume(path))
  }

  lock(folder: string): Promise<DiskLock | null> {
    return this.#life.run(async () => {
      const lock = await this.#disk.lock(folder)
      if (lock === null) return null
      const release = () => lock.release()
      this.#life.held.add(release)
      return {
        release: () => {
          this.#life.held.delete(release)
          return this.#life.run(release)
        },
      }
    })
  }
}
