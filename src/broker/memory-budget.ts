// How many bytes of requests all connections together may hold. Connections over the budget stop reading and wait their
// turn; one may always go on, so that frames which are half read can be finished and the broker never stands still.

export interface BudgetMember {
  /** The budget has room again: read on. */
  resumeReading(): void
}

export class MemoryBudget {
  readonly #limitBytes: number
  readonly #waiting = new Set<BudgetMember>()
  #usedBytes = 0
  /** The one that may read although the budget is spent. */
  #favoured: BudgetMember | null = null

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Accounts for bytes that are already in memory; false when `member` must stop reading until it is resumed. */
  take(member: BudgetMember, bytes: number): boolean {
    this.#usedBytes += bytes
    if (this.#usedBytes <= this.#limitBytes) return true
    this.#favoured ??= member
    if (this.#favoured === member) return true
    this.#waiting.add(member)
    return false
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    this.#wake()
  }

  /** `member` is gone; what it held must be given back by itself. */
  leave(member: BudgetMember): void {
    this.#waiting.delete(member)
    if (this.#favoured === member) this.#favoured = null
    this.#wake()
  }

  /** `member` finished what it was reading: another may be favoured. */
  settle(member: BudgetMember): void {
    if (this.#favoured !== member) return
    this.#favoured = null
    this.#wake()
  }

  #wake(): void {
    for (const member of this.#waiting) {
      const roomy = this.#usedBytes < this.#limitBytes
      if (!roomy && this.#favoured !== null) return
      if (!roomy) this.#favoured = member
      this.#waiting.delete(member)
      member.resumeReading()
    }
  }
}
