// The holder's side of a lease that another process keeps. How long the holder may believe in it is in lease-age.ts.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import { leaseHolds, type Moment, momentOf } from '../lease-age.ts'
import type { Lease } from '../meta-store.ts'

export interface LeaseKeeper {
  /** Answers whether the lease still exists. Rejects when the keeper does not answer. */
  renew(leaseId: string): Promise<boolean>
  revoke(leaseId: string): Promise<void>
}

export interface RemoteLeaseOptions {
  readonly id: string
  readonly ttlMs: Millis
  readonly clock: Clock
  readonly keeper: LeaseKeeper
  readonly grantedAt: Moment
  readonly onOver: (lease: RemoteLease) => void
}

export class RemoteLease implements Lease {
  readonly id: string
  readonly lost: Promise<void>
  readonly #ttlMs: Millis
  readonly #clock: Clock
  readonly #keeper: LeaseKeeper
  readonly #onOver: (lease: RemoteLease) => void
  #grantedAt: Moment
  #state: 'held' | 'abandoned' | 'over' = 'held'
  #timer: Timer | null = null
  #reportLost: () => void = () => {}

  constructor(options: RemoteLeaseOptions) {
    this.id = options.id
    this.#ttlMs = options.ttlMs
    this.#clock = options.clock
    this.#keeper = options.keeper
    this.#grantedAt = options.grantedAt
    this.#onOver = options.onOver
    this.lost = new Promise((resolve) => {
      this.#reportLost = resolve
    })
    this.#renewLater()
  }

  valid(): boolean {
    return this.#state === 'held' && leaseHolds(this.#grantedAt, this.#ttlMs, this.#clock)
  }

  /** Rejects when the keeper cannot be asked: then the keys go when the lease has run out. */
  async revoke(): Promise<void> {
    if (this.#state === 'over') return
    this.#end()
    await this.#keeper.revoke(this.id)
  }

  /** Its holder goes away without a word: it runs out its time. */
  abandon(): void {
    if (this.#state !== 'held') return
    this.#state = 'abandoned'
    this.#timer?.cancel()
    const leftMs = this.#ttlMs - (this.#clock.monotonic() - this.#grantedAt.monotonic)
    this.#timer = this.#clock.setTimer(Math.max(0, leftMs), () => this.lose())
  }

  /** The keeper has ended it. */
  lose(): void {
    if (this.#state === 'over') return
    this.#end()
    this.#reportLost()
  }

  #end(): void {
    this.#state = 'over'
    this.#timer?.cancel()
    this.#timer = null
    this.#onOver(this)
  }

  #renewLater(): void {
    this.#timer = this.#clock.setTimer(this.#ttlMs / 4, () => {
      this.#renew()
      if (this.#state === 'held') this.#renewLater()
    })
  }

  /** One answer that is late or lost does no harm: the next renewal is on its way. */
  #renew(): void {
    const sentAt = momentOf(this.#clock)
    this.#keeper.renew(this.id).then(
      (exists) => {
        if (this.#state !== 'held') return
        if (!exists) this.lose()
        else if (sentAt.monotonic > this.#grantedAt.monotonic) this.#grantedAt = sentAt
      },
      () => {},
    )
  }
}
