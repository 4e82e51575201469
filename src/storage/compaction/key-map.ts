// Where each key of the dirty part of a log was last seen. A key is known by its 128-bit hash alone, and the table never grows: 24 bytes a
// slot, so that a cleaning takes the memory it was given and no more (Kafka's SkimpyOffsetMap). The hash is keyed by chance, anew for each
// cleaning: no producer can make a key whose hash is another's, and so have that other key's records removed.

import { sipHash128, type SipWords } from '../../lib/siphash.ts'
import { invariant } from '../../lib/invariant.ts'
import type { Offset } from '../partition-log.ts'

/** Four words of hash and a float64 for the offset. */
export const bytesPerSlot = 24

export class KeyMap {
  /** How many keys it takes: a fuller table is slow. */
  readonly capacity: number
  readonly #slots: number
  readonly #hashes: Int32Array
  /** Offset + 1; 0 marks a free slot, so that memory nobody has used is never touched. */
  readonly #offsets: Float64Array
  readonly #hashKey: SipWords
  readonly #hash = new Int32Array(4)
  #size = 0

  constructor(options: { slots: number; loadFactor: number; hashKey: SipWords }) {
    this.#slots = options.slots
    this.capacity = Math.floor(options.slots * options.loadFactor)
    invariant(this.capacity >= 1 && this.capacity < options.slots, `a map of ${options.slots} keys`)
    this.#hashes = new Int32Array(4 * options.slots)
    this.#offsets = new Float64Array(options.slots)
    this.#hashKey = options.hashKey
  }

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size >= this.capacity
  }

  /** The key is `bytes[from, to)`. The caller has seen that the map is not full. */
  put(bytes: Uint8Array, from: number, to: number, offset: Offset): void {
    const slot = this.#find(bytes, from, to)
    if (this.#offsets[slot] === 0) {
      this.#hashes.set(this.#hash, 4 * slot)
      this.#size++
    }
    this.#offsets[slot] = offset + 1
  }

  /** The offset that was put last for the key; -1 when there was none. */
  get(bytes: Uint8Array, from: number, to: number): Offset {
    return this.#offsets[this.#find(bytes, from, to)]! - 1
  }

  /** The key's slot, or the free one it would take. */
  #find(bytes: Uint8Array, from: number, to: number): number {
    const hash = this.#hash
    const hashes = this.#hashes
    sipHash128(hash, this.#hashKey, bytes, from, to)
    let slot = (hash[0]! >>> 0) % this.#slots
    while (this.#offsets[slot] !== 0) {
      const at = 4 * slot
      if (
        hashes[at] === hash[0] &&
        hashes[at + 1] === hash[1] &&
        hashes[at + 2] === hash[2] &&
        hashes[at + 3] === hash[3]
      ) {
        return slot
      }
      if (++slot === this.#slots) slot = 0
    }
    return slot
  }
}

/** Slots for up to `keys` keys within `bytesMax`: no more than are needed. */
export function slotsFor(keys: number, bytesMax: number, loadFactor: number): number {
  const slotsMax = Math.floor(bytesMax / bytesPerSlot)
  return Math.min(slotsMax, Math.ceil((keys + 1) / loadFactor) + 1)
}
