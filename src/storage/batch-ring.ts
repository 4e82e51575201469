// Batches in memory, oldest first, without an object for each. What lives for a second and then dies is the worst there is for V8's collector:
// it is moved to the old generation first, and found dead there by marking the whole heap, which takes a core for ten milliseconds.

import type { Slab } from '../lib/slab.ts'
import type { Offset } from './partition-log.ts'

/** Of each batch: where it begins in its slab, its length, its first offset, the offset after its last. */
const numbersEach = 4
/** Most logs of many have next to nothing here. */
const capacityMin = 4

export class BatchRing {
  /** The slab that a batch lies in, or the batch itself. Both arrays grow as the places are used for the first time. */
  #memory: (Slab | Uint8Array | null)[] = []
  #numbers: number[] = []
  /** Places: a power of two. */
  #capacity = 0
  #oldest = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array, slab: Slab | undefined, baseOffset: Offset, nextOffset: Offset): void {
    if (this.#length === this.#capacity) this.#grow()
    const place = this.#placeOf(this.#length++)
    this.#memory[place] = slab ?? bytes
    const at = place * numbersEach
    this.#numbers[at] = slab === undefined ? 0 : bytes.byteOffset - slab.bytes.byteOffset
    this.#numbers[at + 1] = bytes.length
    this.#numbers[at + 2] = baseOffset
    this.#numbers[at + 3] = nextOffset
  }

  /** Lets the oldest go. */
  shift(): void {
    this.#memory[this.#oldest] = null
    this.#oldest = (this.#oldest + 1) & (this.#capacity - 1)
    this.#length--
  }

  clear(): void {
    this.#memory = []
    this.#numbers = []
    this.#capacity = 0
    this.#oldest = 0
    this.#length = 0
  }

  /** Below, `index` counts from the oldest. */
  baseOffset(index: number): Offset {
    return this.#numbers[this.#placeOf(index) * numbersEach + 2]!
  }

  nextOffset(index: number): Offset {
    return this.#numbers[this.#placeOf(index) * numbersEach + 3]!
  }

  sizeBytes(index: number): number {
    return this.#numbers[this.#placeOf(index) * numbersEach + 1]!
  }

  /** Undefined when the batch is the collector's. */
  slab(index: number): Slab | undefined {
    const memory = this.#memory[this.#placeOf(index)]!
    return memory instanceof Uint8Array ? undefined : memory
  }

  bytes(index: number): Uint8Array {
    const place = this.#placeOf(index)
    const memory = this.#memory[place]!
    if (memory instanceof Uint8Array) return memory
    const start = this.#numbers[place * numbersEach]!
    return memory.bytes.subarray(start, start + this.#numbers[place * numbersEach + 1]!)
  }

  #placeOf(index: number): number {
    return (this.#oldest + index) & (this.#capacity - 1)
  }

  #grow(): void {
    if (this.#oldest > 0) {
      const oldestNumber = this.#oldest * numbersEach
      this.#memory = [...this.#memory.slice(this.#oldest), ...this.#memory.slice(0, this.#oldest)]
      this.#numbers = [...this.#numbers.slice(oldestNumber), ...this.#numbers.slice(0, oldestNumber)]
      this.#oldest = 0
    }
    this.#capacity = Math.max(capacityMin, 2 * this.#capacity)
  }
}
