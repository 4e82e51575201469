// An election that an operator asks for (KIP-183, KIP-460), as a rule.

import { ErrorCode } from '../protocol/error-code.ts'
import type { PartitionDocument } from './documents.ts'
import type { PartitionImage } from './image.ts'
import { changedPartition } from './partition-change.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export type RequestedElection = 'preferred' | 'unclean'

/** `ELECTION_NOT_NEEDED` where the leader is as asked for: the preferred one, or any at all. */
export function electedOnRequest(
  partition: PartitionImage,
  election: RequestedElection,
  mayLead: (brokerId: number) => boolean,
): PartitionDocument | TopicRefusal {
  const { leader, replicas } = partition
  if (election === 'preferred' ? leader === replicas[0] : leader !== -1) {
    return refuse(ErrorCode.ELECTION_NOT_NEEDED, 'Leader election not needed for topic partition.')
  }
  const elected = changedPartition(partition, { election, mayLead })
  if (elected !== null) return elected
  return election === 'preferred'
    ? refuse(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.')
    : refuse(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'Eligible topic partition leaders are not available.')
}
