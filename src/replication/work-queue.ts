// Runs jobs a few at a time, and those of one key one after the other, in the order they came.

export class WorkQueue {
  readonly #runningMax: number
  #running = 0
  /** Who waits for a place, in order. */
  #waiting: (() => void)[] = []
  #firstWaiting = 0
  /** The last job of each key that has one. */
  readonly #lastOf = new Map<string, Promise<void>>()

  constructor(runningMax: number) {
    this.#runningMax = runningMax
  }

  /** Settles as the job does. A job that rejects does not stop the next one of its key. */
  run(key: string, job: () => Promise<void>): Promise<void> {
    const before = this.#lastOf.get(key)
    const result = before === undefined ? this.#inPlace(job) : before.then(() => this.#inPlace(job))
    const settled = result
      .catch(() => undefined)
      .then(() => {
        if (this.#lastOf.get(key) === settled) this.#lastOf.delete(key)
      })
    this.#lastOf.set(key, settled)
    return result
  }

  /** Resolves when every job that was given so far has settled. */
  async idle(): Promise<void> {
    await Promise.all(this.#lastOf.values())
  }

  async #inPlace(job: () => Promise<void>): Promise<void> {
    if (this.#running < this.#runningMax) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      await job()
    } finally {
      this.#next()
    }
  }

  /** Hands the place on, or gives it up. */
  #next(): void {
    const next = this.#waiting[this.#firstWaiting++]
    if (next !== undefined) return next()
    this.#waiting = []
    this.#firstWaiting = 0
    this.#running -= 1
  }
}
