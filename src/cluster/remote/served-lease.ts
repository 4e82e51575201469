// A lease that a broker in another process holds: it must be renewed. The keeper counts from when it HEARD of a renewal, the holder
// from when it sent it, so the holder always stops first.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import type { Lease } from '../meta-store.ts'

/** A timer this late says that the keeper itself stood still: renewals wait in its channel, and are heard first. */
const lateMs = 250

export class ServedLease {
  readonly lease: Lease
  readonly #ttlMs: Millis
  readonly #clock: Clock
  readonly #onExpired: () => void
  #dueAt: Millis = 0
  #timer: Timer | null = null

  constructor(lease: Lease, ttlMs: Millis, clock: Clock, onExpired: () => void) {
    this.lease = lease
    this.#ttlMs = ttlMs
    this.#clock = clock
    this.#onExpired = onExpired
    this.renew()
  }

  /** It holds for its whole time again. */
  renew(): void {
    this.#timer?.cancel()
    this.#dueAt = this.#clock.monotonic() + this.#ttlMs
    this.#timer = this.#clock.setTimer(this.#ttlMs, () => {
      if (this.#clock.monotonic() - this.#dueAt > lateMs) this.renew()
      else this.#onExpired()
    })
  }

  /** Deletes its keys. Rejects with the store's faults. */
  end(): Promise<void> {
    this.#timer?.cancel()
    return this.lease.revoke()
  }
}
