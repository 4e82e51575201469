// Who may commit and read the offsets of a KIP-848 group.

import { ErrorCode } from '../../../protocol/error-code.ts'
import type { CommitEvent } from '../group-event.ts'
import type { TopicsView } from '../topics-view.ts'
import type { ConsumerMember } from './consumer-member.ts'

/** The first version of OffsetCommit that knows member epochs. */
const memberEpochSince = 9

export interface CommitRules {
  readonly topics: TopicsView
  /** Characters; a partition with more is refused on its own, whatever else is wrong with it. */
  readonly metadataMax: number
}

/**
 * NONE when all partitions may be committed; otherwise none is. A member whose epoch is behind may still commit what it has had since
 * then, so that a commit under way during a rebalance is not lost (KIP-1251).
 */
export function commitProblem(
  member: ConsumerMember | undefined,
  { request, sender }: CommitEvent,
  { topics, metadataMax }: CommitRules,
): ErrorCode {
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  const isClassic = member.classicMemberMetadata !== null
  if (!isClassic && sender.apiVersion < memberEpochSince) return ErrorCode.UNSUPPORTED_VERSION
  const { generationIdOrMemberEpoch: epoch } = request
  if (epoch === member.memberEpoch) return ErrorCode.NONE
  const stale = staleCode(member)
  if (epoch > member.memberEpoch) return stale
  const hasHadSince = (topicId: string | undefined, partition: number) => {
    if (topicId === undefined) return false
    const { assignedPartitions, partitionsPendingRevocation } = member
    const since =
      assignedPartitions.get(topicId)?.get(partition) ?? partitionsPendingRevocation.get(topicId)?.get(partition)
    return since !== undefined && epoch >= since
  }
  const allowed = request.topics.every(({ name, partitions }) => {
    const topicId = topics.byName(name)?.id
    return partitions.every(
      ({ partitionIndex, committedMetadata }) =>
        (committedMetadata?.length ?? 0) > metadataMax || hasHadSince(topicId, partitionIndex),
    )
  })
  return allowed ? ErrorCode.NONE : stale
}

export function fetchProblem(member: ConsumerMember | undefined, epoch: number): ErrorCode {
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return epoch === member.memberEpoch ? ErrorCode.NONE : staleCode(member)
}

/** Members of the classic protocol know generations. */
function staleCode({ classicMemberMetadata }: ConsumerMember): ErrorCode {
  return classicMemberMetadata === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION
}
