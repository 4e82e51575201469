// Memory for what is kept for as long as somebody else likes: each piece is a slab of its own (slab.ts), so that one which stays does not
// keep others.

import { Slab, type SlabOwner } from './slab.ts'

/** Sizes are rounded up to a multiple of it, so that pieces of about the same size can follow each other. */
const STEP_BYTES = 64 * 1024
/** Below this a piece is not worth being kept. */
const POOLED_BYTES_MIN = 16 * 1024

export class SlabPool implements SlabOwner {
  readonly #spareBytesMax: number
  /** By size; the one that was asked for longest ago first. None is empty. */
  readonly #spare = new Map<number, Slab[]>()
  #spareBytes = 0

  /** `spareBytesMax`: kept for later in pieces that nobody holds. */
  constructor(spareBytesMax: number) {
    this.#spareBytesMax = spareBytesMax
  }

  /** Memory for `size` bytes, with any content. When it lies in a slab it is held once: `slabOf(it)?.release()` in the end. */
  take(size: number): Uint8Array {
    if (size < POOLED_BYTES_MIN) return Buffer.allocUnsafe(size)
    const rounded = Math.ceil(size / STEP_BYTES) * STEP_BYTES
    const slab = this.#takeSpare(rounded) ?? new Slab(this, rounded)
    slab.hold()
    return slab.bytes.subarray(0, size)
  }

  /** @internal */
  takeBack(slab: Slab): void {
    const size = slab.bytes.length
    if (size > this.#spareBytesMax) return
    // Sizes that are not asked for any more would else fill the pool for good.
    while (this.#spareBytes + size > this.#spareBytesMax) this.#dropOne()
    const alike = this.#spare.get(size)
    if (alike === undefined) this.#spare.set(size, [slab])
    else alike.push(slab)
    this.#spareBytes += size
  }

  #takeSpare(size: number): Slab | undefined {
    const alike = this.#spare.get(size)
    const slab = alike?.pop()
    if (alike === undefined || slab === undefined) return undefined
    this.#spareBytes -= size
    this.#spare.delete(size)
    if (alike.length > 0) this.#spare.set(size, alike)
    return slab
  }

  #dropOne(): void {
    for (const [size, alike] of this.#spare) {
      alike.pop()
      this.#spareBytes -= size
      if (alike.length === 0) this.#spare.delete(size)
      return
    }
  }
}
