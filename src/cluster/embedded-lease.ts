// A lease of the embedded store. It needs no renewing: holder and keeper are one process, and stop together. A holder that goes
// away alone (a simulated broker of several) closes its connection, and the lease runs out its time from then on.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Lease } from './meta-store.ts'

export class EmbeddedLease implements Lease {
  readonly id: string
  readonly lost: Promise<void>
  readonly #ttlMs: Millis
  readonly #clock: Clock
  /** Deletes the keys bound to the lease. */
  readonly #release: (lease: EmbeddedLease) => Promise<void>
  #state: 'held' | 'runningOut' | 'over' = 'held'
  #timer: Timer | null = null
  #reportLost: () => void = () => {}

  constructor(id: string, ttlMs: Millis, clock: Clock, release: (lease: EmbeddedLease) => Promise<void>) {
    this.id = id
    this.#ttlMs = ttlMs
    this.#clock = clock
    this.#release = release
    this.lost = new Promise((resolve) => {
      this.#reportLost = resolve
    })
  }

  /** Whether keys may still be bound to it. */
  get exists(): boolean {
    return this.#state !== 'over'
  }

  valid(): boolean {
    return this.#state === 'held'
  }

  async revoke(): Promise<void> {
    if (this.#state === 'over') return
    this.#end()
    await this.#release(this)
  }

  /** The holder is gone without a word: the keys go when the lease has run out. */
  abandon(): void {
    if (this.#state !== 'held') return
    this.#state = 'runningOut'
    this.#timer = this.#clock.setTimer(this.#ttlMs, () => {
      this.lose()
      // A store that fails or closes meanwhile has told everyone already.
      this.#release(this).catch(() => {})
    })
  }

  /** Ends it from the keeper's side. */
  lose(): void {
    if (this.#state === 'over') return
    this.#end()
    this.#reportLost()
  }

  #end(): void {
    this.#state = 'over'
    this.#timer?.cancel()
    this.#timer = null
  }
}
