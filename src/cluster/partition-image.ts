// A partition's document and its image are one thing in two shapes: as it is written, without what is empty, and as it is read.

import type { PartitionDocument } from './documents.ts'
import type { PartitionImage } from './image.ts'
import type { Revision } from './meta-store.ts'

const none: readonly number[] = []

/** `revision`: the one that wrote the document. */
export function partitionImage(document: PartitionDocument, index: number, revision: Revision): PartitionImage {
  const { replicas, isr, leader, leaderEpoch, partitionEpoch } = document
  const { adding = none, removing = none, failed = none } = document
  return { index, revision, replicas, isr, leader, leaderEpoch, partitionEpoch, adding, removing, failed }
}

export function partitionDocument(partition: Omit<PartitionImage, 'index' | 'revision'>): PartitionDocument {
  const { replicas, isr, leader, leaderEpoch, partitionEpoch, adding, removing, failed } = partition
  return {
    replicas,
    isr,
    leader,
    leaderEpoch,
    partitionEpoch,
    ...(adding.length > 0 && { adding }),
    ...(removing.length > 0 && { removing }),
    ...(failed.length > 0 && { failed }),
  }
}
