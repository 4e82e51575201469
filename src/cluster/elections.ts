// Who leads a partition. A replica may lead when it is in sync; every election makes a new leader epoch.

import type { PartitionDocument } from './documents.ts'
import type { PartitionState } from './partition-change.ts'
import { partitionDocument } from './partition-image.ts'

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
