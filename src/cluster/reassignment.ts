// Moving a partition to other brokers (KIP-455), as rules: to start it, to take it back. The refusals are those of Kafka's
// ReplicationControlManager, in its words.

import { ErrorCode } from '../protocol/error-code.ts'
import type { PartitionDocument } from './documents.ts'
import type { PartitionImage } from './image.ts'
import { changedPartition } from './partition-change.ts'
import { refuse, replicasProblem, type TopicRefusal } from './topic-rules.ts'

export interface ReassignmentOptions {
  readonly mayLead: (brokerId: number) => boolean
  /** Has ever been part of the cluster: a replica may be placed where nobody is at the moment. */
  readonly isKnown: (brokerId: number) => boolean
  /** Of the topic: whether a replica that is not in sync may lead. */
  readonly unclean: boolean
  /** KIP-860. */
  readonly allowReplicationFactorChange: boolean
}

/**
 * The partition on its way to `target`, or there, when that takes nothing to be copied. What a reassignment under way was adding and the
 * target lacks goes at once, so that cancelling still leads back to where the first one began.
 * [1,2] to [2,3]: replicas [2,3,1], adding [3], removing [1].
 */
export function reassigned(
  partition: PartitionImage,
  target: readonly number[],
  options: ReassignmentOptions,
): PartitionDocument | null | TopicRefusal {
  const problem = replicasProblem(target, null, options.isKnown)
  if (problem !== null) return refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem)
  const { replicas, adding, removing, isr } = partition
  const factor = replicas.length - removing.length
  if (!options.allowReplicationFactorChange && target.length !== factor) {
    return refuse(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `The replication factor is changed from ${factor} to ${target.length}`,
    )
  }
  const original = replicas.filter((id) => !adding.includes(id))
  const dropped = adding.filter((id) => !target.includes(id))
  const isrWithout = isr.filter((id) => !dropped.includes(id))
  // As long as only they are in sync they stay, and go with the others at the end.
  const stays = isrWithout.length === 0
  const leaving = (stays ? replicas : original).filter((id) => !target.includes(id)).sort((a, b) => a - b)
  return changedPartition(partition, {
    replicas: [...target, ...leaving],
    isr: stays ? isr : isrWithout,
    adding: target.filter((id) => !original.includes(id)).sort((a, b) => a - b),
    removing: leaving,
    mayLead: options.mayLead,
  })
}

/** The partition as before its reassignment. Where only what it added is in sync, going back is an unclean election. */
export function revertedReassignment(
  partition: PartitionImage,
  topicName: string,
  { mayLead, unclean }: Pick<ReassignmentOptions, 'mayLead' | 'unclean'>,
): PartitionDocument | null | TopicRefusal {
  const { adding, removing, index } = partition
  if (adding.length === 0 && removing.length === 0) {
    return refuse(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, 'No partition reassignment is in progress.')
  }
  const replicas = partition.replicas.filter((id) => !adding.includes(id))
  let isr = partition.isr.filter((id) => !adding.includes(id))
  if (isr.length === 0 && partition.isr.length > 0) {
    if (!unclean) {
      return refuse(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `Unable to revert partition assignment for ${topicName}:${index} because it would require an unclean leader election.`,
      )
    }
    isr = replicas.slice(0, 1)
  }
  return changedPartition(partition, {
    replicas,
    isr,
    adding: [],
    removing: [],
    election: unclean ? 'unclean' : 'online',
    mayLead,
  })
}
