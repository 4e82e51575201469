// What a broker that starts may still be trusted with, and what that means for the partitions it has replicas of. Decided before it
// registers, so that nobody elects it on the strength of what it no longer has.

import { isActive, type Brokers } from './controller/attended-partition.ts'
import type { LiveDocument, PartitionDocument } from './documents.ts'
import type { FolderMemory } from './folder-memory.ts'
import type { KnownBrokerImage, PartitionImage } from './image.ts'
import { changedPartition } from './partition-change.ts'
import { partitionDocument } from './partition-image.ts'

/**
 * `everything`: the folder is the one of the last registration, closed in order. `durable`: the same folder, but what was not synced may
 * be gone. `nothing`: another folder, or an older copy of it.
 */
export type Trust = 'everything' | 'durable' | 'nothing'

/** `known`: the last registration, undefined when there was none: then the cluster has nothing that this broker could have lost. */
export function trustIn(
  known: Pick<KnownBrokerImage, 'directoryId' | 'incarnation'> | undefined,
  folder: FolderMemory,
): Trust {
  if (known !== undefined && !isOf(known, folder)) return 'nothing'
  return folder.wasClean ? 'everything' : 'durable'
}

/** Whether it was this folder that the broker was registered with. */
export function isOf(
  { directoryId, incarnation }: Pick<LiveDocument, 'directoryId' | 'incarnation'>,
  folder: FolderMemory,
): boolean {
  return directoryId === folder.directoryId && folder.incarnations.includes(incarnation)
}

/**
 * The partition as it must be before broker `id` registers, or null when it may stay. After an unclean stop it leaves the ISR where
 * another can vouch for what was acknowledged. Where records are synced before they are acknowledged (`synced`), that is where another
 * member lives: of those that all crashed, each has everything. Where they are not, it is where there is any other member, as in
 * Kafka. With nothing to be trusted it leaves every ISR, the last member too.
 */
export function beforeReturn(
  partition: PartitionImage,
  { id, trust, brokers, synced }: { id: number; trust: Trust; brokers: Brokers; synced: boolean },
): PartitionDocument | null {
  // Its log is opened anew.
  const failed = partition.failed.filter((other) => other !== id)
  const others = partition.isr.filter((other) => other !== id)
  const mayLead = (other: number) => other !== id && isActive(brokers, other)
  if (!partition.isr.includes(id) || trust === 'everything') return withFailed(partition, failed)
  if (trust === 'durable') {
    const leaves = synced ? others.some((other) => isActive(brokers, other)) : others.length > 0
    return leaves ? changedPartition(partition, { isr: others, failed, mayLead }) : withFailed(partition, failed)
  }
  if (others.length > 0) return changedPartition(partition, { isr: others, failed, mayLead })
  return partitionDocument({
    ...partition,
    isr: [],
    leader: -1,
    leaderEpoch: partition.leaderEpoch + 1,
    partitionEpoch: partition.partitionEpoch + 1,
    failed,
  })
}

function withFailed(partition: PartitionImage, failed: readonly number[]): PartitionDocument | null {
  if (failed.length === partition.failed.length) return null
  return partitionDocument({ ...partition, failed, partitionEpoch: partition.partitionEpoch + 1 })
}
