// The door to the disk: positional files, whole-file replacement, and an explicit word for every point at which
// something must have survived a crash. Paths are the implementation's own; '/' separates folders in all of them.

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'folder'
  /** 0 for folders. */
  readonly sizeBytes: number
  /** When its content was last written or its size changed, wall time; a rename leaves it. 0 for folders. */
  readonly modifiedAtMs: number
}

/** What the file system a path lies on can hold; both Infinity on a disk in memory that was given no limit. */
export interface Volume {
  readonly totalBytes: number
  /** What this process may still write: space that is kept for the machine's administrator does not count. */
  readonly freeBytes: number
}

export interface OpenOptions {
  /** Creates the file when it is absent; without it that is an ENOENT fault. Durable after `syncFolder`. */
  readonly create?: boolean
  readonly readOnly?: boolean
}

/** Every method rejects with a `DiskError` when the disk fails it. */
export interface Disk {
  /** Opens for positional reads and writes. */
  open(path: string, options?: OpenOptions): Promise<DiskFile>
  /** The whole content, the caller's to keep; null when absent. */
  readFile(path: string): Promise<Uint8Array | null>
  /**
   * Replaces the whole file: writes `<path>.tmp`, syncs it, renames it, syncs the folder. After a crash the file
   * has the old or the new content; after the promise, the new.
   */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>
  /** What the folder holds, sorted by name; [] when absent. */
  list(path: string): Promise<DirectoryEntry[]>
  /** Makes the folder and those above it, all durable when the promise resolves. One that exists is fine. */
  makeFolder(path: string): Promise<void>
  /** Replaces a file at `to`. Durable after `syncFolder` of the parent (of both, when they differ). */
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a whole folder; absent is fine. Durable after `syncFolder` of the parent. */
  remove(path: string): Promise<void>
  /** Creations, renames and removals in this folder survive a crash. */
  syncFolder(path: string): Promise<void>
  /** The space of the file system that holds this file or folder, as it is now; an absent path is an ENOENT fault. */
  volume(path: string): Promise<Volume>
  /**
   * An exclusive hold on a folder for this process's life; null when another holder has it, in this process or
   * another. The operating system frees it when the process ends in any way, kill -9 included.
   */
  lock(folder: string): Promise<DiskLock | null>
}

export interface DiskFile {
  readonly path: string
  size(): Promise<number>
  /** Reads up to `into.length` bytes at `position`; answers how many, fewer only at the end of the file, 0 beyond it. */
  read(into: Uint8Array, position: number): Promise<number>
  /**
   * Reads before it returns, when that is likely to take no waiting for a device. As many bytes as `read` would answer; -1 when it would
   * not, or could not for whatever reason: then `read` the same.
   */
  readNow(into: Uint8Array, position: number): number
  /** Writes all chunks one after the other at `position`. They must not change until the promise settles. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>
  /**
   * Writes all chunks before it returns, when the system takes them without waiting for a device. False when it would not, or did not take
   * all of them for whatever reason: then `write` the same again.
   */
  writeNow(chunks: readonly Uint8Array[], position: number): boolean
  truncate(sizeBytes: number): Promise<void>
  /** Data and size survive a crash (fdatasync). */
  sync(): Promise<void>
  /** Waits for nothing but the operations already begun; a second call is fine. */
  close(): Promise<void>
}

export interface DiskLock {
  release(): Promise<void>
}

/** A fault of the disk; `code` is the errno name ('ENOSPC', 'EIO', 'ENOENT', …). */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(`${code}: ${message}`, options)
    this.code = code
  }
}
