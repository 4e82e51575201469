// From offset to file position, sparsely: an entry is the last offset of a batch and where that batch begins. Kafka's .index file:
// int32 offset - base offset, int32 position, both strictly increasing. Held in memory while its segment is in use.

import { readInt32, writeInt32 } from '../records/big-endian.ts'
import type { Offset } from './partition-log.ts'

const entryBytes = 8
const firstCapacity = 16
const noNumbers = new Int32Array(0)

export class OffsetIndex {
  readonly baseOffset: Offset
  /** Pairs: relative offset, position. */
  #numbers: Int32Array
  #count = 0

  /** `capacity`: entries there is room for at once. Most logs of many never get one, so there is none to begin with. */
  constructor(baseOffset: Offset, capacity = 0) {
    this.baseOffset = baseOffset
    this.#numbers = capacity === 0 ? noNumbers : new Int32Array(2 * capacity)
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#count * entryBytes
  }

  /** Position of the last entry's batch; 0 without entries. */
  get lastPosition(): number {
    return this.#count === 0 ? 0 : this.#numbers[2 * this.#count - 1]!
  }

  /** Offset of the last entry; the base offset without entries. */
  get lastOffset(): Offset {
    return this.#count === 0 ? this.baseOffset : this.offsetAt(this.#count - 1)
  }

  offsetAt(entry: number): Offset {
    return this.baseOffset + this.#numbers[2 * entry]!
  }

  isFull(maxBytes: number): boolean {
    return this.#count >= Math.floor(maxBytes / entryBytes)
  }

  /** The caller keeps offsets and positions increasing, and offsets within 2^31 of the base. */
  append(offset: Offset, position: number): void {
    const at = 2 * this.#count++
    if (at === this.#numbers.length) this.#numbers = grown(this.#numbers)
    this.#numbers[at] = offset - this.baseOffset
    this.#numbers[at + 1] = position
  }

  /** A position at or before the batch that holds `offset`, at most about index.interval.bytes and a batch before it. */
  lookup(offset: Offset): number {
    const entry = this.#entriesUpTo(offset) - 1
    return entry < 0 ? 0 : this.#numbers[2 * entry + 1]!
  }

  /** A position at or after the beginning of the batch that holds `offset`; null when no entry tells. */
  lookupAfter(offset: Offset): number | null {
    const entry = this.#entriesUpTo(offset)
    return entry === this.#count ? null : this.#numbers[2 * entry + 1]!
  }

  /** Drops entries of `end` and later. */
  truncateTo(end: Offset): void {
    this.#count = this.#entriesUpTo(end - 1)
  }

  encode(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.sizeBytes)
    for (let i = 0; i < 2 * this.#count; i++) writeInt32(bytes, 4 * i, this.#numbers[i]!)
    return bytes
  }

  /**
   * The index a file holds; null when it cannot belong to a segment of `segmentBytes` that ends before `endOffset`. The zeros that
   * Kafka preallocates are no entries: the first batch of a segment never gets one.
   */
  static decode(bytes: Uint8Array, baseOffset: Offset, segmentBytes: number, endOffset: Offset): OffsetIndex | null {
    if (bytes.length % entryBytes !== 0) return null
    const index = new OffsetIndex(baseOffset, bytes.length / entryBytes)
    let offsetBefore = -1
    let positionBefore = 0
    for (let at = 0; at < bytes.length; at += entryBytes) {
      const offset = readInt32(bytes, at)
      const position = readInt32(bytes, at + 4)
      if (position === 0 && offset === 0) return bytes.subarray(at).every((byte) => byte === 0) ? index : null
      if (offset <= offsetBefore || position <= positionBefore) return null
      if (position >= segmentBytes || baseOffset + offset >= endOffset) return null
      index.append(baseOffset + offset, position)
      offsetBefore = offset
      positionBefore = position
    }
    return index
  }

  /** How many entries have an offset <= `offset`. */
  #entriesUpTo(offset: Offset): number {
    const relative = offset - this.baseOffset
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#numbers[2 * middle]! <= relative) low = middle + 1
      else high = middle
    }
    return low
  }
}

function grown(numbers: Int32Array): Int32Array {
  const larger = new Int32Array(Math.max(2 * firstCapacity, 2 * numbers.length))
  larger.set(numbers)
  return larger
}
