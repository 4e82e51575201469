// Memory for bytes that come and go quickly: large pieces (slabs) that are cut from front to back and used again as soon as nobody holds
// anything in them. The garbage collector cannot do this cheaply: it counts memory outside its heap, and marks the whole heap each time
// some 64 MB of it were made, several times a second for a broker under load.
//
// Who keeps a view of a slab beyond the present turn holds the slab, and releases it once. A hold that is never released costs the slab's
// reuse and nothing else: the collector takes it with its last view. A release too many, or a view used after it, shows other bytes.

import { invariant } from './invariant.ts'

const slabs = new WeakMap<ArrayBufferLike, Slab>()

/** The slab that `view` lies in; undefined for memory that is the collector's. */
export function slabOf(view: Uint8Array): Slab | undefined {
  return slabs.get(view.buffer)
}

export class Slab {
  readonly bytes: Buffer
  /** Counts the slabs an arena began to cut: of two, the one with the greater number has the newer bytes. */
  turn = 0
  used = 0
  #holders = 0
  readonly #arena: SlabArena

  constructor(arena: SlabArena, sizeBytes: number) {
    this.#arena = arena
    this.bytes = Buffer.allocUnsafeSlow(sizeBytes)
    slabs.set(this.bytes.buffer, this)
  }

  hold(): void {
    this.#holders += 1
  }

  release(): void {
    invariant(this.#holders > 0, 'a slab is released by someone who does not hold it')
    this.#holders -= 1
    if (this.#holders === 0) this.#arena.takeBack(this)
  }
}

let poisoned = false

/** For tests: from now on a slab that nobody holds is overwritten, so that whoever still looks at it sees nonsense. */
export function poisonFreeSlabs(): void {
  poisoned = true
}

export interface SlabArenaOptions {
  readonly slabBytes: number
  /** Slabs kept for later that nobody holds. */
  readonly spareMax: number
}

export class SlabArena {
  readonly #options: SlabArenaOptions
  /** Held by the arena itself while it is cut. */
  #current: Slab | null = null
  readonly #spare: Slab[] = []
  #turns = 0

  constructor(options: SlabArenaOptions) {
    this.#options = options
  }

  /**
   * Memory for `size` bytes, with any content. It is held once: `slabOf(it)?.release()` when it is not needed any more. More than half of a
   * slab is memory of its own, which is the collector's.
   */
  take(size: number): Uint8Array {
    const { slabBytes } = this.#options
    if (size > slabBytes / 2) return Buffer.allocUnsafeSlow(size)
    let slab = this.#current
    if (slab === null || slab.used + size > slabBytes) {
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
    return slab
  }

  /** @internal Nobody holds `slab` any more. */
  takeBack(slab: Slab): void {
    if (poisoned) slab.bytes.fill(0xdb)
    if (this.#spare.length < this.#options.spareMax) this.#spare.push(slab)
  }
}
