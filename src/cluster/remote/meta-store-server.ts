// Offers the embedded store of this process to brokers in others: one supervisor, several brokers, one truth (`--brokers N`). A broker
// that is gone keeps its leases until they run out, or until whoever watches over processes knows that it has ended.

import type { Clock, Millis } from '../../io/clock.ts'
import type { MessageChannel } from '../../io/message-channel.ts'
import { type MetaStore, type MetaWrite, StoreFull, UnknownOutcome } from '../meta-store.ts'
import type { Call, Failure, ToBroker, ToKeeper, WriteMessage } from './messages.ts'
import { ServedLease } from './served-lease.ts'

/** Events on their way to a broker that does not take them. Beyond, it has to list again. */
const unheardEventsMax = 100_000

interface Watch {
  close(): void
  unheardEvents: number
}

export class MetaStoreServer {
  readonly #store: MetaStore
  readonly #clock: Clock
  readonly #leases = new LeaseHold()

  /** The store stays the caller's to close. */
  constructor({ store, clock }: { store: MetaStore; clock: Clock }) {
    this.#store = store
    this.#clock = clock
  }

  /** One broker's channel, which is this server's from now on. */
  serve(channel: MessageChannel): ServedBroker {
    return new ServedBroker(this.#store, this.#clock, channel, this.#leases)
  }

  /** All brokers stop: from now on no lease ends before the store does, and nobody is thought to be gone. */
  holdLeases(): void {
    this.#leases.held = true
  }
}

class LeaseHold {
  held = false
}

export class ServedBroker {
  readonly #store: MetaStore
  readonly #clock: Clock
  readonly #channel: MessageChannel
  readonly #leases = new Map<string, ServedLease>()
  readonly #watches = new Map<number, Watch>()
  readonly #hold: LeaseHold
  #ended = false
  /** When a lease ran out that nobody has been heard of since; null otherwise. */
  #silentSince: Millis | null = null

  constructor(store: MetaStore, clock: Clock, channel: MessageChannel, hold: LeaseHold) {
    this.#store = store
    this.#clock = clock
    this.#hold = hold
    this.#channel = channel
    channel.onMessage = (message) => this.#hear(message as ToKeeper)
    channel.onClose = () => {
      for (const watch of this.#watches.values()) watch.close()
      this.#watches.clear()
    }
  }

  /** How long ago a lease of the broker ran out, if nothing was heard of it since; else 0. */
  get silentMs(): Millis {
    return this.#silentSince === null ? 0 : this.#clock.monotonic() - this.#silentSince
  }

  /**
   * The broker's process is gone for certain: nobody acts on its leases any more, so they end at once. Rejects with the store's faults.
   */
  async holderEnded(): Promise<void> {
    this.#ended = true
    if (this.#hold.held) return
    const leases = [...this.#leases.values()]
    this.#leases.clear()
    await Promise.all(leases.map((lease) => lease.end()))
  }

  #hear(message: ToKeeper): void {
    this.#silentSince = null
    switch (message.kind) {
      case 'call':
        void this.#answer(message.id, message.call)
        break
      case 'watch':
        this.#watch(message.watchId, message.prefix, message.from)
        break
      case 'unwatch':
        this.#endWatch(message.watchId)
        break
      case 'heard': {
        const watch = this.#watches.get(message.watchId)
        if (watch !== undefined) watch.unheardEvents -= message.events
        break
      }
    }
  }

  async #answer(id: number, call: Call): Promise<void> {
    try {
      this.#post({ kind: 'answer', id, value: await this.#do(call) })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#post({ kind: 'failed', id, failure: failureOf(error), message })
    }
  }

  async #do(call: Call): Promise<unknown> {
    switch (call.method) {
      case 'get':
        return this.#store.get(call.key)
      case 'list':
        return this.#store.list(call.prefix)
      case 'transact':
        return this.#store.transact(call.guards, this.#writes(call.writes))
      case 'compareAndSwapMany': {
        const items = call.items.map(({ guards, writes }) => ({ guards, writes: this.#writes(writes) }))
        return this.#store.compareAndSwapMany(call.fence, items)
      }
      case 'lease':
        return this.#grant(call.ttlMs)
      case 'renew': {
        const held = this.#leases.get(call.leaseId)
        held?.renew()
        return held !== undefined
      }
      case 'revoke': {
        if (this.#hold.held) return null
        const held = this.#leases.get(call.leaseId)
        this.#leases.delete(call.leaseId)
        await held?.end()
        return null
      }
    }
  }

  async #grant(ttlMs: number): Promise<string> {
    const lease = await this.#store.lease(ttlMs)
    if (this.#ended) {
      await lease.revoke()
      return lease.id
    }
    const held = new ServedLease(lease, ttlMs, this.#clock, () => {
      if (this.#hold.held) return
      this.#silentSince = this.#clock.monotonic()
      this.#leases.delete(lease.id)
      this.#post({ kind: 'leaseLost', leaseId: lease.id })
      // A store that fails takes its leases along.
      held.end().catch(() => {})
    })
    this.#leases.set(lease.id, held)
    return lease.id
  }

  /** Throws when a lease is over. */
  #writes(writes: readonly WriteMessage[]): MetaWrite[] {
    return writes.map((write) => {
      if (write.kind !== 'put') return write
      const { kind, key, value, leaseId } = write
      if (leaseId === null) return { kind, key, value }
      const held = this.#leases.get(leaseId)
      if (held === undefined) throw new Error('the lease is over')
      return { kind, key, value, lease: held.lease }
    })
  }

  #watch(watchId: number, prefix: string, from: number): void {
    const watch = this.#store.watch(prefix, from, {
      events: (batch, revision) => {
        kept.unheardEvents += batch.length
        if (kept.unheardEvents > unheardEventsMax) this.#reset(watchId)
        else this.#post({ kind: 'events', watchId, batch, revision })
      },
      reset: () => this.#reset(watchId),
      // Only a store in another process can be out of reach.
      stale: () => {},
    })
    const kept: Watch = { close: () => watch.close(), unheardEvents: 0 }
    this.#watches.set(watchId, kept)
  }

  #reset(watchId: number): void {
    this.#endWatch(watchId)
    this.#post({ kind: 'reset', watchId })
  }

  #endWatch(watchId: number): void {
    this.#watches.get(watchId)?.close()
    this.#watches.delete(watchId)
  }

  #post(message: ToBroker): void {
    this.#channel.post(message)
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof UnknownOutcome) return 'unknown'
  return error instanceof StoreFull ? 'full' : 'other'
}
