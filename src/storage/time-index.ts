// From timestamp to offset, sparsely: an entry is the greatest timestamp up to some batch and the last offset of the batch that has
// it. Kafka's .timeindex file: int64 timestamp, int32 offset - base offset; timestamps strictly increase, offsets do not fall.

import { readInt32, readInt64, writeInt32, writeInt64 } from '../records/big-endian.ts'
import type { Offset } from './partition-log.ts'

const entryBytes = 12
const firstCapacity = 16
const noTimestamps = new Float64Array(0)
const noOffsets = new Int32Array(0)

export const timeIndexEntryBytes = entryBytes

export interface TimeIndexEntry {
  readonly timestamp: number
  readonly offset: Offset
}

export class TimeIndex {
  readonly baseOffset: Offset
  #timestamps: Float64Array
  #offsets: Int32Array
  #count = 0

  /** `capacity`: entries there is room for at once. */
  constructor(baseOffset: Offset, capacity = 0) {
    this.baseOffset = baseOffset
    this.#timestamps = capacity === 0 ? noTimestamps : new Float64Array(capacity)
    this.#offsets = capacity === 0 ? noOffsets : new Int32Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#count * entryBytes
  }

  /** Kafka's stand-in for an empty index: no timestamp (-1) at the base offset. */
  get last(): TimeIndexEntry {
    return this.#count === 0 ? { timestamp: -1, offset: this.baseOffset } : this.entryAt(this.#count - 1)
  }

  entryAt(entry: number): TimeIndexEntry {
    return { timestamp: this.#timestamps[entry]!, offset: this.baseOffset + this.#offsets[entry]! }
  }

  /** One slot stays free for the entry that a roll adds. */
  isFull(maxBytes: number): boolean {
    return this.#count >= Math.floor(maxBytes / entryBytes) - 1
  }

  /** Adds the entry when time has moved on since the last one. */
  append(timestamp: number, offset: Offset): void {
    if (timestamp <= (this.#count === 0 ? -1 : this.#timestamps[this.#count - 1]!)) return
    if (this.#count === this.#offsets.length) this.#grow()
    this.#timestamps[this.#count] = timestamp
    this.#offsets[this.#count++] = offset - this.baseOffset
  }

  /** An offset from which on the first record of `timestamp` or later can be found by reading forward. */
  lookup(timestamp: number): Offset {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timestamps[middle]! < timestamp) low = middle + 1
      else high = middle
    }
    return low === 0 ? this.baseOffset : this.baseOffset + this.#offsets[low - 1]!
  }

  /** The greatest entry below `end`, or Kafka's stand-in for none. */
  lastBelow(end: Offset): TimeIndexEntry {
    let entry = this.#count
    while (entry > 0 && this.baseOffset + this.#offsets[entry - 1]! >= end) entry--
    return entry === 0 ? { timestamp: -1, offset: this.baseOffset } : this.entryAt(entry - 1)
  }

  /** Drops entries of `end` and later. */
  truncateTo(end: Offset): void {
    while (this.#count > 0 && this.baseOffset + this.#offsets[this.#count - 1]! >= end) this.#count--
  }

  encode(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.sizeBytes)
    for (let i = 0; i < this.#count; i++) {
      writeInt64(bytes, entryBytes * i, this.#timestamps[i]!)
      writeInt32(bytes, entryBytes * i + 8, this.#offsets[i]!)
    }
    return bytes
  }

  /** The index a file holds, without Kafka's preallocated zeros; null when it cannot belong to a segment that ends at `endOffset`. */
  static decode(bytes: Uint8Array, baseOffset: Offset, endOffset: Offset): TimeIndex | null {
    if (bytes.length % entryBytes !== 0) return null
    const index = new TimeIndex(baseOffset, bytes.length / entryBytes)
    let timestampBefore = -1
    let offsetBefore = -1
    for (let at = 0; at < bytes.length; at += entryBytes) {
      const timestamp = readInt64(bytes, at)
      const offset = readInt32(bytes, at + 8)
      // An entry of zeros: the rest is preallocated, unless time itself begins at 0 there.
      if (timestamp === 0 && offset === 0 && bytes.subarray(at).every((byte) => byte === 0)) {
        return at === 0 && bytes.length === entryBytes ? null : index
      }
      if (timestamp <= timestampBefore || offset < offsetBefore || offset < 0) return null
      if (baseOffset + offset >= endOffset) return null
      index.append(timestamp, baseOffset + offset)
      timestampBefore = timestamp
      offsetBefore = offset
    }
    return index
  }

  #grow(): void {
    const capacity = Math.max(firstCapacity, 2 * this.#count)
    const timestamps = new Float64Array(capacity)
    timestamps.set(this.#timestamps)
    this.#timestamps = timestamps
    const offsets = new Int32Array(capacity)
    offsets.set(this.#offsets)
    this.#offsets = offsets
  }
}

/**
 * The last entry of an index whose last one or two are `tail`; null when there is none, and when it cannot be right or could as well be
 * Kafka's preallocated zeros.
 */
export function lastTimeIndexEntry(tail: Uint8Array, baseOffset: Offset, endOffset: Offset): TimeIndexEntry | null {
  if (tail.length < entryBytes) return null
  const at = tail.length - entryBytes
  const timestamp = readInt64(tail, at)
  const offset = readInt32(tail, at + 8)
  if (timestamp <= 0 || offset < 0 || baseOffset + offset >= endOffset) return null
  if (at > 0 && (readInt64(tail, 0) >= timestamp || readInt32(tail, 8) > offset)) return null
  return { timestamp, offset: baseOffset + offset }
}
