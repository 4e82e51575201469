// A disk without a disk: the embedded broker's store, and the body of the simulated one. It forgets everything with the
// process; what it promises about a crash is therefore trivially so.
import { systemClock } from './clock.ts'
import type { DirectoryEntry, Disk, DiskFile, DiskLock, OpenOptions, Volume } from './disk.ts'
import { FileReplacement } from './file-replacement.ts'
import { fault, type FileNode, MemoryTree, type TreeNode, type WallClock } from './memory-tree.ts'

export interface MemoryDiskOptions {
  /** Writing beyond it is an ENOSPC fault; counted as the sum of file sizes. Default: no limit. */
  readonly capacityBytes?: number
  /** Dates the files. Default: the machine's. */
  readonly clock?: WallClock
}

export class MemoryDisk implements Disk {
  readonly #tree: MemoryTree
  readonly #capacityBytes: number
  readonly #replacement = new FileReplacement(this)

  constructor(options: MemoryDiskOptions = {}) {
    this.#tree = new MemoryTree(options.clock ?? systemClock)
    this.#capacityBytes = options.capacityBytes ?? Infinity
  }

  get usedBytes(): number {
    return this.#tree.usedBytes
  }

  async open(path: string, options: OpenOptions = {}): Promise<DiskFile> {
    const node = this.#tree.openFile(path, options.create === true)
    return new MemoryFile(path, this.#tree, node, this.#capacityBytes, options.readOnly === true)
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    return contentOf(this.#tree.find(path), path)
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#replacement.replace(path, bytes)
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    return entriesOf(this.#tree.find(path), path)
  }

  async makeFolder(path: string): Promise<void> {
    this.#tree.makeFolder(path)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#tree.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    this.#tree.remove(path)
  }

  async syncFolder(path: string): Promise<void> {
    this.#tree.folder(path)
  }

  async volume(path: string): Promise<Volume> {
    return volumeOf(this.#tree, path, this.#capacityBytes)
  }

  async lock(folder: string): Promise<DiskLock | null> {
    return lockFolder(this.#tree, folder)
  }
}

/** What `Disk.readFile` answers for a node. */
export function contentOf(node: TreeNode | undefined, path: string): Uint8Array | null {
  if (node === undefined) return null
  if (node.kind === 'folder') throw fault('EISDIR', path)
  return node.content.toBytes()
}

/** What `Disk.list` answers for a node. */
export function entriesOf(node: TreeNode | undefined, path: string): DirectoryEntry[] {
  if (node === undefined) return []
  if (node.kind === 'file') throw fault('ENOTDIR', path)
  return Array.from(node.entries, ([name, child]): DirectoryEntry => {
    if (child.kind === 'folder') return { name, kind: 'folder', sizeBytes: 0, modifiedAtMs: 0 }
    return { name, kind: 'file', sizeBytes: child.content.size, modifiedAtMs: child.modifiedAtMs }
  }).sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** What `Disk.volume` answers on a disk of this capacity. */
export function volumeOf(tree: MemoryTree, path: string, capacityBytes: number): Volume {
  if (tree.find(path) === undefined) throw fault('ENOENT', path)
  return { totalBytes: capacityBytes, freeBytes: Math.max(0, capacityBytes - tree.usedBytes) }
}

export function lockFolder(tree: MemoryTree, path: string): DiskLock | null {
  const folder = tree.folder(path)
  if (folder.locked) return null
  folder.locked = true
  let held = true
  return {
    async release() {
      if (held) folder.locked = false
      held = false
    },
  }
}

/** Writes as much as fits below `capacityBytes`, then fails with ENOSPC, as a real disk does. */
export function writeWithin(
  tree: MemoryTree,
  file: FileNode,
  bytes: Uint8Array,
  position: number,
  capacityBytes: number,
): number {
  const before = file.content.size
  const room = Math.max(0, Math.max(0, capacityBytes - tree.usedBytes) + before - position)
  const fitting = bytes.length <= room ? bytes : bytes.subarray(0, room)
  file.content.write(fitting, position)
  tree.changed(file, before)
  return fitting.length
}

class MemoryFile implements DiskFile {
  readonly path: string
  readonly #tree: MemoryTree
  readonly #node: FileNode
  readonly #capacityBytes: number
  readonly #readOnly: boolean
  #open = true

  constructor(path: string, tree: MemoryTree, node: FileNode, capacityBytes: number, readOnly: boolean) {
    this.path = path
    this.#tree = tree
    this.#node = node
    this.#capacityBytes = capacityBytes
    this.#readOnly = readOnly
    node.handles += 1
  }

  async size(): Promise<number> {
    this.#check(false)
    return this.#node.content.size
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#check(false)
    return this.#node.content.read(into, position)
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#check(true)
    let at = position
    for (const chunk of chunks) {
      const written = writeWithin(this.#tree, this.#node, chunk, at, this.#capacityBytes)
      if (written < chunk.length) throw fault('ENOSPC', this.path)
      at += written
    }
  }

  readNow(): number {
    return -1
  }

  writeNow(): boolean {
    return false
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#check(true)
    const before = this.#node.content.size
    if (sizeBytes > before && this.#tree.usedBytes + sizeBytes - before > this.#capacityBytes) {
      throw fault('ENOSPC', this.path)
    }
    this.#node.content.truncate(sizeBytes)
    this.#tree.changed(this.#node, before)
  }

  async sync(): Promise<void> {
    this.#check(false)
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#tree.closed(this.#node)
  }

  #check(writing: boolean): void {
    if (!this.#open || (writing && this.#readOnly)) throw fault('EBADF', this.path)
  }
}
