// Memory for what comes one after the other, each done with before the next is there: one piece that grows to the largest of them.

import { Slab, type SlabOwner } from './slab.ts'

/** Less than this is cheap to make anew, and nobody has to release it. */
const KEPT_BYTES_MIN = 256
const SLAB_BYTES_MIN = 64 * 1024

export class LastSlab implements SlabOwner {
  /** Nobody holds it. */
  #free: Slab | null = null

  /**
   * Memory for `size` bytes, with any content: the last piece again, when it is large enough and nobody holds it. When it lies in a slab it is
   * held once: `slabOf(it)?.release()` in the end.
   */
  take(size: number): Uint8Array {
    if (size < KEPT_BYTES_MIN) return Buffer.allocUnsafe(size)
    let slab = this.#free
    // Twice as large each time: what follows is seldom smaller by much, and memory that is never written to is not there.
    if (slab === null || slab.bytes.length < size) {
      slab = new Slab(this, Math.max(SLAB_BYTES_MIN, 2 ** Math.ceil(Math.log2(size))))
    }
    this.#free = null
    slab.hold()
    return slab.bytes.subarray(0, size)
  }

  /** @internal */
  takeBack(slab: Slab): void {
    if (this.#free === null || this.#free.bytes.length < slab.bytes.length) this.#free = slab
  }
}
