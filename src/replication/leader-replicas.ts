// What a leader knows of its followers, and what follows from it: how far the partition is committed, who may join the ISR, who must
// leave it (Kafka's Replica and Partition.maybeIncrementLeaderHW). Pure: times and the log's end come in with each call.
//
// An ISR that was proposed and whose fate is not known may be in force already, or come into force later. Until that is settled a
// follower counts when it is in the ISR as it was or in any that was proposed (KIP-497's maximal ISR, for several proposals).

import type { PartitionImage } from '../cluster/image.ts'
import type { Millis } from '../io/clock.ts'
import type { Offset } from '../storage/partition-log.ts'

/** What a follower says with each fetch. */
export interface FollowerFetch {
  readonly brokerId: number
  /** Of its registration (KIP-903); -1: it did not say. */
  readonly brokerEpoch: number
  /** Everything below it is durable on the follower. */
  readonly fetchOffset: Offset
  /** -1: it did not say. */
  readonly logStartOffset: Offset
}

/** Whether a live broker has this epoch and may be in sync. */
export type MayBeInSync = (brokerId: number, brokerEpoch: number) => boolean

export type FetchStanding =
  | 'follower'
  /** Not a replica of the partition, by what this broker knows. */
  | 'notReplica'
  /** From before the broker's newest registration. */
  | 'stale'

export interface FollowerProgress {
  readonly brokerId: number
  readonly brokerEpoch: number
  /** -1 until it has fetched under this leadership. */
  readonly endOffset: Offset
  /** -1 until it has fetched under this leadership. */
  readonly startOffset: Offset
  /** Monotonic: the last moment at which it had all that the leader had. */
  readonly caughtUpAtMs: Millis
}

class Follower implements FollowerProgress {
  readonly brokerId: number
  brokerEpoch = -1
  endOffset: Offset = -1
  startOffset: Offset = -1
  caughtUpAtMs: Millis
  /** In the ISR, or in a proposed one. */
  counts = false
  #fetchedAtMs: Millis
  #leaderEndAtFetch: Offset

  constructor(brokerId: number, caughtUpAtMs: Millis, leaderEnd: Offset) {
    this.brokerId = brokerId
    this.caughtUpAtMs = caughtUpAtMs
    this.#fetchedAtMs = caughtUpAtMs
    this.#leaderEndAtFetch = leaderEnd
  }

  /**
   * Kafka's rule (Replica.updateFetchStateOrThrow): who has by now what the leader had at the fetch before was caught up then, though
   * under a steady load it never reaches the leader's end of the moment.
   */
  fetched(fetch: FollowerFetch, leaderEnd: Offset, now: Millis): void {
    // Another life of the broker: what the last one had is no word about this one.
    if (this.brokerEpoch >= 0 && fetch.brokerEpoch > this.brokerEpoch) this.caughtUpAtMs = -Infinity
    if (fetch.fetchOffset >= leaderEnd) this.caughtUpAtMs = now
    else if (fetch.fetchOffset >= this.#leaderEndAtFetch) {
      this.caughtUpAtMs = Math.max(this.caughtUpAtMs, this.#fetchedAtMs)
    }
    this.brokerEpoch = fetch.brokerEpoch
    this.endOffset = fetch.fetchOffset
    this.startOffset = fetch.logStartOffset
    this.#leaderEndAtFetch = leaderEnd
    this.#fetchedAtMs = now
  }
}

export interface LeaderReplicasOptions {
  readonly brokerId: number
  readonly image: PartitionImage
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: Millis
  /** End of the leader's log as followers can read it. */
  readonly leaderEnd: Offset
  readonly now: Millis
}

export class LeaderReplicas {
  readonly #brokerId: number
  readonly #lagTimeMaxMs: Millis
  readonly #followers = new Map<number, Follower>()
  #image: PartitionImage
  /** May be in force. */
  #proposal: readonly number[] | null = null
  /** Brokers in earlier proposals of which nobody knows what became. */
  readonly #maybeInSync = new Set<number>()

  /** A leadership begins: nothing is known of the followers, and those in the ISR have the whole lag time to show themselves. */
  constructor({ brokerId, image, lagTimeMaxMs, leaderEnd, now }: LeaderReplicasOptions) {
    this.#brokerId = brokerId
    this.#lagTimeMaxMs = lagTimeMaxMs
    this.#image = image
    this.follow(image, leaderEnd, now)
  }

  get followers(): Iterable<FollowerProgress> {
    return this.#followers.values()
  }

  /** Whether an ISR was proposed of which nobody knows what became. */
  get isUnsettled(): boolean {
    return this.#proposal !== null || this.#maybeInSync.size > 0
  }

  /** The cluster says something new of the partition, under the same leader. What was proposed on the state before can apply no more. */
  follow(image: PartitionImage, leaderEnd: Offset, now: Millis): void {
    if (image.revision !== this.#image.revision) {
      this.#proposal = null
      this.#maybeInSync.clear()
    }
    this.#image = image
    for (const id of this.#followers.keys()) if (!image.replicas.includes(id)) this.#followers.delete(id)
    for (const id of image.replicas) {
      if (id === this.#brokerId || this.#followers.has(id)) continue
      this.#followers.set(id, new Follower(id, image.isr.includes(id) ? now : -Infinity, leaderEnd))
    }
    this.#count()
  }

  /** What a broker is to the partition, that says it fetches for this replica. */
  standingOf(brokerId: number, brokerEpoch: number): FetchStanding {
    const follower = this.#followers.get(brokerId)
    if (follower === undefined) return 'notReplica'
    return brokerEpoch >= 0 && brokerEpoch < follower.brokerEpoch ? 'stale' : 'follower'
  }

  /** `leaderEnd`: what the leader's log holds for followers to read. Does nothing for who is not a follower. */
  fetched(fetch: FollowerFetch, leaderEnd: Offset, now: Millis): FetchStanding {
    const standing = this.standingOf(fetch.brokerId, fetch.brokerEpoch)
    if (standing === 'follower') this.#followers.get(fetch.brokerId)!.fetched(fetch, leaderEnd, now)
    return standing
  }

  /**
   * Below it everything is on every replica that counts, and durable there. A follower outside the ISR that is caught up and may join is
   * waited for, too: else the high watermark would always be ahead of it and it could never join.
   */
  committedOffset(durableOffset: Offset, leaderEnd: Offset, now: Millis, mayBeInSync: MayBeInSync): Offset {
    let committed = durableOffset
    for (const follower of this.#followers.values()) {
      if (follower.endOffset >= committed) continue
      if (follower.counts || this.#isAboutToJoin(follower, leaderEnd, now, mayBeInSync)) committed = follower.endOffset
    }
    return committed
  }

  /** Whether a follower could join the ISR now. */
  canGrow(from: Offset, mayBeInSync: MayBeInSync): boolean {
    for (const follower of this.#followers.values()) if (this.#mayJoin(follower, from, mayBeInSync)) return true
    return false
  }

  /**
   * The ISR as it should be, in the order of the replicas: without those that have not been caught up for the lag time, with those
   * that have everything from `from` (high watermark, or start of this leadership when that is greater) on. Never without the leader.
   */
  wantedIsr(from: Offset, leaderEnd: Offset, now: Millis, mayBeInSync: MayBeInSync): readonly number[] {
    const { replicas, isr } = this.#image
    return replicas.filter((id) => {
      const follower = this.#followers.get(id)
      if (follower === undefined) return id === this.#brokerId
      return isr.includes(id)
        ? this.#isCaughtUp(follower, leaderEnd, now)
        : this.#joins(follower, from) && mayBeInSync(id, follower.brokerEpoch)
    })
  }

  /** Registrations of those in `isr` that are not in the cluster's: what a proposal of it relies on. */
  epochsOfJoining(isr: readonly number[]): Map<number, number> {
    const epochs = new Map<number, number>()
    for (const id of isr) {
      const follower = this.#followers.get(id)
      if (follower !== undefined && !this.#image.isr.includes(id)) epochs.set(id, follower.brokerEpoch)
    }
    return epochs
  }

  /** From here on `isr` may be in force, and so may what was proposed before and not withdrawn. */
  propose(isr: readonly number[]): void {
    for (const id of this.#proposal ?? []) this.#maybeInSync.add(id)
    this.#proposal = isr
    this.#count()
  }

  /** The last proposal was refused for certain. */
  withdraw(): void {
    this.#proposal = null
    this.#count()
  }

  /** The lowest log start of the leader and of its followers that are there; -1 while one of them has not said (KIP-107). */
  lowWatermark(logStartOffset: Offset, isThere: (brokerId: number) => boolean): Offset {
    let low = logStartOffset
    for (const { brokerId, startOffset } of this.#followers.values()) {
      if (startOffset < low && isThere(brokerId)) low = startOffset
    }
    return low
  }

  #count(): void {
    for (const follower of this.#followers.values()) {
      const { brokerId } = follower
      follower.counts =
        this.#image.isr.includes(brokerId) ||
        this.#maybeInSync.has(brokerId) ||
        this.#proposal?.includes(brokerId) === true
    }
  }

  #isCaughtUp(follower: Follower, leaderEnd: Offset, now: Millis): boolean {
    return follower.endOffset === leaderEnd || now - follower.caughtUpAtMs <= this.#lagTimeMaxMs
  }

  #isAboutToJoin(follower: Follower, leaderEnd: Offset, now: Millis, mayBeInSync: MayBeInSync): boolean {
    return this.#isCaughtUp(follower, leaderEnd, now) && mayBeInSync(follower.brokerId, follower.brokerEpoch)
  }

  #joins(follower: Follower, from: Offset): boolean {
    return follower.endOffset >= from
  }

  #mayJoin(follower: Follower, from: Offset, mayBeInSync: MayBeInSync): boolean {
    return !follower.counts && this.#joins(follower, from) && mayBeInSync(follower.brokerId, follower.brokerEpoch)
  }
}
