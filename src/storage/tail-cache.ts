// The newest batches of all logs, as they were appended, so that a consumer at the end of a log needs no disk. One budget for the whole
// broker; what was appended longest ago, in whichever log, goes first.
//
// Batches that lie in slabs stay where they are and hold them. So that a few of them cannot keep many slabs, those of a slab leave when
// so many newer slabs were begun as the budget has room for.

import { Ring } from '../lib/ring.ts'
import { type Slab, slabOf } from '../lib/slab.ts'
import { BatchRing } from './batch-ring.ts'
import type { Offset } from './partition-log.ts'

/** What an entry costs beside its bytes, about. */
const entryOverheadBytes = 96
/** A batch that is a smaller part than this of its buffer is copied, so that it does not keep the rest alive. */
const pinnedPerByteMax = 2

export class TailCache {
  readonly budgetBytes: number
  #usedBytes = 0
  /** One element per cached batch, oldest first: which log's oldest batch goes next. */
  readonly #order = new Ring<LogTail>()
  /** Elements of the order whose batches are gone already, with their log's tail. */
  #gone = 0

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Places in the order of leaving: one for each batch that is here, and some for batches that are gone. */
  get places(): number {
    return this.#order.length
  }

  tail(): LogTail {
    return new LogTail(this)
  }

  /** @internal */
  added(tail: LogTail, bytes: number, slab: Slab | undefined): void {
    this.#usedBytes += bytes
    this.#order.push(tail)
    const turnMin = slab === undefined ? 0 : slab.turn - Math.floor(this.budgetBytes / slab.bytes.length)
    for (let oldest = this.#order.first(); oldest !== undefined; oldest = this.#order.first()) {
      if (this.#usedBytes <= this.budgetBytes && !oldest.leaves(turnMin)) break
      this.#order.shift()
      if (oldest.passGone()) this.#gone--
      else oldest.dropOldest()
    }
  }

  /** @internal A log let go of all its batches: their places are kept until they are the most. */
  cleared(batches: number, bytes: number): void {
    this.#usedBytes -= bytes
    this.#gone += batches
    if (this.#gone <= 1024 || this.#gone * 2 <= this.places) return
    for (let left = this.places; left > 0; left--) {
      const tail = this.#order.first()!
      this.#order.shift()
      if (!tail.passGone()) this.#order.push(tail)
    }
    this.#gone = 0
  }

  /** @internal */
  freed(bytes: number): void {
    this.#usedBytes -= bytes
  }
}

/** A batch with the offsets it has, as `LogTail.add` takes it. */
export interface CachedBatch {
  readonly bytes: Uint8Array
  readonly baseOffset: Offset
  readonly nextOffset: Offset
}

/** The part of the cache that belongs to one log: a gapless run of batches up to its end. */
export class LogTail {
  readonly #cache: TailCache
  /** Slabs that they lie in are held. */
  readonly #batches = new BatchRing()
  /** Elements of the cache's order whose batches are gone already. */
  #gone = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** The batch has just been appended, right after the one before. */
  add(bytes: Uint8Array, baseOffset: Offset, nextOffset: Offset): void {
    if (bytes.length + entryOverheadBytes > this.#cache.budgetBytes) {
      this.clear()
      return
    }
    const slab = slabOf(bytes)
    slab?.hold()
    const pins = slab === undefined && bytes.buffer.byteLength > pinnedPerByteMax * bytes.length
    this.#batches.push(pins ? new Uint8Array(bytes) : bytes, slab, baseOffset, nextOffset)
    this.#cache.added(this, this.#costOf(this.#batches.length - 1), slab)
  }

  /**
   * Whole batches from the one that holds `from`, below `upTo`, to `maxBytes` (or one batch, with `atLeastOne`).
   * Null when the batch of `from` is not here. The bytes are there until the end of the present turn.
   */
  read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Uint8Array[] | null {
    const batches = this.#batches
    if (batches.length === 0 || from < batches.baseOffset(0)) return null
    let low = 0
    let high = batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (batches.nextOffset(middle) <= from) low = middle + 1
      else high = middle
    }
    const chunks: Uint8Array[] = []
    let size = 0
    for (let i = low; i < batches.length; i++) {
      if (batches.nextOffset(i) > upTo) break
      const sizeBytes = batches.sizeBytes(i)
      if (size + sizeBytes > maxBytes && !(atLeastOne && size === 0)) break
      chunks.push(batches.bytes(i))
      size += sizeBytes
    }
    return chunks
  }

  /** Lets go of all when any lies below `end`: those there were replaced, and what is here has no gaps. */
  clearBelow(end: Offset): void {
    if (this.#batches.length > 0 && this.#batches.baseOffset(0) < end) this.clear()
  }

  clear(): void {
    const { length } = this.#batches
    let bytes = 0
    for (let i = 0; i < length; i++) {
      bytes += this.#costOf(i)
      this.#batches.slab(i)?.release()
    }
    this.#gone += length
    this.#batches.clear()
    this.#cache.cleared(length, bytes)
  }

  /** @internal Whether the oldest place of this log is that of a batch which is gone already; then it is no more. */
  passGone(): boolean {
    if (this.#gone === 0) return false
    this.#gone--
    return true
  }

  /** @internal Whether the oldest place is that of a batch which is gone, or lies in a slab from before that turn. */
  leaves(turnMin: number): boolean {
    if (this.#gone > 0) return true
    const slab = this.#batches.slab(0)
    return slab !== undefined && slab.turn <= turnMin
  }

  /** @internal */
  dropOldest(): void {
    const slab = this.#batches.slab(0)
    const cost = this.#costOf(0)
    this.#batches.shift()
    if (this.#batches.length === 0) this.#batches.clear()
    slab?.release()
    this.#cache.freed(cost)
  }

  /**
   * What a batch keeps alive: the whole buffer it is a view of, counted for each of them when two share one, so never too little. Of a slab
   * its own part.
   */
  #costOf(index: number): number {
    const batches = this.#batches
    const isSlabs = batches.slab(index) !== undefined
    return (isSlabs ? batches.sizeBytes(index) : batches.bytes(index).buffer.byteLength) + entryOverheadBytes
  }
}
