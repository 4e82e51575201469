// Memory for what comes in quick succession and is kept about equally long: slabs that are cut from front to back (slab.ts).

import { Slab, type SlabOwner } from './slab.ts'

export interface SlabArenaOptions {
  readonly slabBytes: number
  /** Slabs kept for later that nobody holds. */
  readonly spareMax: number
  /**
   * Slabs somebody holds a piece of, at most: beyond that pieces are the collector's. For a small piece that is kept for long, as half a
   * request of a client that sends no more, keeps all of its slab.
   */
  readonly heldMax: number
}

export class SlabArena implements SlabOwner {
  readonly #options: SlabArenaOptions
  /** Held by the arena itself while it is cut. */
  #current: Slab | null = null
  readonly #spare: Slab[] = []
  #turns = 0
  #held = 0
  /** Of a slab in which a piece was never released. */
  readonly #collected = new FinalizationRegistry<void>(() => {
    this.#held -= 1
  })

  constructor(options: SlabArenaOptions) {
    this.#options = options
  }

  /**
   * Memory for `size` bytes, with any content. It is held once: `slabOf(it)?.release()` when it is not needed any more. More than half of a
   * slab, and what comes while as many slabs are held as may be, is memory of its own, which is the collector's.
   */
  take(size: number): Uint8Array {
    const { slabBytes } = this.#options
    if (size > slabBytes / 2) return Buffer.allocUnsafeSlow(size)
    let slab = this.#current
    if (slab === null || slab.used + size > slabBytes) {
      if (this.#held >= this.#options.heldMax) return Buffer.allocUnsafe(size)
      this.#current = this.#next()
      slab?.release()
      slab = this.#current
    }
    const at = slab.used
    // The next one begins at an even address, as copying likes it.
    slab.used = (at + size + 7) & ~7
    slab.hold()
    return slab.bytes.subarray(at, at + size)
  }

  #next(): Slab {
    const slab = this.#spare.pop() ?? new Slab(this, this.#options.slabBytes)
    slab.turn = ++this.#turns
    slab.used = 0
    slab.hold()
    this.#held += 1
    this.#collected.register(slab, undefined, slab)
    return slab
  }

  /** @internal */
  takeBack(slab: Slab): void {
    this.#held -= 1
    this.#collected.unregister(slab)
    if (this.#spare.length < this.#options.spareMax) this.#spare.push(slab)
  }
}
