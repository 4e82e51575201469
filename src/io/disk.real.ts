// The machine's disk, over file descriptors and callbacks: a read or write costs one promise and no stream.
import fs from 'node:fs'
import { dirname, resolve as absolute } from 'node:path'
import {
  DiskError,
  type DirectoryEntry,
  type Disk,
  type DiskFile,
  type DiskLock,
  type OpenOptions,
  type Volume,
} from './disk.ts'
import { FileReplacement } from './file-replacement.ts'
import { lockFolder } from './folder-lock.ts'

class RealDisk implements Disk {
  readonly #replacement = new FileReplacement(this)

  async open(path: string, options: OpenOptions = {}): Promise<DiskFile> {
    const { O_CREAT, O_RDONLY, O_RDWR } = fs.constants
    const flags = (options.readOnly === true ? O_RDONLY : O_RDWR) | (options.create === true ? O_CREAT : 0)
    const fd = await call<number>('open', path, (done) => fs.open(path, flags, 0o644, done))
    return new RealFile(path, fd)
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    try {
      return await call<Uint8Array>('read', path, (done) => fs.readFile(path, done))
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return null
      throw error
    }
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#replacement.replace(path, bytes)
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    let found: fs.Dirent[]
    try {
      found = await call<fs.Dirent[]>('list', path, (done) => fs.readdir(path, { withFileTypes: true }, done))
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return []
      throw error
    }
    const entries = await Promise.all(found.map((entry) => describe(path, entry)))
    return entries.filter((entry) => entry !== null).sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async makeFolder(folder: string): Promise<void> {
    const path = absolute(folder)
    const first = await call<string | undefined>('mkdir', path, (done) => fs.mkdir(path, { recursive: true }, done))
    if (first === undefined) return
    // Every folder that gained an entry: from the one above the first that was made, down to the last one's parent.
    const top = dirname(first)
    for (let above = dirname(path); ; above = dirname(above)) {
      await this.syncFolder(above)
      if (above.length <= top.length) return
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await call<void>('rename', from, (done) => fs.rename(from, to, done))
  }

  async remove(path: string): Promise<void> {
    await call<void>('remove', path, (done) => fs.rm(path, { recursive: true, force: true }, done))
  }

  async syncFolder(path: string): Promise<void> {
    // Windows has no handle on a folder that could be flushed; its journal keeps the order of such changes.
    if (process.platform === 'win32') return
    const fd = await call<number>('open', path, (done) => fs.open(path, fs.constants.O_RDONLY, done))
    try {
      await call<void>('fsync', path, (done) => fs.fsync(fd, done))
    } finally {
      await call<void>('close', path, (done) => fs.close(fd, done))
    }
  }

  async volume(path: string): Promise<Volume> {
    const stats = await call<fs.StatsFs>('statfs', path, (done) => fs.statfs(path, done))
    return { totalBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize }
  }

  async lock(folder: string): Promise<DiskLock | null> {
    try {
      return await lockFolder(folder)
    } catch (error) {
      throw asDiskError(error, `lock ${folder}`)
    }
  }
}

export const realDisk: Disk = new RealDisk()

/** More than this in one turn would keep everybody else waiting. */
const bytesNowMax = 2 * 1024 * 1024
/** What takes longer has waited for a device; a megabyte that goes to memory no one has touched yet takes two. */
const readMsMax = 4
const writeMsMax = 20
/** For so long after it all of its kind is left to threads, which may wait. */
const leftToThreadsMs = 250

/**
 * Whether reads, or writes, are done on this thread: what goes between memory and the page cache costs less than to hand it to another. But
 * a system that has too much to write makes writers wait, and what is not in the page cache is read from a device.
 */
class OwnThread {
  readonly #msMax: number
  #leftToThreadsUntil = 0

  constructor(msMax: number) {
    this.#msMax = msMax
  }

  /** When the work began, or NaN: it is to be left to a thread. */
  begin(sizeBytes: number): number {
    if (sizeBytes > bytesNowMax) return Number.NaN
    const now = performance.now()
    return now < this.#leftToThreadsUntil ? Number.NaN : now
  }

  end(startedAt: number): void {
    const now = performance.now()
    if (now - startedAt > this.#msMax) this.#leftToThreadsUntil = now + leftToThreadsMs
  }
}

const readsHere = new OwnThread(readMsMax)
const writesHere = new OwnThread(writeMsMax)

/** Reads of this size and more begin with a small one where they do not go on from the one before. */
const largeReadBytes = 256 * 1024
/**
 * Linux reads ahead of what it does not find in the page cache, best after a small read: windows that grow four times at each step, each begun
 * while the one before is used. A large read waits for one window of about its own size, and nothing is begun meanwhile.
 */
const firstReadBytes = 4096

/** Node takes at most 2 GiB in one call. */
const bytesPerCallMax = 1 << 30
/** IOV_MAX of Linux and macOS. */
const chunksPerCallMax = 1024

class RealFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  #running = 0
  /** Where the last `read` was to end. */
  #readTo = -Infinity
  #closing: Promise<void> | null = null
  #idle: (() => void) | null = null
  /** After one failed sync the system may have dropped the unwritten pages, and the next would wrongly succeed. */
  #syncFault: DiskError | null = null

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  async size(): Promise<number> {
    const stats = await this.#run<fs.Stats>('stat', (done) => fs.fstat(this.#fd, done))
    return stats.size
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const isInSequence = Math.abs(position - this.#readTo) < into.length
    this.#readTo = position + into.length
    if (into.length < largeReadBytes || isInSequence) return this.#read(into, position)
    // Side by side, and in this order: one after the other would cost a turn of the event loop where nothing waits for a device.
    const [first, rest] = await bothSettled(
      this.#read(into.subarray(0, firstReadBytes), position),
      this.#read(into.subarray(firstReadBytes), position + firstReadBytes),
    )
    return first < firstReadBytes ? first : first + rest
  }

  async #read(into: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < into.length) {
      const length = Math.min(into.length - done, bytesPerCallMax)
      const count = await this.#run<number>('read', (settle) =>
        fs.read(this.#fd, into, done, length, position + done, settle),
      )
      if (count === 0) break
      done += count
    }
    return done
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let left = chunks.filter((chunk) => chunk.length > 0)
    let at = position
    while (left.length > 0) {
      const batch = left.length > chunksPerCallMax ? left.slice(0, chunksPerCallMax) : left
      const count = await this.#run<number>('write', (settle) => fs.writev(this.#fd, batch, at, settle))
      if (count === 0) throw new DiskError('EIO', `write ${this.path}: the disk took nothing`)
      at += count
      left = withoutFirst(left, count)
    }
  }

  readNow(into: Uint8Array, position: number): number {
    const startedAt = this.#closing === null ? readsHere.begin(into.length) : Number.NaN
    if (Number.isNaN(startedAt)) return -1
    try {
      return fs.readSync(this.#fd, into, 0, into.length, position)
    } catch {
      return -1
    } finally {
      readsHere.end(startedAt)
    }
  }

  writeNow(chunks: readonly Uint8Array[], position: number): boolean {
    let size = 0
    for (const chunk of chunks) size += chunk.length
    if (chunks.length > chunksPerCallMax || this.#closing !== null) return false
    const startedAt = writesHere.begin(size)
    if (Number.isNaN(startedAt)) return false
    try {
      return fs.writevSync(this.#fd, chunks, position) === size
    } catch {
      return false
    } finally {
      writesHere.end(startedAt)
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#run<void>('truncate', (done) => fs.ftruncate(this.#fd, sizeBytes, done))
  }

  async sync(): Promise<void> {
    if (this.#syncFault !== null) throw this.#syncFault
    try {
      await this.#run<void>('sync', (done) => fs.fdatasync(this.#fd, done))
    } catch (error) {
      if (error instanceof DiskError && error.code !== 'EBADF') this.#syncFault = error
      throw error
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeOnceIdle()
    return this.#closing
  }

  /** A descriptor's number is given out again at once: closing under a running write would write to another file. */
  async #closeOnceIdle(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await call<void>('close', this.path, (done) => fs.close(this.#fd, done))
  }

  #run<T>(what: string, start: (done: Callback<T>) => void): Promise<T> {
    if (this.#closing !== null) return Promise.reject(new DiskError('EBADF', `${what} ${this.path}: closed`))
    return call<T>(what, this.path, (done) => {
      start((error, result) => {
        this.#running -= 1
        if (this.#running === 0) this.#idle?.()
        done(error, result)
      })
      this.#running += 1
    })
  }
}

type Callback<T> = (error: NodeJS.ErrnoException | null, result?: T) => void

/** One system call as a promise; its error becomes a `DiskError`. */
function call<T>(what: string, path: string, start: (done: Callback<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    start((error, result) => {
      if (error === null || error === undefined) resolve(result as T)
      else reject(asDiskError(error, `${what} ${path}`))
    })
  })
}

/** As `Promise.all`, but rejects no sooner than both have settled: what they read into may be used again then. */
async function bothSettled(one: Promise<number>, other: Promise<number>): Promise<[number, number]> {
  await Promise.allSettled([one, other])
  return Promise.all([one, other])
}

export function asDiskError(error: unknown, what: string): DiskError {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
  return new DiskError(code, what, { cause: error })
}

/** Null for what is neither file nor folder, and for what was removed meanwhile. */
async function describe(folder: string, entry: fs.Dirent): Promise<DirectoryEntry | null> {
  if (entry.isDirectory()) return { name: entry.name, kind: 'folder', sizeBytes: 0, modifiedAtMs: 0 }
  if (!entry.isFile()) return null
  const path = `${folder}/${entry.name}`
  try {
    const stats = await call<fs.Stats>('stat', path, (done) => fs.stat(path, done))
    return { name: entry.name, kind: 'file', sizeBytes: stats.size, modifiedAtMs: Math.floor(stats.mtimeMs) }
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return null
    throw error
  }
}

function withoutFirst(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  let left = count
  while (index < chunks.length && chunks[index]!.length <= left) {
    left -= chunks[index]!.length
    index += 1
  }
  const rest = chunks.slice(index)
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}
