// Which replica a consumer had better read from (KIP-392): Kafka's RackAwareReplicaSelector, and what ReplicaManager lets it choose from.

import type { BrokerImage } from '../cluster/image.ts'
import type { FollowerProgress } from '../replication/leader-replicas.ts'
import type { Partition } from '../replication/partition.ts'
import type { Offset } from '../storage/partition-log.ts'

export const rackAwareReplicaSelector = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'

export interface ReachableBrokers {
  readonly brokers: ReadonlyMap<number, BrokerImage>
  /** Whether the consumer can be told where it is. */
  readonly isReachable: (brokerId: number) => boolean
}

/**
 * A follower in the consumer's rack that is in sync and has the wanted offset, of several the one that is furthest; -1 when there is
 * none, when the leader is in that rack, and where this broker does not lead.
 */
export function nearerReplica(
  partition: Partition,
  fetchOffset: Offset,
  rackId: string,
  { brokers, isReachable }: ReachableBrokers,
): number {
  if (!partition.isLeading || brokers.get(partition.image.leader)?.rack === rackId) return -1
  let best: FollowerProgress | null = null
  for (const follower of partition.followers) {
    const { brokerId, startOffset, endOffset } = follower
    if (brokers.get(brokerId)?.rack !== rackId || !partition.isr.includes(brokerId)) continue
    if (endOffset < fetchOffset || startOffset > fetchOffset || !isReachable(brokerId)) continue
    if (best === null || isFurther(follower, best)) best = follower
  }
  return best === null ? -1 : best.brokerId
}

function isFurther(one: FollowerProgress, other: FollowerProgress): boolean {
  if (one.endOffset !== other.endOffset) return one.endOffset > other.endOffset
  return one.caughtUpAtMs > other.caughtUpAtMs
}
