// Which partitions of a follower's session a fetch has to look at. A broker follows thousands of partitions of one leader, and few have
// anything new at a time: a fetch costs what changed, not what there is, as its bytes do by KIP-227.
//
// A partition is fresh from the moment something may have changed for the follower (it asks otherwise, there are records, the state is
// another) until a look finds that everything is said. What changes without a word (high watermark, log start, what the cluster thinks
// of the follower, when it was caught up) is found by a look at all of them, now and then.

import type { Millis } from '../io/clock.ts'
import type { Partition, PartitionWatcher, WatchedEnd } from '../replication/partition.ts'
import type { FetchPartition } from './fetch-partition.ts'

/** Between two looks at all: short beside replica.lag.time.max.ms, for which they say who is caught up. */
const allEveryMs: Millis = 500

export class SessionNews {
  /** In the order in which they get their turn. */
  readonly #fresh = new Set<FetchPartition>()
  readonly #watches = new Map<FetchPartition, Watch>()
  #brokerEpoch = -1
  #allAt: Millis = -Infinity
  /** Woken by what happens in any partition. */
  waiting: PartitionWatcher | null = null

  /** Takes out the partitions to look at; null: look at all. What is to be looked at again is to be kept. */
  take(brokerEpoch: number, now: Millis): FetchPartition[] | null {
    const fresh = [...this.#fresh]
    this.#fresh.clear()
    if (brokerEpoch === this.#brokerEpoch && now - this.#allAt < allEveryMs) return fresh
    this.#brokerEpoch = brokerEpoch
    this.#allAt = now
    return null
  }

  keep(wanted: FetchPartition): void {
    this.#fresh.add(wanted)
  }

  /** It has had its turn: the others come before it. */
  gaveRecords(wanted: FetchPartition): void {
    this.#fresh.delete(wanted)
    this.#fresh.add(wanted)
  }

  /** From now on what happens to the partition makes it fresh. */
  watch(wanted: FetchPartition, partition: Partition, ends: readonly WatchedEnd[]): void {
    const known = this.#watches.get(wanted)
    if (known?.partition === partition) return
    known?.end()
    this.#watches.set(wanted, new Watch(this, wanted, partition, ends))
  }

  forget(wanted: FetchPartition): void {
    this.#fresh.delete(wanted)
    this.#watches.get(wanted)?.end()
    this.#watches.delete(wanted)
  }

  /** Watches nothing until the next look at all. */
  rest(): void {
    for (const watch of this.#watches.values()) watch.end()
    this.#watches.clear()
    this.#allAt = -Infinity
  }
}

class Watch implements PartitionWatcher {
  readonly partition: Partition
  readonly #news: SessionNews
  readonly #wanted: FetchPartition

  constructor(news: SessionNews, wanted: FetchPartition, partition: Partition, ends: readonly WatchedEnd[]) {
    this.#news = news
    this.#wanted = wanted
    this.partition = partition
    for (const end of ends) partition.watch(this, end)
  }

  partitionChanged(bytes: number): void {
    this.#news.keep(this.#wanted)
    this.#news.waiting?.partitionChanged(bytes)
  }

  end(): void {
    this.partition.unwatch(this)
  }
}
