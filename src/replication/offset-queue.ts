// Who waits for a log to reach an offset. In order of offset, so that progress drains from the front: three parallel arrays,
// no promise, closure or object per wait.

/** Why what was waited for will never come. */
export type Lost =
  /** Another broker leads the partition now, or nobody. */
  | 'notLeader'
  /** The disk failed. */
  | 'offline'
  /** There was no room on the disk: it is dropped, and may be sent again. */
  | 'diskFull'
  /** The topic is gone. */
  | 'deleted'

export interface OffsetWaiter {
  /** True once the waiter takes no more calls: its place in the queue may be dropped. */
  readonly settled: boolean
  /** `slot` is what the waiter passed when it queued. Must not throw. */
  reached(slot: number): void
  lost(slot: number, reason: Lost): void
  /** What it waits for may take long: the ISR is smaller than `min.insync.replicas`. It may stop waiting, slot by slot. */
  tooFewReplicas?(slot: number): void
}

/** Below this many entries nobody looks for settled ones. */
const sweepFrom = 256

/** Up to this many places stay, free in front of those who wait or with nobody there; more are left after a burst. */
const freePlacesMax = 1024

export class OffsetQueue {
  /**
   * In use from `#head` to `#tail`. The places stay when nobody waits any more: to cut an array and push to it again takes new memory
   * for each wait.
   */
  #ends: number[] = []
  #waiters: (OffsetWaiter | null)[] = []
  #slots: number[] = []
  #head = 0
  #tail = 0
  #sweepAt = sweepFrom

  get size(): number {
    return this.#tail - this.#head
  }

  /**
   * Calls `waiter.reached(slot)` once offsets below `end` are there. An `end` below one that is queued already (a producer's
   * retry) is behind it in the queue, and waits for that one too.
   */
  add(end: number, waiter: OffsetWaiter, slot: number): void {
    if (this.size >= this.#sweepAt) this.#sweep()
    const at = this.#tail++
    this.#ends[at] = end
    this.#waiters[at] = waiter
    this.#slots[at] = slot
  }

  /** Serves everyone who waits for an end at or below `offset`. */
  drainTo(offset: number): void {
    while (this.#head < this.#tail && this.#ends[this.#head]! <= offset) {
      const at = this.#head++
      const waiter = this.#waiters[at]!
      this.#waiters[at] = null
      if (!waiter.settled) waiter.reached(this.#slots[at]!)
    }
    if (this.#head === this.#tail) this.#clear()
    else if (this.#head > freePlacesMax && this.#head * 2 > this.#tail) this.#closeUp(() => true)
  }

  /** Tells everyone who waits. They stay in the queue, unless they settle. */
  tellTooFewReplicas(): void {
    const { size } = this
    for (let at = this.#head; at < this.#head + size; at++) {
      const waiter = this.#waiters[at]!
      if (!waiter.settled) waiter.tooFewReplicas?.(this.#slots[at]!)
    }
  }

  loseAll(reason: Lost): void {
    this.loseBeyond(-Infinity, reason)
  }

  /** Tells everyone who waits for more than `offset` that it will not come. */
  loseBeyond(offset: number, reason: Lost): void {
    const lost: [OffsetWaiter, number][] = []
    for (let at = this.#head; at < this.#tail; at++) {
      if (this.#ends[at]! > offset) lost.push([this.#waiters[at]!, this.#slots[at]!])
    }
    this.#closeUp((at) => this.#ends[at]! <= offset)
    for (const [waiter, slot] of lost) if (!waiter.settled) waiter.lost(slot, reason)
  }

  /** Drops who no longer waits, so that a log that makes no progress does not collect timed-out requests. */
  #sweep(): void {
    this.#closeUp((at) => !this.#waiters[at]!.settled)
    this.#sweepAt = Math.max(sweepFrom, this.#tail * 2)
  }

  /** Keeps those whose places `isKept` says yes to, at the first places. */
  #closeUp(isKept: (at: number) => boolean): void {
    let kept = 0
    for (let at = this.#head; at < this.#tail; at++) {
      if (!isKept(at)) continue
      this.#ends[kept] = this.#ends[at]!
      this.#waiters[kept] = this.#waiters[at]!
      this.#slots[kept] = this.#slots[at]!
      kept++
    }
    this.#waiters.fill(null, kept, this.#tail)
    this.#head = 0
    this.#tail = kept
    if (kept === 0) this.#clear()
  }

  /** Nobody waits. */
  #clear(): void {
    this.#head = 0
    this.#tail = 0
    if (this.#ends.length <= freePlacesMax) return
    this.#ends = []
    this.#waiters = []
    this.#slots = []
  }
}
