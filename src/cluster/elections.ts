// Who leads a partition. A replica may lead when it is in sync; every election makes a new leader epoch.

import { ErrorCode } from '../protocol/error-code.ts'
import { isActive } from './controller/attended-partition.ts'
import type { PartitionDocument } from './documents.ts'
import type { ClusterImage } from './image.ts'
import type { PartitionState } from './partition-change.ts'
import { partitionDocument } from './partition-image.ts'
import type { PlaceableBroker } from './replica-placement.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

/**
 * The partition after broker `brokerId` has come back, or null when that changes nothing. It takes the partitions that nobody
 * leads, and those of its own earlier life under a new epoch: what it appended then and did not keep must not be
 * mistaken for what it appends now (KIP-101).
 */
export function electedOnStart(partition: PartitionState, brokerId: number): PartitionDocument | null {
  if (partition.leader !== -1 && partition.leader !== brokerId) return null
  if (!partition.isr.includes(brokerId)) return null
  return partitionDocument({
    ...partition,
    leader: brokerId,
    leaderEpoch: partition.leaderEpoch + 1,
    partitionEpoch: partition.partitionEpoch + 1,
  })
}

/** A partition at its creation: the first living replica leads, the living ones are in sync. Null when none lives. */
export function createdPartition(
  replicas: readonly number[],
  isLive: (brokerId: number) => boolean,
): PartitionDocument | null {
  const isr = replicas.filter(isLive)
  if (isr.length === 0) return null
  return { replicas, isr, leader: isr[0]!, leaderEpoch: 0, partitionEpoch: 0 }
}

/** Of the partitions from index `from` on. Where a partition has no active replica, Kafka's refusal. */
export function createdPartitions(
  replicas: readonly (readonly number[])[],
  from: number,
  { brokers }: Pick<ClusterImage, 'brokers'>,
): PartitionDocument[] | TopicRefusal {
  const partitions: PartitionDocument[] = []
  for (const [i, ids] of replicas.entries()) {
    const partition = createdPartition(ids, (id) => isActive(brokers, id))
    if (partition === null) {
      return refuse(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `All brokers specified in the manual partition assignment for partition ${from + i} are fenced or in controlled shutdown.`,
      )
    }
    partitions.push(partition)
  }
  return partitions
}

/** A replica may be placed on it, there or not. */
export function isKnown({ brokers, knownBrokers }: ClusterImage, id: number): boolean {
  return knownBrokers.has(id) || brokers.has(id)
}

/** All known brokers. */
export function placeableBrokers({ brokers, knownBrokers }: ClusterImage): PlaceableBroker[] {
  const ids = new Set([...knownBrokers.keys(), ...brokers.keys()])
  return [...ids].map((id) => {
    const { rack } = brokers.get(id) ?? knownBrokers.get(id)!
    return { id, rack, active: isActive(brokers, id) }
  })
}
