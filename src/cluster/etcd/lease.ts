// A lease of etcd, renewed from the event loop that serves data, so that a broker that hangs loses it. How long the holder may believe in
// it is in lease-age.ts.

import type { Millis, Timer } from '../../io/clock.ts'
import { EtcdError, status } from '../../io/etcd.ts'
import { leaseHolds, type Moment, momentOf } from '../lease-age.ts'
import type { Lease } from '../meta-store.ts'
import type { EtcdConnection } from './connection.ts'
import { verdictOf } from './verdict.ts'

/** Of one renewal at one member; also at most a quarter of the lease. */
const attemptTimeoutMaxMs = 1000
const retryPauseMs = 100

export class EtcdLease implements Lease {
  readonly id: string
  readonly lost: Promise<void>
  readonly #connection: EtcdConnection
  readonly #ttlMs: Millis
  /** A renewal sent then was granted. */
  #grantedAt: Moment
  #state: 'held' | 'abandoned' | 'over' = 'held'
  #timer: Timer | null = null
  /** Each renewal asks another member. */
  #turn = 0
  readonly #onOver: (lease: EtcdLease) => void
  #reportLost: () => void = () => {}

  /** `onOver`: told once, when it is revoked or lost. */
  static async grant(
    connection: EtcdConnection,
    ttlMs: Millis,
    onOver: (lease: EtcdLease) => void,
  ): Promise<EtcdLease> {
    const sentAt = momentOf(connection.clock)
    const ttl = String(Math.ceil(ttlMs / 1000))
    // Made twice when an answer is lost: a lease without keys runs out by itself.
    const granted = await connection.read('leaseGrant', { ttl, id: '0' })
    return new EtcdLease(connection, granted.id, Number(granted.ttl) * 1000, sentAt, onOver)
  }

  private constructor(
    connection: EtcdConnection,
    id: string,
    ttlMs: Millis,
    grantedAt: Moment,
    onOver: (lease: EtcdLease) => void,
  ) {
    this.#connection = connection
    this.id = id
    this.#ttlMs = ttlMs
    this.#grantedAt = grantedAt
    this.#onOver = onOver
    this.lost = new Promise((resolve) => {
      this.#reportLost = resolve
    })
    this.#renewLater()
  }

  valid(): boolean {
    return this.#state === 'held' && leaseHolds(this.#grantedAt, this.#ttlMs, this.#connection.clock)
  }

  /** Rejects when etcd cannot be asked: then the keys go when the lease has run out. */
  async revoke(): Promise<void> {
    if (this.#state === 'over') return
    this.#end()
    try {
      await this.#connection.read('leaseRevoke', { id: this.id })
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  /** Its holder goes away without a word: it runs out its time. */
  abandon(): void {
    if (this.#state !== 'held') return
    this.#state = 'abandoned'
    this.#timer?.cancel()
    const { clock } = this.#connection
    const leftMs = this.#ttlMs - (clock.monotonic() - this.#grantedAt.monotonic)
    this.#timer = clock.setTimer(Math.max(0, leftMs), () => this.lose())
  }

  /** It is gone, or belongs to an etcd that is. */
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
    const { clock } = this.#connection
    const sinceMs = clock.monotonic() - this.#grantedAt.monotonic
    this.#timer = clock.setTimer(Math.max(0, this.#ttlMs / 4 - sinceMs), () => {
      // Faults of etcd are dealt with there; what is left is a bug and must be heard.
      void this.#renew()
    })
  }

  /** Goes from member to member until one has answered. */
  async #renew(): Promise<void> {
    while (this.#state === 'held' && !this.#connection.closed) {
      const sentAt = momentOf(this.#connection.clock)
      const answer = await this.#ask()
      if (this.#state !== 'held') return
      if (answer === 'gone') {
        this.lose()
        return
      }
      if (answer === 'granted') {
        this.#grantedAt = sentAt
        this.#renewLater()
        return
      }
      await this.#connection.pause(retryPauseMs)
    }
  }

  async #ask(): Promise<'granted' | 'gone' | 'unheard'> {
    const { members } = this.#connection
    const member = members[this.#turn++ % members.length]!
    const timeoutMs = Math.min(attemptTimeoutMaxMs, this.#ttlMs / 4)
    let token: string | null = null
    try {
      token = await this.#connection.token()
      const request = { id: this.id }
      const { header, ttl } = await this.#connection.attempt(member, 'leaseKeepAlive', request, timeoutMs, token)
      if (!this.#connection.sameCluster(header)) return 'gone'
      return Number(ttl) > 0 ? 'granted' : 'gone'
    } catch (error) {
      if (isGone(error)) return 'gone'
      if (error instanceof EtcdError && verdictOf(error) === 'authenticate') this.#connection.forgetToken(token)
      this.#connection.logger.debug({ err: error, endpoint: member.endpoint }, 'a lease was not renewed')
      return 'unheard'
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof EtcdError && error.code === status.NOT_FOUND && error.message.includes('lease not found')
}
