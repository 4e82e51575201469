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

export class OffsetQueue {
  #ends: number[] = []
  #waiters: OffsetWaiter[] = []
  #slots: number[] = []
  #head = 0
  #sweepAt = sweepFrom

  get size(): number {
    return this.#ends.length - this.#head
  }

  /**
   * Calls `waiter.reached(slot)` once offsets below `end` are there. An `end` below one that is queued already (a producer's
   * retry) is behind it in the queue, and waits for that one too.
   */
  add(end: number, waiter: OffsetWaiter, slot: number): void {
    if (this.size >= this.#sweepAt) this.#sweep()
    this.#ends.push(end)
    this.#waiters.push(waiter)
    this.#slots.push(slot)
  }

  /** Serves everyone who waits for an end at or below `offset`. */
  drainTo(offset: number): void {
    while (this.#head < this.#ends.length && this.#ends[this.#head]! <= offset) {
      const at = this.#head++
      const waiter = this.#waiters[at]!
      if (!waiter.settled) waiter.reached(this.#slots[at]!)
    }
    if (this.#head === this.#ends.length) this.#keepFrom(this.#head)
    else if (this.#head > 1024 && this.#head * 2 > this.#ends.length) this.#keepFrom(this.#head)
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
    const waiters = this.#waiters
    const slots = this.#slots
    const from = this.#head
    this.#ends = []
    this.#waiters = []
    this.#slots = []
    this.#head = 0
    for (let at = from; at < waiters.length; at++) {
      if (!waiters[at]!.settled) waiters[at]!.lost(slots[at]!, reason)
    }
  }

  /** Tells everyone who waits for more than `offset` that it will not come. */
  loseBeyond(offset: number, reason: Lost): void {
    const ends = this.#ends.slice(this.#head)
    const waiters = this.#waiters.slice(this.#head)
    const slots = this.#slots.slice(this.#head)
    this.#ends = []
    this.#waiters = []
    this.#slots = []
    this.#head = 0
    const lost: number[] = []
    for (let at = 0; at < ends.length; at++) {
      if (ends[at]! <= offset) this.add(ends[at]!, waiters[at]!, slots[at]!)
      else lost.push(at)
    }
    for (const at of lost) if (!waiters[at]!.settled) waiters[at]!.lost(slots[at]!, reason)
  }

  /** Drops who no longer waits, so that a log that makes no progress does not collect timed-out requests. */
  #sweep(): void {
    this.#keepFrom(this.#head)
    let kept = 0
    for (let at = 0; at < this.#ends.length; at++) {
      if (this.#waiters[at]!.settled) continue
      this.#ends[kept] = this.#ends[at]!
      this.#waiters[kept] = this.#waiters[at]!
      this.#slots[kept] = this.#slots[at]!
      kept++
    }
    this.#ends.length = kept
    this.#waiters.length = kept
    this.#slots.length = kept
    this.#sweepAt = Math.max(sweepFrom, kept * 2)
  }

  #keepFrom(head: number): void {
    if (head === 0) return
    this.#ends.splice(0, head)
    this.#waiters.splice(0, head)
    this.#slots.splice(0, head)
    this.#head = 0
  }
}
