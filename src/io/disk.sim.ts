// A disk for tests: it shows what a machine shows while it runs, fails where it is told to, and after a crash it is
// found as a real one may be found (disk-journal.sim.ts). One seed gives one outcome.
//
//   const disk = new SimulatedDisk()
//   disk.haltAt(7)                                    // the power fails during the seventh operation from now
//   await workload(disk).catch(() => undefined)
//   const found = disk.crash(seededRandom(42))        // reopen the log on it
import {
  DiskError,
  type DirectoryEntry,
  type Disk,
  type DiskFile,
  type DiskLock,
  type OpenOptions,
  type Volume,
} from './disk.ts'
import { contentOf, entriesOf, lockFolder, type MemoryDiskOptions, volumeOf, writeWithin } from './disk.memory.ts'
import { DiskJournal } from './disk-journal.sim.ts'
import { FileReplacement } from './file-replacement.ts'
import { fault, FileNode, FolderNode, MemoryTree } from './memory-tree.ts'
import type { Random } from './random.ts'

/** `replaceFile` is the operations it consists of. */
export type DiskOperationKind =
  | 'open'
  | 'readFile'
  | 'list'
  | 'makeFolder'
  | 'rename'
  | 'remove'
  | 'syncFolder'
  | 'volume'
  | 'lock'
  | 'size'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'close'

export interface DiskOperation {
  /** Counts from 1 in the order of the calls. */
  readonly index: number
  readonly kind: DiskOperationKind
  readonly path: string
  /** Of a read or a write; otherwise 0. */
  readonly sizeBytes: number
}

export interface DiskFault {
  /** Any when left out. */
  readonly kind?: DiskOperationKind
  /** A part of the path, or a pattern. Any when left out. */
  readonly path?: string | RegExp
  /** Fails from the nth matching operation on, counted from 1. Default 1. */
  readonly nth?: number
  /** How many fail; Infinity for a disk that stays broken. Default 1. */
  readonly times?: number
  /** Default EIO. */
  readonly code?: string
  /** A write that fails after this many of its bytes. Default 0. */
  readonly afterBytes?: number
}

export interface FileContent {
  readonly size: number
  /** Copies up to `into.length` bytes from `position`; answers how many there were. */
  read(into: Uint8Array, position: number): number
}

interface ArmedFault {
  readonly fault: DiskFault
  seen: number
}

/** Without a clock every file is of the same moment, so that runs are equal. */
const stoppedClock = { now: () => 1_767_225_600_000 }

/** Operations whose effect a crash may keep although nobody heard of their end. */
const changing = new Set<DiskOperationKind>(['open', 'makeFolder', 'rename', 'remove', 'write', 'truncate'])

export class SimulatedDisk implements Disk {
  /** May change at any time; writing beyond it is an ENOSPC fault. Counted as the sum of file sizes. */
  capacityBytes: number
  /** Called before each operation; may throw a `DiskError`, or hold the operation up until its promise resolves. */
  onOperation: ((operation: DiskOperation) => void | Promise<void>) | null = null
  /** Whether a read or write that may be done at once is; never without it, nor while operations are watched. */
  takesAtOnce: (() => boolean) | null = null

  readonly #tree: MemoryTree
  readonly #journal: DiskJournal
  readonly #replacement = new FileReplacement(this)
  readonly #faults: ArmedFault[] = []
  readonly #inside: Inside
  readonly #openFiles = new Set<SimulatedFile>()
  #operations = 0
  #haltAt = Infinity
  #off = false

  constructor(
    options: MemoryDiskOptions = {},
    tree = new MemoryTree(options.clock ?? stoppedClock),
    journal = new DiskJournal(tree.root),
  ) {
    this.capacityBytes = options.capacityBytes ?? Infinity
    this.#tree = tree
    this.#journal = journal
    this.#inside = {
      tree,
      journal,
      capacityBytes: () => this.capacityBytes,
      off: () => this.#off,
      operate: (kind, path, sizeBytes, effect, failed) => this.#operate(kind, path, sizeBytes, effect, failed),
      operateAtOnce: (kind, path, sizeBytes, effect, failed) =>
        this.#operateAtOnce(kind, path, sizeBytes, effect, failed),
      closed: (file) => this.#openFiles.delete(file),
    }
  }

  /** How many operations have begun. */
  get operations(): number {
    return this.#operations
  }

  get usedBytes(): number {
    return this.#tree.usedBytes
  }

  /** Files that are open now; a test may hold this against a bound or look for leaks. */
  get openFiles(): number {
    return this.#openFiles.size
  }

  /** Whether the power has failed: by `haltAt`, `crash` or `kill`. Then every operation is an EIO fault. */
  get off(): boolean {
    return this.#off
  }

  /** Makes matching operations fail; the answer disarms it. */
  failWhen(fault: DiskFault): { cancel(): void } {
    const armed: ArmedFault = { fault, seen: 0 }
    this.#faults.push(armed)
    return {
      cancel: () => {
        const index = this.#faults.indexOf(armed)
        if (index >= 0) this.#faults.splice(index, 1)
      },
    }
  }

  /** The power fails during the nth operation from now (1: the next): a change it makes may be kept, or in part. */
  haltAt(nth: number): void {
    this.#haltAt = this.#operations + nth
  }

  /** The power fails now, if it has not yet. Answers the disk as the machine finds it when it starts again. */
  crash(random: Random): SimulatedDisk {
    this.#off = true
    const tree = this.#journal.afterCrash(this.#tree, random)
    return new SimulatedDisk(this, tree)
  }

  /** The process ends, the machine runs on: everything written is there, what was not synced can still be lost. */
  kill(): SimulatedDisk {
    this.#off = true
    for (const file of this.#openFiles) file.abandon()
    unlockAll(this.#tree.root)
    return new SimulatedDisk(this, this.#tree, this.#journal)
  }

  /** Another disk, with what this one shows now: what was taken as a copy, and may be put back some day. */
  copy(): SimulatedDisk {
    const tree = new MemoryTree(this.#tree.clock)
    copyFolder(this.#tree.root, tree.root, tree)
    return new SimulatedDisk(this, tree)
  }

  /**
   * For whoever judges a run: what a file holds, as it is shown or as every crash would keep it. No operation, and past all faults. Null
   * when there is no such file.
   */
  look(path: string, as: 'shown' | 'durable'): FileContent | null {
    if (as === 'durable') return this.#journal.durableFile(this.#tree.root, path)
    const node = this.#tree.find(path)
    return node?.kind === 'file' ? node.content : null
  }

  /** Damages one bit (0 is the lowest) of what is stored, without anyone noticing. */
  flipBit(path: string, position: number, bit = 0): void {
    const node = this.#tree.find(path)
    if (node?.kind !== 'file') throw fault('ENOENT', path)
    this.#journal.flipBit(node, position, bit)
  }

  async open(path: string, options: OpenOptions = {}): Promise<DiskFile> {
    return this.#operate('open', path, 0, () => {
      const node = this.#tree.openFile(path, options.create === true, (folder, name, made) =>
        this.#journal.fileMade(folder, name, made),
      )
      const file = new SimulatedFile(path, node, this.#inside, options.readOnly === true)
      this.#openFiles.add(file)
      return file
    })
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    return this.#operate('readFile', path, 0, () => contentOf(this.#tree.find(path), path))
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#replacement.replace(path, bytes)
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    return this.#operate('list', path, 0, () => entriesOf(this.#tree.find(path), path))
  }

  async makeFolder(path: string): Promise<void> {
    await this.#operate('makeFolder', path, 0, () => {
      this.#tree.makeFolder(path, (folder, name, made) => this.#journal.folderMade(folder, name, made))
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operate('rename', from, 0, () => {
      this.#tree.rename(from, to, (source, target, node) => this.#journal.renamed(source, target, node))
    })
  }

  async remove(path: string): Promise<void> {
    await this.#operate('remove', path, 0, () => {
      this.#tree.remove(path, (folder, name) => this.#journal.removed(folder, name))
    })
  }

  async syncFolder(path: string): Promise<void> {
    await this.#operate('syncFolder', path, 0, () => this.#journal.folderSynced(this.#tree.folder(path)))
  }

  async volume(path: string): Promise<Volume> {
    return this.#operate('volume', path, 0, () => volumeOf(this.#tree, path, this.capacityBytes))
  }

  async lock(folder: string): Promise<DiskLock | null> {
    return this.#operate('lock', folder, 0, () => lockFolder(this.#tree, folder))
  }

  async #operate<T>(
    kind: DiskOperationKind,
    path: string,
    sizeBytes: number,
    effect: () => T,
    failed?: (armed: DiskFault) => void,
  ): Promise<T> {
    this.#checkPower(path)
    this.#operations += 1
    const operation: DiskOperation = { index: this.#operations, kind, path, sizeBytes }
    await this.onOperation?.(operation)
    this.#checkPower(path)
    const armed = this.#faultFor(operation)
    if (armed !== null) {
      failed?.(armed)
      throw fault(armed.code ?? 'EIO', `${kind} ${path}`)
    }
    if (operation.index >= this.#haltAt) {
      if (changing.has(kind)) effect()
      this.#off = true
      this.#checkPower(path)
    }
    return effect()
  }

  /** As `#operate`, before it returns. False when the disk does not do it at once, or when it fails: then the same is to be done again. */
  #operateAtOnce(
    kind: DiskOperationKind,
    path: string,
    sizeBytes: number,
    effect: () => boolean,
    failed?: (armed: DiskFault) => void,
  ): boolean {
    if (this.#off || this.onOperation !== null || this.takesAtOnce?.() !== true) return false
    this.#operations += 1
    const operation: DiskOperation = { index: this.#operations, kind, path, sizeBytes }
    const armed = this.#faultFor(operation)
    if (armed !== null) {
      failed?.(armed)
      return false
    }
    if (operation.index < this.#haltAt) return effect()
    if (changing.has(kind)) effect()
    this.#off = true
    return false
  }

  #checkPower(path: string): void {
    if (this.#off) throw new DiskError('EIO', `${path}: the power is off`)
  }

  #faultFor(operation: DiskOperation): DiskFault | null {
    for (const armed of this.#faults) {
      const { kind, path, nth = 1, times = 1 } = armed.fault
      if (kind !== undefined && kind !== operation.kind) continue
      if (typeof path === 'string' ? !operation.path.includes(path) : path?.test(operation.path) === false) continue
      armed.seen += 1
      if (armed.seen >= nth && armed.seen < nth + times) return armed.fault
    }
    return null
  }
}

/** What an open file sees of its disk. */
interface Inside {
  readonly tree: MemoryTree
  readonly journal: DiskJournal
  capacityBytes(): number
  off(): boolean
  operate<T>(
    kind: DiskOperationKind,
    path: string,
    sizeBytes: number,
    effect: () => T,
    failed?: (armed: DiskFault) => void,
  ): Promise<T>
  operateAtOnce(
    kind: DiskOperationKind,
    path: string,
    sizeBytes: number,
    effect: () => boolean,
    failed?: (armed: DiskFault) => void,
  ): boolean
  closed(file: SimulatedFile): void
}

class SimulatedFile implements DiskFile {
  readonly path: string
  readonly #node: FileNode
  readonly #disk: Inside
  readonly #readOnly: boolean
  #open = true
  #syncFault: DiskError | null = null

  constructor(path: string, node: FileNode, disk: Inside, readOnly: boolean) {
    this.path = path
    this.#node = node
    this.#disk = disk
    this.#readOnly = readOnly
    node.handles += 1
  }

  async size(): Promise<number> {
    this.#check(false)
    return this.#disk.operate('size', this.path, 0, () => this.#node.content.size)
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#check(false)
    return this.#disk.operate('read', this.path, into.length, () => this.#node.content.read(into, position))
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#check(true)
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    await this.#disk.operate(
      'write',
      this.path,
      bytes.length,
      () => {
        if (this.#put(bytes, position) < bytes.length) throw fault('ENOSPC', this.path)
      },
      (armed) => this.#put(bytes.subarray(0, armed.afterBytes ?? 0), position),
    )
  }

  readNow(into: Uint8Array, position: number): number {
    let count = -1
    const read = () => {
      count = this.#node.content.read(into, position)
      return true
    }
    return this.#open && this.#disk.operateAtOnce('read', this.path, into.length, read) ? count : -1
  }

  writeNow(chunks: readonly Uint8Array[], position: number): boolean {
    if (!this.#open || this.#readOnly) return false
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    return this.#disk.operateAtOnce(
      'write',
      this.path,
      bytes.length,
      () => this.#put(bytes, position) === bytes.length,
      (armed) => this.#put(bytes.subarray(0, armed.afterBytes ?? 0), position),
    )
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#check(true)
    await this.#disk.operate('truncate', this.path, 0, () => {
      const { tree, journal } = this.#disk
      const before = this.#node.content.size
      if (sizeBytes > before && tree.usedBytes + sizeBytes - before > this.#disk.capacityBytes()) {
        throw fault('ENOSPC', this.path)
      }
      journal.truncated(this.#node, sizeBytes)
      this.#node.content.truncate(sizeBytes)
      tree.changed(this.#node, before)
    })
  }

  /** Covers what was written before the call, and nothing else, however long it takes. */
  async sync(): Promise<void> {
    this.#check(false)
    if (this.#syncFault !== null) throw this.#syncFault
    const covered = this.#disk.journal.pendingOf(this.#node)
    try {
      await this.#disk.operate(
        'sync',
        this.path,
        0,
        () => this.#disk.journal.synced(this.#node, covered),
        () => this.#disk.journal.syncFailed(this.#node),
      )
    } catch (error) {
      if (error instanceof DiskError) this.#syncFault = error
      throw error
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.abandon()
    // Whoever tidies up after a crash shall not stumble over it.
    if (!this.#disk.off()) await this.#disk.operate('close', this.path, 0, () => undefined)
  }

  /** The process that held it is gone. */
  abandon(): void {
    this.#open = false
    this.#disk.closed(this)
    this.#disk.tree.closed(this.#node)
  }

  /** Answers how many bytes fitted. */
  #put(bytes: Uint8Array, position: number): number {
    const { tree, journal } = this.#disk
    const count = writeWithin(tree, this.#node, bytes, position, this.#disk.capacityBytes())
    journal.written(this.#node, bytes.subarray(0, count), position)
    return count
  }

  #check(writing: boolean): void {
    if (!this.#open || (writing && this.#readOnly)) throw fault('EBADF', this.path)
  }
}

function unlockAll(folder: FolderNode): void {
  folder.locked = false
  for (const node of folder.entries.values()) if (node.kind === 'folder') unlockAll(node)
}

function copyFolder(from: FolderNode, to: FolderNode, tree: MemoryTree): void {
  for (const [name, node] of from.entries) {
    if (node.kind === 'folder') {
      const folder = new FolderNode()
      to.entries.set(name, folder)
      copyFolder(node, folder, tree)
    } else {
      const file = new FileNode(node.modifiedAtMs, node.content.clone())
      to.entries.set(name, file)
      tree.resized(file, 0)
    }
  }
}
