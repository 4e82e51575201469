// Memory for bytes that come and go quickly: pieces (slabs) that are used again as soon as nobody holds anything in them. The garbage
// collector cannot do this cheaply: it counts memory outside its heap, and marks the whole heap each time some 64 MB of it were made,
// several times a second for a broker under load.
//
// Who keeps a view of a slab beyond the present turn holds the slab, and releases it once. A hold that is never released costs the slab's
// reuse and nothing else: the collector takes it with its last view. A release too many, or a view used after it, shows other bytes.

import { invariant } from './invariant.ts'

const slabs = new WeakMap<ArrayBufferLike, Slab>()
let poisoned = false

/** The slab that `view` lies in; undefined for memory that is the collector's. */
export function slabOf(view: Uint8Array): Slab | undefined {
  return slabs.get(view.buffer)
}

/** For tests: from now on a slab that nobody holds is overwritten, so that whoever still looks at it sees nonsense. */
export function poisonFreeSlabs(): void {
  poisoned = true
}

export interface SlabOwner {
  /** Nobody holds `slab` any more. */
  takeBack(slab: Slab): void
}

export class Slab {
  readonly bytes: Buffer
  /** Counts the slabs an arena began to cut: of two, the one with the greater number has the newer bytes. */
  turn = 0
  /** How much of it is cut. */
  used = 0
  #holders = 0
  readonly #owner: SlabOwner

  constructor(owner: SlabOwner, sizeBytes: number) {
    this.#owner = owner
    this.bytes = Buffer.allocUnsafeSlow(sizeBytes)
    slabs.set(this.bytes.buffer, this)
  }

  hold(): void {
    this.#holders += 1
  }

  release(): void {
    invariant(this.#holders > 0, 'a slab is released by someone who does not hold it')
    this.#holders -= 1
    if (this.#holders > 0) return
    if (poisoned) this.bytes.fill(0xdb)
    this.#owner.takeBack(this)
  }
}
