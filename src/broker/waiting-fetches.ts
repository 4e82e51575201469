// Fetches that wait for records: each watches its partitions and sleeps until enough bytes are committed, something changes that the
// client must know, the time is up, or the connection is gone. Waiting costs one timer and no bytes; nothing is read meanwhile.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Partition, PartitionWatcher, WatchedEnd } from '../replication/partition.ts'

export type WaitEnd =
  /** Enough bytes: look again. */
  | 'progress'
  /** The state of a partition changed: the client must know. */
  | 'changed'
  | 'timeout'
  /** Nobody is left to answer. */
  | 'aborted'

export interface WaitingFetchesOptions {
  readonly clock: Clock
  /** Fetches that may wait at the same time; beyond it a fetch is answered at once with what there is. */
  readonly fetchesMax?: number
}

const fetchesMaxDefault = 100_000
/** After leaderships began here followers have to ask for more partitions: for so long they wait only a little at a time. */
const hurryMs: Millis = 500
const hurriedWaitMs: Millis = 25
const consumersEnd: readonly WatchedEnd[] = ['committed']

export class WaitingFetches {
  readonly #clock: Clock
  readonly #fetchesMax: number
  #size = 0
  readonly #followers = new Set<WaitingFetch>()
  #hurryUntil: Millis = -Infinity

  constructor({ clock, fetchesMax = fetchesMaxDefault }: WaitingFetchesOptions) {
    this.#clock = clock
    this.#fetchesMax = fetchesMax
  }

  /** Fetches waiting now, DelayedFetch in Kafka's metrics. */
  get size(): number {
    return this.#size
  }

  /**
   * Begins to watch `ends` of each partition; the time runs from here. What happens between this call and `until` is not missed. The caller must `end` it.
   * Null when as many wait as may.
   */
  begin(
    partitions: Iterable<Partition>,
    timeoutMs: Millis,
    signal: AbortSignal,
    ends: readonly WatchedEnd[] = consumersEnd,
  ): WaitingFetch | null {
    if (this.#size >= this.#fetchesMax) return null
    this.#size += 1
    if (!ends.includes('written')) {
      return new WaitingFetch(this.#clock, { partitions, ends }, timeoutMs, signal, () => {
        this.#size -= 1
      })
    }
    const isHurried = this.#clock.monotonic() < this.#hurryUntil
    const waitMs = isHurried ? Math.min(timeoutMs, hurriedWaitMs) : timeoutMs
    const waiting = new WaitingFetch(this.#clock, { partitions, ends }, waitMs, signal, () => {
      this.#size -= 1
      this.#followers.delete(waiting)
    })
    this.#followers.add(waiting)
    return waiting
  }

  /**
   * This broker leads a replicated partition as of now. Followers that wait for others here cannot ask for it: their fetches are answered,
   * and for a moment they do not wait long, for they may hear of the new leader after this broker.
   */
  leadershipBegan(): void {
    this.#hurryUntil = this.#clock.monotonic() + hurryMs
    for (const waiting of this.#followers) waiting.giveUp()
  }
}

export class WaitingFetch implements PartitionWatcher {
  readonly #partitions: Partition[] = []
  readonly #timer: Timer
  readonly #signal: AbortSignal
  readonly #onEnd: () => void
  #bytes = 0
  #bytesWanted = Infinity
  #over: WaitEnd | null = null
  #resolve: ((end: WaitEnd) => void) | null = null

  constructor(
    clock: Clock,
    { partitions, ends }: { partitions: Iterable<Partition>; ends: readonly WatchedEnd[] },
    timeoutMs: Millis,
    signal: AbortSignal,
    onEnd: () => void,
  ) {
    this.#signal = signal
    this.#onEnd = onEnd
    for (const partition of partitions) {
      for (const end of ends) partition.watch(this, end)
      this.#partitions.push(partition)
    }
    this.#timer = clock.setTimer(timeoutMs, () => this.#finish('timeout'))
    if (signal.aborted) this.#over = 'aborted'
    else signal.addEventListener('abort', this.#onAbort)
  }

  /** Forgets the progress so far: call before looking at the partitions again. */
  restart(): void {
    this.#bytes = 0
    this.#bytesWanted = Infinity
  }

  /** Resolves once `bytes` more are there since `begin` or `restart`, or with another reason to look. */
  until(bytes: number): Promise<WaitEnd> {
    return new Promise((resolve) => {
      this.#bytesWanted = bytes
      this.#resolve = resolve
      if (this.#over !== null) this.#wake(this.#over)
      else if (this.#bytes >= bytes) this.#wake('progress')
    })
  }

  /** As if the time were up. */
  giveUp(): void {
    this.#finish('timeout')
  }

  partitionChanged(bytes: number): void {
    if (bytes === 0) return this.#finish('changed')
    this.#bytes += bytes
    if (this.#bytes >= this.#bytesWanted) this.#wake('progress')
  }

  /** Watches no longer. */
  end(): void {
    for (const partition of this.#partitions) partition.unwatch(this)
    this.#timer.cancel()
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#onEnd()
  }

  readonly #onAbort = (): void => this.#finish('aborted')

  #finish(end: WaitEnd): void {
    this.#over = end
    this.#wake(end)
  }

  #wake(end: WaitEnd): void {
    const resolve = this.#resolve
    this.#resolve = null
    resolve?.(end)
  }
}
