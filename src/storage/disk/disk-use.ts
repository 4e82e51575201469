// What the files of a data folder take, by folder, as the disk's users tell it: kept up to date without asking the disk. A file counts in
// whole blocks and a folder as one, as `du` counts them on the usual file systems.

import type { DirectoryEntry } from '../../io/disk.ts'

export const blockBytes = 4096

/** A file's size; it stays the same object when the file is renamed. */
export interface CountedFile {
  sizeBytes: number
  folder: CountedFolder | null
}

interface CountedFolder {
  /** In whole blocks, its own included. */
  bytes: number
  /** It was listed: files that were there before this process are known. */
  complete: boolean
  readonly files: Map<string, CountedFile>
}

export class DiskUse {
  /** Everything that was told of. */
  totalBytes = 0
  readonly #folders = new Map<string, CountedFolder>()

  /** What a folder takes, without the folders in it. */
  bytesIn(folder: string): number {
    return this.#folders.get(folder)?.bytes ?? 0
  }

  /** Whether all of the folder's files are counted. */
  isComplete(folder: string): boolean {
    return this.#folders.get(folder)?.complete === true
  }

  find(path: string): CountedFile | undefined {
    const [folder, name] = split(path)
    return this.#folders.get(folder)?.files.get(name)
  }

  /** A file is there, or has just been made. */
  found(path: string, sizeBytes: number): CountedFile {
    const [folderPath, name] = split(path)
    const folder = this.#folder(folderPath)
    let file = folder.files.get(name)
    if (file === undefined) {
      file = { sizeBytes: 0, folder }
      folder.files.set(name, file)
    }
    this.resized(file, sizeBytes)
    return file
  }

  resized(file: CountedFile, sizeBytes: number): void {
    const grown = blocksOf(sizeBytes) - blocksOf(file.sizeBytes)
    file.sizeBytes = sizeBytes
    if (file.folder === null || grown === 0) return
    file.folder.bytes += grown
    this.totalBytes += grown
  }

  /** What is in the folder. Only the first listing says anything new: later ones may be older than what was told meanwhile. */
  listed(path: string, entries: readonly DirectoryEntry[]): void {
    const folder = this.#folder(path)
    if (folder.complete) return
    folder.complete = true
    for (const { name, kind, sizeBytes } of entries) {
      if (kind === 'file' && !folder.files.has(name)) this.found(`${path}/${name}`, sizeBytes)
    }
  }

  /** A file or a folder with its files is gone. */
  removed(path: string): void {
    const folder = this.#folders.get(path)
    if (folder !== undefined) {
      for (const [name, file] of folder.files) this.#drop(folder, name, file)
      this.totalBytes -= folder.bytes
      this.#folders.delete(path)
      return
    }
    const [above, name] = split(path)
    const holder = this.#folders.get(above)
    const file = holder?.files.get(name)
    if (holder !== undefined && file !== undefined) this.#drop(holder, name, file)
  }

  /** False when nothing is known of it. */
  renamed(from: string, to: string): boolean {
    const folder = this.#folders.get(from)
    if (folder !== undefined) {
      this.removed(to)
      this.#folders.delete(from)
      this.#folders.set(to, folder)
      return true
    }
    const file = this.find(from)
    if (file === undefined) return false
    const { sizeBytes } = file
    const [above, name] = split(from)
    this.#drop(this.#folders.get(above)!, name, file)
    this.removed(to)
    const [target, newName] = split(to)
    file.folder = this.#folder(target)
    file.folder.files.set(newName, file)
    file.sizeBytes = 0
    this.resized(file, sizeBytes)
    return true
  }

  #folder(path: string): CountedFolder {
    let folder = this.#folders.get(path)
    if (folder === undefined) {
      folder = { bytes: blockBytes, complete: false, files: new Map() }
      this.#folders.set(path, folder)
      this.totalBytes += blockBytes
    }
    return folder
  }

  #drop(folder: CountedFolder, name: string, file: CountedFile): void {
    const bytes = blocksOf(file.sizeBytes)
    folder.files.delete(name)
    folder.bytes -= bytes
    this.totalBytes -= bytes
    file.folder = null
  }
}

function blocksOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes
}

function split(path: string): [folder: string, name: string] {
  const at = path.lastIndexOf('/')
  return [path.slice(0, at), path.slice(at + 1)]
}
