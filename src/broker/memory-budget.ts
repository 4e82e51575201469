// How many bytes of requests all connections together may hold. A member over the budget stops reading and waits its turn;
// one at a time, the favoured one, may read all the same, so that frames which are half read can be finished and the broker
// never stands still. What is held is bounded by the limit, one frame of the favoured one, and what members hold unasked.

export interface BudgetMember {
  /** There is room again, or `member` is the favoured one: read on. False when reading would bring it no further now. */
  resumeReading(): boolean
  /** Another is favoured now. */
  stopReading(): void
  /** It was favoured for a whole turn, in which it brought `bytes`, while others waited. */
  endTurn(bytes: number): void
}

export class MemoryBudget {
  readonly #limitBytes: number
  readonly #waiting = new Set<BudgetMember>()
  #usedBytes = 0
  /** The one that may read although the budget is spent. */
  #favoured: BudgetMember | null = null
  /** Whether the favoured one was so for all of the present turn, and what it has brought in it. */
  #favouredWholeTurn = false
  #favouredBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Accounts for bytes of `member` that are already in memory. */
  take(member: BudgetMember, bytes: number): void {
    this.#usedBytes += bytes
    if (this.#favoured === member) this.#favouredBytes += bytes
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    this.#wake()
  }

  /** False when `member` must stop reading until it is resumed. */
  mayRead(member: BudgetMember): boolean {
    if (this.#usedBytes <= this.#limitBytes) return true
    if (this.#favoured === null) this.#favour(member)
    if (this.#favoured === member) return true
    this.#waiting.add(member)
    return false
  }

  /** `member` needs no turn any more, or is gone; what it holds must still be given back. */
  leave(member: BudgetMember): void {
    this.#waiting.delete(member)
    this.pass(member)
  }

  /** If `member` is favoured, it hands on its place. */
  pass(member: BudgetMember): void {
    if (this.#favoured !== member) return
    this.#favoured = null
    this.#wake()
  }

  /** To be called at intervals: whoever was favoured since the last call goes to the end of the queue. */
  rotate(): void {
    const member = this.#favoured
    if (member === null || this.#waiting.size === 0) return
    const bytes = this.#favouredBytes
    this.#favouredBytes = 0
    if (!this.#favouredWholeTurn) {
      this.#favouredWholeTurn = true
      return
    }
    this.#favoured = null
    this.#waiting.add(member)
    member.stopReading()
    member.endTurn(bytes)
    this.#wake()
  }

  #favour(member: BudgetMember): void {
    this.#favoured = member
    this.#favouredWholeTurn = false
    this.#favouredBytes = 0
  }

  #wake(): void {
    if (this.#waiting.size === 0) return
    for (const member of this.#waiting) {
      const hasRoom = this.#usedBytes < this.#limitBytes
      if (!hasRoom && this.#favoured !== null) return
      this.#waiting.delete(member)
      if (member.resumeReading() && !hasRoom) this.#favour(member)
    }
  }
}
