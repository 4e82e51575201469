// What a simulated disk has promised to keep, beside what it shows: for every file and folder the durable state and the
// changes since. A crash keeps the durable state and an arbitrary part of the changes, within what a journaling file
// system (ext4, XFS, APFS) may do:
//
// - file data: changes are lost, kept, torn (the first ones, the last of them in part) or scattered (any sectors,
//   each as of any moment); a truncation that was lost takes every later change of that file with it;
// - folder entries: a prefix of the changes of each folder; a rename is whole or not at all.
import { invariant } from '../lib/invariant.ts'
import type { ChunkedBytes } from './chunked-bytes.ts'
import { FileNode, FolderNode, MemoryTree, partsOf, type Place, type TreeNode } from './memory-tree.ts'
import type { Random } from './random.ts'

/** What a disk writes whole or not at all, when it keeps even that promise. */
const sectorBytes = 512

interface FileWrite {
  readonly kind: 'write'
  readonly position: number
  readonly bytes: Uint8Array
}

export type FileChange = FileWrite | { readonly kind: 'truncate'; readonly size: number }

interface FileJournal {
  readonly durable: ChunkedBytes
  pending: FileChange[]
  /** A sync has failed: what it was to cover is shown, and on its way to the disk no more. */
  forgot: boolean
}

/** Entries that change together; null removes. */
interface FolderChange {
  readonly entries: readonly { folder: FolderNode; name: string; node: TreeNode | null }[]
  /** Set once it is durable. */
  done: boolean
}

interface FolderJournal {
  readonly durable: Map<string, TreeNode>
  pending: FolderChange[]
}

export class DiskJournal {
  readonly #files = new WeakMap<FileNode, FileJournal>()
  readonly #folders = new WeakMap<FolderNode, FolderJournal>()

  /** What the tree holds when the journal begins is durable. */
  constructor(root: FolderNode) {
    this.#adopt(root)
  }

  /** What is shown has just been changed so. */
  written(file: FileNode, bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    const { pending, forgot } = this.#file(file)
    if (!forgot) {
      // A copy: `slice` of a Buffer would be a view of memory that is soon used again.
      pending.push({ kind: 'write', position, bytes: new Uint8Array(bytes) })
      return
    }
    // Sectors are written as they are shown: what was forgotten in the same ones comes along.
    const from = position - (position % sectorBytes)
    const shown = new Uint8Array(Math.min(file.content.size, nextSector(position + bytes.length - 1)) - from)
    file.content.read(shown, from)
    pending.push({ kind: 'write', position: from, bytes: shown })
  }

  truncated(file: FileNode, size: number): void {
    this.#file(file).pending.push({ kind: 'truncate', size })
  }

  /** The changes a sync that begins now will cover; later ones are another's. */
  pendingOf(file: FileNode): ReadonlySet<FileChange> {
    return new Set(this.#file(file).pending)
  }

  synced(file: FileNode, covered: ReadonlySet<FileChange>): void {
    const journal = this.#file(file)
    for (const change of journal.pending) if (covered.has(change)) applyChange(journal.durable, change)
    journal.pending = journal.pending.filter((change) => !covered.has(change))
  }

  /**
   * A sync that failed: as on Linux, the unwritten pages count as clean from now on. They can still be read, but no
   * later sync brings them to the disk.
   */
  syncFailed(file: FileNode): void {
    const journal = this.#file(file)
    journal.pending = journal.pending.filter((change) => change.kind === 'truncate')
    journal.forgot = true
  }

  /** Entries appear, vanish and move durably with the next sync of their folder. */
  fileMade(folder: FolderNode, name: string, node: TreeNode): void {
    this.#adopt(node)
    this.#changed([{ folder, name, node }])
  }

  removed(folder: FolderNode, name: string): void {
    this.#changed([{ folder, name, node: null }])
  }

  renamed(from: Place, to: Place, node: TreeNode): void {
    this.#changed([
      { folder: from.folder, name: from.name, node: null },
      { folder: to.folder, name: to.name, node },
    ])
  }

  /** A folder that was made is durable at once (see `Disk.makeFolder`), with all that came before it in the folder above. */
  folderMade(folder: FolderNode, name: string, node: TreeNode): void {
    this.#adopt(node)
    this.folderSynced(folder)
    this.#folder(folder).durable.set(name, node)
  }

  folderSynced(folder: FolderNode): void {
    const journal = this.#folder(folder)
    for (const change of journal.pending) this.#makeDurable(change)
    journal.pending = []
  }

  /** Damages what is stored, as rot does: what is shown and what is durable. */
  flipBit(file: FileNode, position: number, bit: number): void {
    for (const content of [file.content, this.#file(file).durable]) {
      const byte = new Uint8Array(1)
      if (content.read(byte, position) === 1) content.write(Uint8Array.of(byte[0]! ^ (1 << bit)), position)
    }
  }

  /** What every crash keeps of a file; null when it may not be there at all. */
  durableFile(root: FolderNode, path: string): ChunkedBytes | null {
    let node: TreeNode | undefined = root
    for (const part of partsOf(path)) node = node?.kind === 'folder' ? this.#folder(node).durable.get(part) : undefined
    return node?.kind === 'file' ? this.#file(node).durable : null
  }

  /** Files and folders as a machine may find them after it lost power now. */
  afterCrash({ root, clock }: MemoryTree, random: Random): MemoryTree {
    this.#settleFolders(root, random)
    const tree = new MemoryTree(clock)
    this.#copyFolder(root, tree.root, tree, random)
    return tree
  }

  #adopt(node: TreeNode): void {
    if (node.kind === 'file') {
      this.#files.set(node, { durable: node.content.clone(), pending: [], forgot: false })
      return
    }
    this.#folders.set(node, { durable: new Map(node.entries), pending: [] })
    for (const child of node.entries.values()) this.#adopt(child)
  }

  #file(file: FileNode): FileJournal {
    const journal = this.#files.get(file)
    invariant(journal !== undefined, 'every file is in the journal from its creation on')
    return journal
  }

  #folder(folder: FolderNode): FolderJournal {
    const journal = this.#folders.get(folder)
    invariant(journal !== undefined, 'every folder is in the journal from its creation on')
    return journal
  }

  #changed(entries: FolderChange['entries']): void {
    const change: FolderChange = { entries, done: false }
    for (const folder of new Set(entries.map((entry) => entry.folder))) this.#folder(folder).pending.push(change)
  }

  #makeDurable(change: FolderChange): void {
    if (change.done) return
    change.done = true
    for (const { folder, name, node } of change.entries) {
      const { durable } = this.#folder(folder)
      if (node === null) durable.delete(name)
      else durable.set(name, node)
    }
  }

  /** Decides for every folder that can be reached which changes of its entries the crash kept. */
  #settleFolders(folder: FolderNode, random: Random): void {
    const journal = this.#folder(folder)
    const kept = random.below(journal.pending.length + 1)
    for (const change of journal.pending.slice(0, kept)) this.#makeDurable(change)
    journal.pending = []
    for (const node of journal.durable.values()) if (node.kind === 'folder') this.#settleFolders(node, random)
  }

  #copyFolder(from: FolderNode, to: FolderNode, tree: MemoryTree, random: Random): void {
    for (const [name, node] of this.#folder(from).durable) {
      if (node.kind === 'folder') {
        const copy = new FolderNode()
        to.entries.set(name, copy)
        this.#copyFolder(node, copy, tree, random)
      } else {
        const { durable, pending } = this.#file(node)
        const copy = new FileNode(node.modifiedAtMs, survivor(durable, pending, random))
        to.entries.set(name, copy)
        tree.resized(copy, 0)
      }
    }
  }
}

function applyChange(content: ChunkedBytes, change: FileChange): void {
  if (change.kind === 'write') content.write(change.bytes, change.position)
  else content.truncate(change.size)
}

/** The content of a file after a crash. */
function survivor(durable: ChunkedBytes, pending: readonly FileChange[], random: Random): ChunkedBytes {
  const content = durable.clone()
  if (pending.length === 0) return content
  const fates = [lose, keep, tear, scatter]
  fates[random.below(fates.length)]!(content, pending, random)
  return content
}

function lose(): void {}

function keep(content: ChunkedBytes, pending: readonly FileChange[]): void {
  for (const change of pending) applyChange(content, change)
}

/** The first changes, and of the one after them a prefix, cut at any byte or at a sector. */
function tear(content: ChunkedBytes, pending: readonly FileChange[], random: Random): void {
  const whole = random.below(pending.length)
  keep(content, pending.slice(0, whole))
  const torn = pending[whole]!
  if (torn.kind === 'truncate') return
  let length = random.below(torn.bytes.length + 1)
  if (random.below(2) === 0) {
    const end = torn.position + length
    length = Math.max(0, end - (end % sectorBytes) - torn.position)
  }
  content.write(torn.bytes.subarray(0, length), torn.position)
}

/**
 * Any sectors, each as it was after some of the writes: the system writes a sector as it stands at that moment. The size may have grown
 * although the data did not arrive, which then reads as zeros.
 */
function scatter(content: ChunkedBytes, pending: readonly FileChange[], random: Random): void {
  const sizeFirst = random.below(2) === 0
  let writes: FileWrite[] = []
  for (const change of pending) {
    if (change.kind === 'write') {
      writes.push(change)
      continue
    }
    scatterWrites(content, writes, sizeFirst, random)
    writes = []
    if (random.below(2) === 0) return
    content.truncate(change.size)
  }
  scatterWrites(content, writes, sizeFirst, random)
}

function scatterWrites(content: ChunkedBytes, writes: readonly FileWrite[], sizeFirst: boolean, random: Random): void {
  const arrived = new Map<number, number>()
  for (const [i, { bytes, position }] of writes.entries()) {
    const end = position + bytes.length
    for (let at = position; at < end; at = nextSector(at)) {
      const sector = Math.floor(at / sectorBytes)
      let count = arrived.get(sector)
      if (count === undefined) {
        count = [0, writes.length, random.below(writes.length + 1)][random.below(3)]!
        arrived.set(sector, count)
      }
      const to = Math.min(end, nextSector(at))
      if (i < count) content.write(bytes.subarray(at - position, to - position), at)
    }
    if (sizeFirst && end > content.size) content.truncate(end)
  }
}

function nextSector(position: number): number {
  return position - (position % sectorBytes) + sectorBytes
}
