// Folders and files in memory, with the manners of a POSIX file system: the errors have its names, and a file that is
// removed lives on for those who hold it open. Everything here happens at once; the disks add the waiting.
import { posix } from 'node:path'
import { invariant } from '../lib/invariant.ts'
import { ChunkedBytes } from './chunked-bytes.ts'
import type { Clock } from './clock.ts'
import { DiskError } from './disk.ts'

export class FileNode {
  readonly kind = 'file'
  readonly content: ChunkedBytes
  /** Whether a folder still holds it. */
  linked = true
  handles = 0
  /** Wall time. */
  modifiedAtMs: number

  constructor(modifiedAtMs: number, content: ChunkedBytes = new ChunkedBytes()) {
    this.modifiedAtMs = modifiedAtMs
    this.content = content
  }
}

export class FolderNode {
  readonly kind = 'folder'
  readonly entries = new Map<string, TreeNode>()
  locked = false
}

export type TreeNode = FileNode | FolderNode

/** Where a path ends: its folder, and the entry there if it exists. */
export interface Place {
  readonly folder: FolderNode
  readonly name: string
  readonly node: TreeNode | undefined
}

/** What a file's date is taken from. */
export type WallClock = Pick<Clock, 'now'>

/** Told of a change to a folder's entries just before it is made. */
export type EntryChange = (folder: FolderNode, name: string, node: TreeNode) => void

export class MemoryTree {
  readonly root = new FolderNode()
  /** Dates the files. */
  readonly clock: WallClock
  /** Sum of the sizes of all files, those still open after their removal included. */
  usedBytes = 0

  constructor(clock: WallClock) {
    this.clock = clock
  }

  /** The node at `path`, or undefined. */
  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.root
    for (const part of partsOf(path)) node = node?.kind === 'folder' ? node.entries.get(part) : undefined
    return node
  }

  folder(path: string): FolderNode {
    const node = this.find(path)
    if (node === undefined) throw fault('ENOENT', path)
    if (node.kind !== 'folder') throw fault('ENOTDIR', path)
    return node
  }

  /** Fails with ENOENT when the folder above does not exist. */
  place(path: string): Place {
    const parts = partsOf(path)
    const name = parts.pop()
    if (name === undefined) throw fault('EISDIR', path)
    const folder = this.folder(parts.join('/'))
    return { folder, name, node: folder.entries.get(name) }
  }

  /** The file at `path`; created when `create` is true. */
  openFile(path: string, create: boolean, created?: EntryChange): FileNode {
    const { folder, name, node } = this.place(path)
    if (node?.kind === 'folder') throw fault('EISDIR', path)
    if (node !== undefined) return node
    if (!create) throw fault('ENOENT', path)
    const file = new FileNode(this.clock.now())
    created?.(folder, name, file)
    folder.entries.set(name, file)
    return file
  }

  /** Makes the folder and those above it. */
  makeFolder(path: string, made?: EntryChange): void {
    let folder = this.root
    for (const part of partsOf(path)) {
      let next = folder.entries.get(part)
      if (next === undefined) {
        next = new FolderNode()
        made?.(folder, part, next)
        folder.entries.set(part, next)
      }
      if (next.kind !== 'folder') throw fault('ENOTDIR', path)
      folder = next
    }
  }

  rename(from: string, to: string, renaming?: (from: Place, to: Place, node: TreeNode) => void): void {
    const source = this.place(from)
    const target = this.place(to)
    if (source.node === undefined) throw fault('ENOENT', from)
    if (source.node === target.node) return
    if (source.node.kind === 'folder') {
      if (target.node?.kind === 'file') throw fault('ENOTDIR', to)
      if (target.node !== undefined && target.node.entries.size > 0) throw fault('ENOTEMPTY', to)
      if (contains(source.node, target.folder)) throw fault('EINVAL', to)
    } else if (target.node?.kind === 'folder') throw fault('EISDIR', to)
    renaming?.(source, target, source.node)
    if (target.node !== undefined) this.#unlink(target.node)
    source.folder.entries.delete(source.name)
    target.folder.entries.set(target.name, source.node)
  }

  /** A file, or a folder with all it holds. False when there was none. */
  remove(path: string, removing?: EntryChange): boolean {
    if (this.find(path) === undefined) return false
    const { folder, name, node } = this.place(path)
    invariant(node !== undefined, 'what was found has a place')
    removing?.(folder, name, node)
    folder.entries.delete(name)
    this.#unlink(node)
    return true
  }

  /** `file.content` was changed just now; it was `before` bytes large. */
  changed(file: FileNode, before: number): void {
    file.modifiedAtMs = this.clock.now()
    this.resized(file, before)
  }

  /** `file.content` is now as large as it says, having been `before`. */
  resized(file: FileNode, before: number): void {
    this.usedBytes += file.content.size - before
  }

  /** One handle less; the last one of a removed file frees its space. */
  closed(file: FileNode): void {
    file.handles -= 1
    this.#freeIfUnreachable(file)
  }

  #unlink(node: TreeNode): void {
    if (node.kind === 'folder') {
      for (const child of node.entries.values()) this.#unlink(child)
      return
    }
    node.linked = false
    this.#freeIfUnreachable(node)
  }

  #freeIfUnreachable(file: FileNode): void {
    if (file.linked || file.handles > 0) return
    const before = file.content.size
    file.content.truncate(0)
    this.resized(file, before)
  }
}

export function fault(code: string, path: string): DiskError {
  return new DiskError(code, path)
}

/** Relative and absolute paths share one root. */
export function partsOf(path: string): string[] {
  return posix
    .normalize(`/${path}`)
    .split('/')
    .filter((part) => part !== '')
}

function contains(above: FolderNode, folder: FolderNode): boolean {
  if (above === folder) return true
  for (const child of above.entries.values()) if (child.kind === 'folder' && contains(child, folder)) return true
  return false
}
