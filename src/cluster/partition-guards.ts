// What a change of a partition is guarded by: the state it was decided on and, where it elects somebody, that they are still there.

import type { PartitionDocument } from './documents.ts'
import type { BrokerImage, PartitionImage } from './image.ts'
import { liveKey, partitionKey } from './keys.ts'
import type { Guard } from './meta-store.ts'

export interface PartitionWrite {
  readonly topicId: string
  /** As it was when it was decided. */
  readonly partition: PartitionImage
  readonly document: PartitionDocument
}

/** The first is the partition's own key. */
export function partitionGuards(
  { topicId, partition, document }: PartitionWrite,
  brokers: ReadonlyMap<number, BrokerImage>,
): readonly [Guard, ...Guard[]] {
  const own = { key: partitionKey(topicId, partition.index), modRevision: partition.revision }
  const elected = document.leader === partition.leader ? undefined : brokers.get(document.leader)
  return elected === undefined ? [own] : [own, { key: liveKey(elected.id), createRevision: elected.epoch }]
}
