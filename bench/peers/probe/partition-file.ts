// A partition is a file. It is written on the main thread, with one system call for all batches that one read from a socket brought: into
// the page cache that takes microseconds, and another thread would cost more than the write. Only fdatasync leaves the thread; one is under
// way at a time, and the next one confirms everything that was written meanwhile.

import fs from 'node:fs'
import {
  batchHeaderBytes,
  batchLayout,
  lastOffsetDeltaOf,
  nextOffsetOf,
  sizeInBytesOf,
} from '../../../src/records/batch.ts'
import { writeInt32, writeInt64 } from '../../../src/records/big-endian.ts'

/** Where reads went on lately; a reader that comes back to another place has it looked up in the file. */
const placesMax = 10_000

export interface Piece {
  readonly bytes: number
  readonly nextOffset: number
}

export interface PartitionOptions {
  readonly path: string
  readonly index: number
  /** Nothing is confirmed or shown to readers before the disk has it. */
  readonly sync: boolean
  /** There is more to read. */
  readonly onMore: () => void
}

export class PartitionFile {
  readonly index: number
  /** Below it, records may be read: all that is written, or all that is synced. */
  readableOffset = 0
  readonly #path: string
  readonly #fd: number
  readonly #sync: boolean
  readonly #onMore: () => void
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #endOffset = 0
  #endBytes = 0
  #readableBytes = 0
  #syncing = false
  #waiting: (() => void)[] = []
  #removed = false
  /** Where in the file a batch begins, by its first offset. */
  readonly #places = new Map<number, number>([[0, 0]])

  constructor({ path, index, sync, onMore }: PartitionOptions) {
    this.#path = path
    this.index = index
    this.#sync = sync
    this.#onMore = onMore
    this.#fd = fs.openSync(path, 'w+')
  }

  get hasGathered(): boolean {
    return this.#gatheredBytes > 0
  }

  /** Answers the batch's offset, which is stamped into it. It is in the file after `write`. */
  gather(batch: Uint8Array): number {
    const baseOffset = this.#endOffset
    writeInt64(batch, batchLayout.baseOffset, baseOffset)
    writeInt32(batch, batchLayout.leaderEpoch, 0)
    this.#endOffset += lastOffsetDeltaOf(batch) + 1
    this.#gathered.push(batch)
    this.#gatheredBytes += batch.length
    return baseOffset
  }

  /** Calls `confirmed` when what was gathered is as safe as it has to be: at once, or after the disk has it. */
  write(confirmed: () => void): void {
    if (this.#gathered.length > 0) {
      const chunks = this.#gathered
      if (chunks.length === 1) writeAll(this.#fd, chunks[0]!, this.#endBytes)
      else writeAllOf(this.#fd, chunks, this.#gatheredBytes, this.#endBytes)
      this.#endBytes += this.#gatheredBytes
      this.#gathered = []
      this.#gatheredBytes = 0
    }
    if (this.#sync) {
      this.#waiting.push(confirmed)
      this.#startSync()
    } else {
      this.#readableTo(this.#endOffset, this.#endBytes)
      confirmed()
    }
  }

  /** Whole batches from the one that begins at `offset`, at least one if there is one. `target` has room for `maxBytes`. */
  read(offset: number, target: Uint8Array, at: number, maxBytes: number): Piece {
    const place = this.#placeOf(offset)
    const count = Math.min(maxBytes, this.#readableBytes - place)
    const end = at + readAll(this.#fd, target, at, count, place)
    let next = at
    let nextOffset = offset
    while (end - next >= batchHeaderBytes) {
      const size = sizeInBytesOf(target, next)
      if (end - next < size) break
      nextOffset = nextOffsetOf(target, next)
      next += size
    }
    this.#remember(nextOffset, place + next - at)
    return { bytes: next - at, nextOffset }
  }

  /** Of the batch that begins at `offset`; 0 when there is none yet. */
  batchBytesAt(offset: number): number {
    if (offset >= this.readableOffset) return 0
    const header = new Uint8Array(batchHeaderBytes)
    readAll(this.#fd, header, 0, batchHeaderBytes, this.#placeOf(offset))
    return sizeInBytesOf(header)
  }

  /** How many bytes `read` would find at most. */
  readableBytesFrom(offset: number): number {
    return offset >= this.readableOffset ? 0 : this.#readableBytes - this.#placeOf(offset)
  }

  /** The offset that the next record will get, for a reader that begins there. */
  end(): number {
    this.#remember(this.readableOffset, this.#readableBytes)
    return this.readableOffset
  }

  remove(): void {
    this.#removed = true
    if (!this.#syncing) fs.close(this.#fd, () => fs.unlink(this.#path, () => {}))
  }

  #startSync(): void {
    if (this.#syncing) return
    this.#syncing = true
    const waiting = this.#waiting
    this.#waiting = []
    const offset = this.#endOffset
    const bytes = this.#endBytes
    fs.fdatasync(this.#fd, (error) => {
      // Nothing may be confirmed any more.
      if (error !== null) throw error
      this.#syncing = false
      if (this.#removed) return this.remove()
      // What came meanwhile goes to the disk while the answers are written.
      if (this.#waiting.length > 0) this.#startSync()
      this.#readableTo(offset, bytes)
      for (const confirmed of waiting) confirmed()
    })
  }

  #readableTo(offset: number, bytes: number): void {
    this.readableOffset = offset
    this.#readableBytes = bytes
    this.#onMore()
  }

  #placeOf(offset: number): number {
    const place = this.#places.get(offset)
    if (place !== undefined) return place
    const header = new Uint8Array(batchHeaderBytes)
    for (let at = 0; at < this.#readableBytes; at += sizeInBytesOf(header)) {
      readAll(this.#fd, header, 0, batchHeaderBytes, at)
      if (nextOffsetOf(header) > offset) return at
    }
    return this.#readableBytes
  }

  #remember(offset: number, place: number): void {
    if (this.#places.size >= placesMax) this.#places.delete(this.#places.keys().next().value!)
    this.#places.set(offset, place)
  }
}

function writeAllOf(fd: number, chunks: readonly Uint8Array[], bytes: number, position: number): void {
  if (fs.writevSync(fd, chunks, position) === bytes) return
  // The system takes 1,024 pieces at a time, or the disk is full, which this will say.
  let at = position
  for (const chunk of chunks) {
    writeAll(fd, chunk, at)
    at += chunk.length
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** Answers how many bytes there were. */
function readAll(fd: number, target: Uint8Array, at: number, count: number, position: number): number {
  let done = 0
  while (done < count) {
    const got = fs.readSync(fd, target, at + done, count - done, position + done)
    if (got === 0) break
    done += got
  }
  return done
}
