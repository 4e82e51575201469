// The one writer of a log. What is appended waits in a queue; one `write` takes all of it that goes into the same file, and one fsync
// confirms all that was written before it began (group commit). While an fsync runs, the next group is written.
//
// Order, which recovery relies on: with fsync, a segment's file is durable before the first byte goes into the next one's.
//
// Two loops, each alive only while it has work. There is no promise or closure per batch. After the first fault nothing moves any
// more: a failed fsync may have dropped what it was to keep, so it is never tried again.
//
// A disk without room is no such fault. What could not be written is dropped, and nothing more is written until the log has been cut back
// to what is there (`resetTo`).

import { invariant } from '../lib/invariant.ts'
import { type Slab, slabOf } from '../lib/slab.ts'
import { isNoRoom } from '../io/no-room.ts'
import { RecordsDropped } from './log-errors.ts'
import type { Offset } from './partition-log.ts'
import type { Segment } from './segment.ts'

export interface WriterHost {
  /** Runs `write` when all that has come in by now is appended. */
  soon(write: () => void): void
  /** Before the first write into a segment's file. */
  prepare(segment: Segment): Promise<void>
  /** Makes the folder's entry of a new file durable. */
  syncFolder(segment: Segment): Promise<void>
  written(end: Offset): void
  synced(end: Offset): void
  failed(error: Error): void
  /** There was no room on the disk for what is not written, or synced, yet: it is dropped, and the writer stands still. */
  noRoom(error: Error): void
}

/** Batches that go into one file with one write. */
interface Group {
  readonly segment: Segment
  readonly chunks: Uint8Array[]
  /** In which the chunks lie that are not in the file yet, held until they are. */
  slabs: Slab[]
  sizeBytes: number
  endOffset: Offset
  /** Of the chunks, how many are in the file already, and their bytes. */
  earlyChunks: number
  earlyBytes: number
}

/** What is written in one turn. */
const pieceBytes = 1024 * 1024
/** So much is written before its turn, while it is in the processor's cache. */
const earlyBytesMin = 256 * 1024

interface Waiter {
  readonly end: Offset
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class LogWriter {
  readonly #host: WriterHost
  /** Sync after every write, or only when someone asks. */
  syncAlways: boolean
  writtenOffset: Offset
  syncedOffset: Offset
  /** Appended and not yet written. */
  queuedBytes = 0
  #fault: Error | null = null
  /** There was no room: nothing is written until `resetTo`. */
  #dropped: RecordsDropped | null = null
  #keptTo: Offset = Infinity
  #groups: Group[] = []
  #writing = false
  /** A group is being written. */
  #underWay = false
  #syncing = false
  /** The last run of each loop; they never reject. */
  #writeLoop: Promise<void> = Promise.resolve()
  #syncLoop: Promise<void> = Promise.resolve()
  /** Written to since the last sync began, in order. */
  #unsynced: Segment[] = []
  #syncWanted: Offset = 0
  #syncWaiters: Waiter[] = []

  constructor(host: WriterHost, end: Offset, syncAlways: boolean) {
    this.#host = host
    this.writtenOffset = end
    this.syncedOffset = end
    this.syncAlways = syncAlways
  }

  /** Queues a batch; the log then ends at `endOffset`. `chunk` must not change until it is written; the slab it lies in is held. */
  enqueue(segment: Segment, chunk: Uint8Array, endOffset: Offset): void {
    invariant(this.#dropped === null, 'nothing is appended to a log that has to be cut back')
    this.queuedBytes += chunk.length
    let group = this.#groups.at(-1)
    if (group === undefined || group.segment !== segment) {
      group = { segment, chunks: [], slabs: [], sizeBytes: 0, endOffset, earlyChunks: 0, earlyBytes: 0 }
      this.#groups.push(group)
    }
    group.chunks.push(chunk)
    group.sizeBytes += chunk.length
    group.endOffset = endOffset
    const slab = slabOf(chunk)
    if (slab !== undefined && slab !== group.slabs.at(-1)) {
      slab.hold()
      group.slabs.push(slab)
    }
    if (group.sizeBytes - group.earlyBytes >= earlyBytesMin) this.#writeEarly(group)
    if (!this.#writing && this.#fault === null) {
      this.#writing = true
      // Requests of other connections that are here already go into the same write.
      this.#writeLoop = new Promise((resolve) => this.#host.soon(() => resolve(this.#writeAll())))
    }
  }

  /**
   * Resolves once everything below `end` survives a crash, whatever the policy; rejects with the fault that prevents it, and with
   * `RecordsDropped` when there was no room.
   */
  syncedTo(end: Offset): Promise<void> {
    if (this.syncedOffset >= end) return Promise.resolve()
    if (this.#dropped !== null && end > this.#keptTo) return Promise.reject(this.#dropped)
    this.#syncWanted = Math.max(this.#syncWanted, end)
    this.#startSync()
    if (this.#fault !== null) return Promise.reject(this.#fault)
    return new Promise((resolve, reject) => {
      this.#syncWaiters.push({ end, resolve, reject })
    })
  }

  /** What is there for certain, or about to be; less than `writtenOffset` when a sync found no room. */
  get keptTo(): Offset {
    return Math.min(this.writtenOffset, this.#keptTo)
  }

  /** The log was cut or begun anew while nothing was under way: it ends at `end`, and all of it is durable. */
  resetTo(end: Offset): void {
    this.writtenOffset = end
    this.syncedOffset = end
    this.#syncWanted = 0
    this.#unsynced = []
    this.#dropped = null
    this.#keptTo = Infinity
  }

  /** Resolves when no operation of the disk is under way. To be awaited after `fail`. */
  async idle(): Promise<void> {
    await this.#writeLoop
    await this.#syncLoop
  }

  /** Stops for good: nothing that waits will be confirmed. */
  fail(error: Error): void {
    if (this.#fault !== null) return
    this.#fault = error
    this.#groups = []
    this.queuedBytes = 0
    const waiters = this.#syncWaiters
    this.#syncWaiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#groups.length > 0) {
        const group = this.#groups[0]!
        const { segment } = group
        if (segment.writtenBytes === 0) {
          if (this.syncAlways) await this.syncedTo(this.writtenOffset)
          await this.#host.prepare(segment)
          if (this.#standsStill) break
        }
        // From here on the group takes no more: what is appended meanwhile makes the next one.
        this.#groups.shift()
        this.#underWay = true
        await this.#write(group)
        this.#underWay = false
        releaseAll(group)
        if (this.#standsStill) break
        segment.writtenBytes += group.sizeBytes
        this.queuedBytes -= group.sizeBytes
        this.writtenOffset = group.endOffset
        if (this.#unsynced.at(-1) !== segment) this.#unsynced.push(segment)
        this.#host.written(group.endOffset)
        this.#startSync()
      }
    } catch (error) {
      if (isNoRoom(error)) this.#drop(error, this.writtenOffset)
      else if (error !== this.#dropped) this.#fail(error)
    }
    this.#writing = false
  }

  /** Into the page cache, if that takes it at once; it counts as written in its turn. */
  #writeEarly(group: Group): void {
    const { segment, chunks, earlyChunks, earlyBytes } = group
    if (this.#underWay || this.#groups[0] !== group || segment.writtenBytes === 0 || this.#fault !== null) return
    if (!segment.file.writeNow(chunks.slice(earlyChunks), segment.writtenBytes + earlyBytes)) return
    group.earlyChunks = chunks.length
    group.earlyBytes = group.sizeBytes
    releaseAll(group)
  }

  /** A piece at a time, with a turn of the event loop for others between two, as long as the page cache takes them at once. */
  async #write({ segment, chunks, earlyChunks, earlyBytes }: Group): Promise<void> {
    const { file, writtenBytes } = segment
    let position = writtenBytes + earlyBytes
    for (let first = earlyChunks; first < chunks.length;) {
      const next = endOfPiece(chunks, first)
      const piece = chunks.slice(first, next)
      if (!file.writeNow(piece, position)) return file.write(first === 0 ? chunks : chunks.slice(first), position)
      for (const chunk of piece) position += chunk.length
      first = next
      if (first < chunks.length) await new Promise<void>((resolve) => this.#host.soon(resolve))
    }
  }

  get #standsStill(): boolean {
    return this.#fault !== null || this.#dropped !== null
  }

  #startSync(): void {
    if (this.#syncing || this.#fault !== null || !this.#hasToSync()) return
    this.#syncing = true
    this.#syncLoop = this.#syncAll()
  }

  #hasToSync(): boolean {
    if (this.syncedOffset >= Math.min(this.writtenOffset, this.#keptTo)) return false
    return this.syncAlways || this.syncedOffset < this.#syncWanted
  }

  async #syncAll(): Promise<void> {
    try {
      while (this.#fault === null && this.#hasToSync()) {
        const end = this.writtenOffset
        const segments = this.#unsynced
        this.#unsynced = []
        for (const segment of segments) {
          if (segment.removed) continue
          await segment.file.sync()
          if (!segment.entryDurable) {
            await this.#host.syncFolder(segment)
            segment.entryDurable = true
          }
        }
        if (this.#fault !== null) break
        this.syncedOffset = end
        this.#host.synced(end)
        settle(this.#syncWaiters, end)
      }
    } catch (error) {
      // What was to become durable may be lost, and is not confirmed. Without `syncAlways` it was: that is a fault.
      if (isNoRoom(error) && this.syncAlways) this.#drop(error, this.syncedOffset)
      else this.#fail(error)
    }
    this.#syncing = false
  }

  #fail(error: unknown): void {
    if (this.#fault !== null) return
    const fault = error instanceof Error ? error : new Error('the disk failed', { cause: error })
    this.fail(fault)
    this.#host.failed(fault)
  }

  /** The log is to be cut back to `keptTo`: nobody who waits for more will get it. */
  #drop(cause: Error, keptTo: Offset): void {
    const isNews = this.#dropped === null
    const dropped = (this.#dropped ??= new RecordsDropped(`no room on the disk: ${cause.message}`, { cause }))
    this.#keptTo = Math.min(keptTo, this.#keptTo)
    this.#groups = []
    this.queuedBytes = 0
    const waiters = this.#syncWaiters
    this.#syncWaiters = waiters.filter(({ end }) => end <= this.#keptTo)
    for (const waiter of waiters) if (waiter.end > this.#keptTo) waiter.reject(dropped)
    if (isNews) this.#host.noRoom(dropped)
  }
}

function releaseAll(group: Group): void {
  for (const slab of group.slabs) slab.release()
  group.slabs = []
}

/** Where the chunks end that come to no more than a piece from `first` on; at least one. */
function endOfPiece(chunks: readonly Uint8Array[], first: number): number {
  let end = first + 1
  let size = chunks[first]!.length
  while (end < chunks.length && (size += chunks[end]!.length) <= pieceBytes) end++
  return end
}

function settle(waiters: Waiter[], end: Offset): void {
  for (let i = waiters.length - 1; i >= 0; i--) {
    const waiter = waiters[i]!
    if (waiter.end > end) continue
    waiters.splice(i, 1)
    waiter.resolve()
  }
}
