// One broker's way to the metadata store, with what may happen on it, from a seed: answers that are lost before or after the write, writes
// that apply long after everyone gave up on them, watches that lag, a broker that is cut off or dies.

import type { SimulatedClock } from '../io/clock.sim.ts'
import type { Millis } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import type { EmbeddedLease } from './embedded-lease.ts'
import type { EmbeddedMetaStore } from './meta-store.embedded.ts'
import {
  type CasItem,
  type Guard,
  type Lease,
  type MetaEntry,
  type MetaStore,
  type MetaWrite,
  type ResetCause,
  type Revision,
  StoreUnavailable,
  type TransactionResult,
  UnknownOutcome,
  type WatchHandler,
} from './meta-store.ts'

/** In percent of the writes. */
export interface WriteFaults {
  readonly lostBefore: number
  readonly lostAfter: number
  /** Applied up to `lateMsMax` after its caller gave up. */
  readonly late: number
  readonly lateMsMax: Millis
  /** Watches lag by up to this. */
  readonly watchLagMsMax: Millis
}

export const noFaults: WriteFaults = { lostBefore: 0, lostAfter: 0, late: 0, lateMsMax: 0, watchLagMsMax: 0 }

export class FaultyMetaStore implements MetaStore {
  faults: WriteFaults = noFaults
  readonly #store: EmbeddedMetaStore
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #leases = new Set<FaultyLease>()
  readonly #watches = new Set<LaggingWatch>()
  #state: 'connected' | 'away' | 'cutOff' | 'dead' = 'connected'

  constructor(store: EmbeddedMetaStore, clock: SimulatedClock, random: Random) {
    this.#store = store
    this.#clock = clock
    this.#random = random
  }

  /** Nothing is heard of the broker any more, and it hears nothing: what it waits for never comes. Its leases run out. */
  kill(): void {
    this.#state = 'dead'
    for (const lease of this.#leases) lease.inner.abandon()
    for (const watch of this.#watches) watch.close()
  }

  /** The broker lives, but cannot reach the store: reads fail, nobody knows of writes, its leases run out. */
  cutOff(): void {
    this.#state = 'cutOff'
    for (const lease of this.#leases) lease.cutOff()
    for (const watch of this.#watches) watch.hold()
  }

  /** As `cutOff`, but it is the store that stands still: it lets no lease run out meanwhile. */
  standStill(): void {
    this.#state = 'away'
    for (const lease of this.#leases) lease.unheard()
    for (const watch of this.#watches) watch.hold()
  }

  /** After `standStill`: what was to be told is told, and a little later the leases are renewed. */
  goOn(renewalMs: Millis): void {
    this.reconnect()
    this.#clock.setTimer(renewalMs, () => {
      for (const lease of this.#leases) lease.renewed()
    })
  }

  reconnect(): void {
    this.#state = 'connected'
    for (const watch of this.#watches) watch.release()
  }

  async get(key: string): Promise<{ entry: MetaEntry | null; revision: Revision }> {
    await this.#reach()
    return this.#store.get(key)
  }

  async list(prefix: string): Promise<{ entries: readonly MetaEntry[]; revision: Revision }> {
    await this.#reach()
    return this.#store.list(prefix)
  }

  transact(guards: readonly [Guard, ...Guard[]], writes: readonly MetaWrite[]): Promise<TransactionResult> {
    const own = withInnerLeases(writes)
    return this.#write(() => this.#store.transact(guards, own))
  }

  compareAndSwapMany(
    fence: readonly Guard[],
    items: readonly CasItem[],
  ): Promise<readonly TransactionResult[] | 'fenced'> {
    const own = items.map((item) => ({ ...item, writes: withInnerLeases(item.writes) }))
    return this.#write(() => this.#store.compareAndSwapMany(fence, own))
  }

  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void } {
    const watch = new LaggingWatch(this.#clock, () => this.#random.below(this.faults.watchLagMsMax + 1), handler)
    const inner = this.#store.watch(prefix, from, watch)
    this.#watches.add(watch)
    if (this.#isCut()) watch.hold()
    return {
      close: () => {
        inner.close()
        watch.close()
        this.#watches.delete(watch)
      },
    }
  }

  async lease(ttlMs: Millis): Promise<Lease> {
    await this.#reach()
    const lease = new FaultyLease(await this.#store.lease(ttlMs), ttlMs, this.#clock, () => this.#reach())
    this.#leases.add(lease)
    return lease
  }

  async close(): Promise<void> {
    this.kill()
  }

  async #reach(): Promise<void> {
    if (this.#isDead()) await new Promise<never>(() => {})
    if (this.#isCut()) throw new StoreUnavailable('the metadata store cannot be reached')
  }

  async #write<T>(apply: () => Promise<T>): Promise<T> {
    if (this.#isDead()) await new Promise<never>(() => {})
    if (this.#isCut()) throw new UnknownOutcome('the metadata store cannot be reached')
    const { lostBefore, lostAfter, late, lateMsMax } = this.faults
    const drawn = this.#random.below(100)
    if (drawn < lostBefore) throw new UnknownOutcome('the request was lost')
    if (drawn < lostBefore + lostAfter) {
      await apply()
      throw new UnknownOutcome('the answer was lost')
    }
    if (drawn < lostBefore + lostAfter + late) {
      // A lease that is over by then refuses it; that is nobody's concern.
      this.#clock.setTimer(this.#random.below(lateMsMax) + 1, () => void apply().catch(() => {}))
      throw new UnknownOutcome('the request hangs')
    }
    const result = await apply()
    // The broker may have died, or been cut off, while it waited.
    if (this.#isDead()) await new Promise<never>(() => {})
    if (this.#isCut()) throw new UnknownOutcome('the answer did not come through')
    return result
  }

  #isCut(): boolean {
    return this.#state === 'cutOff' || this.#state === 'away'
  }

  #isDead(): boolean {
    return this.#state === 'dead'
  }
}

function withInnerLeases(writes: readonly MetaWrite[]): MetaWrite[] {
  return writes.map((write) =>
    write.kind === 'put' && write.lease !== undefined ? { ...write, lease: (write.lease as FaultyLease).inner } : write,
  )
}

class FaultyLease implements Lease {
  readonly inner: EmbeddedLease
  readonly lost: Promise<void>
  readonly #ttlMs: Millis
  readonly #clock: SimulatedClock
  /** When the holder must take it for lost. */
  #deadline = Infinity
  #reportLost: () => void = () => {}

  readonly #reach: () => Promise<void>

  constructor(inner: EmbeddedLease, ttlMs: Millis, clock: SimulatedClock, reach: () => Promise<void>) {
    this.inner = inner
    this.#ttlMs = ttlMs
    this.#clock = clock
    this.#reach = reach
    this.lost = new Promise((resolve) => {
      this.#reportLost = resolve
    })
    void inner.lost.then(() => this.#reportLost())
  }

  get id(): string {
    return this.inner.id
  }

  valid(): boolean {
    if (this.#deadline === Infinity) return this.inner.valid()
    return this.#clock.monotonic() < this.#deadline
  }

  /** The last renewal was a moment ago: the holder stops a tenth before the keeper does. */
  cutOff(): void {
    if (!this.inner.valid()) return
    this.unheard()
    this.inner.abandon()
    this.#clock.setTimer(this.#deadline - this.#clock.monotonic(), () => this.#reportLost())
  }

  unheard(): void {
    if (this.#deadline === Infinity && this.inner.valid()) this.#deadline = this.#clock.monotonic() + this.#ttlMs * 0.9
  }

  renewed(): void {
    if (this.inner.valid()) this.#deadline = Infinity
  }

  async revoke(): Promise<void> {
    this.#deadline = 0
    try {
      await this.#reach()
    } catch (error) {
      // Nobody renews it any more.
      this.inner.abandon()
      throw error
    }
    await this.inner.revoke()
  }
}

/** Tells in order, later. */
class LaggingWatch implements WatchHandler {
  readonly #clock: SimulatedClock
  readonly #lagMs: () => Millis
  readonly #handler: WatchHandler
  readonly #waiting: (() => void)[] = []
  #held = false
  #telling = false
  #closed = false

  constructor(clock: SimulatedClock, lagMs: () => Millis, handler: WatchHandler) {
    this.#clock = clock
    this.#lagMs = lagMs
    this.#handler = handler
  }

  events(...args: Parameters<WatchHandler['events']>): void {
    this.#later(() => this.#handler.events(...args))
  }

  reset(cause: ResetCause): void {
    this.#later(() => this.#handler.reset(cause))
  }

  stale(sinceMs: Millis): void {
    this.#handler.stale(sinceMs)
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#tellNext()
  }

  close(): void {
    this.#closed = true
  }

  #later(tell: () => void): void {
    this.#waiting.push(tell)
    this.#tellNext()
  }

  #tellNext(): void {
    if (this.#telling || this.#held || this.#closed || this.#waiting.length === 0) return
    const lagMs = this.#lagMs()
    if (lagMs === 0) return this.#tell()
    this.#telling = true
    this.#clock.setTimer(lagMs, () => {
      this.#telling = false
      if (!this.#held) this.#tell()
    })
  }

  #tell(): void {
    if (this.#closed) return
    this.#waiting.shift()?.()
    this.#tellNext()
  }
}
