// Replication in the background, so that clients keep their share of the network (KIP-73): partitions whose topic says so are copied to
// brokers that are not in sync only as long as the rate of all of them is below what the broker was told. In-sync replicas are
// never held back. Leader and follower each count and hold back by themselves, as Kafka's ReplicationQuotaManager.

import type { ClusterImage, ImageChange, TopicImage } from '../cluster/image.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { dynamicConfigsOf, dynamicValue, replicationRates } from '../cluster/settings/dynamic-broker-definitions.ts'
import { topicSettings } from '../cluster/settings/topic-config.ts'
import type { Clock } from '../io/clock.ts'
import { ByteRate } from './byte-rate.ts'

export type ThrottledSide = 'leader' | 'follower'

/** What is asked of a partition. */
export interface ThrottledPartition {
  readonly topicId: string
  readonly index: number
  readonly isr: readonly number[]
}

/** Partitions by index, or all of a topic. */
type Throttled = ReadonlySet<number> | 'all'

export class ReplicationThrottle {
  readonly #side: ThrottledSide
  readonly #brokerId: number
  readonly #rate: ByteRate
  /** By topic id; only those with any. */
  readonly #topics = new Map<string, Throttled>()
  /** Bytes per second. */
  #limit = Infinity

  constructor({ side, brokerId, clock }: { side: ThrottledSide; brokerId: number; clock: Clock }) {
    this.#side = side
    this.#brokerId = brokerId
    this.#rate = new ByteRate(clock)
  }

  /** Takes over what the image says; `settings` are the topics' defaults. */
  apply({ before, after, topicIds }: ImageChange, settings: BrokerSettings): void {
    if (before.configs !== after.configs) this.#limit = this.#limitIn(after)
    for (const id of topicIds) {
      const throttled = this.#throttledOf(after.topicsById.get(id), settings)
      if (throttled === null) this.#topics.delete(id)
      else this.#topics.set(id, throttled)
    }
  }

  /** Whether the partition counts for the rate. */
  isThrottled({ topicId, index }: Pick<ThrottledPartition, 'topicId' | 'index'>): boolean {
    if (this.#topics.size === 0) return false
    const throttled = this.#topics.get(topicId)
    return throttled === 'all' || throttled?.has(index) === true
  }

  /** Whether nothing of the partition is to be copied to broker `replicaId` now. */
  holdsBack(partition: ThrottledPartition, replicaId: number): boolean {
    return this.isThrottled(partition) && !partition.isr.includes(replicaId) && this.#rate.perSecond() > this.#limit
  }

  /** Bytes of throttled partitions were copied. */
  copied(bytes: number): void {
    this.#rate.add(bytes)
  }

  #limitIn({ configs }: ClusterImage): number {
    return dynamicValue(replicationRates[this.#side], dynamicConfigsOf(configs, this.#brokerId))
  }

  #throttledOf(topic: TopicImage | undefined, settings: BrokerSettings): Throttled | null {
    if (topic === undefined) return null
    const { leaderThrottledReplicas, followerThrottledReplicas } = topicSettings(topic, settings)
    const items = this.#side === 'leader' ? leaderThrottledReplicas : followerThrottledReplicas
    if (items.includes('*')) return 'all'
    const ours = new Set<number>()
    for (const item of items) {
      const [index, brokerId] = item.split(':')
      if (Number(brokerId) === this.#brokerId) ours.add(Number(index))
    }
    return ours.size === 0 ? null : ours
  }
}
