// What the rules about replicas are told: one replica of a partition, as it is at one broker after an event.

import type { PartitionState } from '../../src/replication/partition.ts'
import type { Offset } from '../../src/storage/partition-log.ts'

export interface ReplicaSight {
  readonly machine: number
  /** Of the broker on that machine: counts from 1. */
  readonly life: number
  readonly topicId: string
  /** `orders-0`. */
  readonly name: string
  readonly state: PartitionState
  /** -1: none yet. */
  readonly leaderEpoch: number
  readonly logStartOffset: Offset
  readonly highWatermark: Offset
  readonly logEndOffset: Offset
  readonly durableOffset: Offset
  readonly minInsyncReplicas: number
  /** Its bytes stay as they are: it is not compacted. */
  readonly keepsBytes: boolean
  /** What it confirms is fsynced. */
  readonly isFsynced: boolean
}

export interface ReplicaRule {
  readonly name: string
  /** `before`: after the event before; null when this life shows the replica for the first time. Throws a `Violation`. */
  replicaChanged(now: ReplicaSight, before: ReplicaSight | null): void
}

/** Across topics of the same name. */
export function partitionOf({ topicId, name }: Pick<ReplicaSight, 'topicId' | 'name'>): string {
  return `${topicId} ${name}`
}
