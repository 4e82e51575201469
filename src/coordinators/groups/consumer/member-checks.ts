// Whether whoever sends a heartbeat is who it says it is, and where it should be (KIP-345, KIP-848).

import { ErrorCode } from '../../../protocol/error-code.ts'
import { type ConsumerMember, joiningEpoch, leavingForNowEpoch } from './consumer-member.ts'
import type { Refusal } from './heartbeat-answer.ts'
import { containsAll, type OwnedPartitions } from './member-partitions.ts'

/**
 * A member must know its epoch, or join again. It may be one epoch behind when it owns nothing that it lost on the way: it has not got
 * the answer that told it of the newer one.
 */
export function epochProblem(member: ConsumerMember, epoch: number, owned: OwnedPartitions | null): Refusal | null {
  const { memberEpoch, previousMemberEpoch, assignedPartitions } = member
  if (epoch === joiningEpoch || epoch === memberEpoch) return null
  if (epoch < memberEpoch && epoch === previousMemberEpoch && containsAll(assignedPartitions, owned)) return null
  const which = epoch > memberEpoch ? 'greater' : 'smaller'
  return fenced(
    `The consumer group member has a ${which} member epoch (${epoch}) than the one known by the group coordinator ` +
      `(${memberEpoch}). The member must abandon all its partitions and rejoin.`,
  )
}

export function fencedInUnknownState(): Refusal {
  return fenced(
    'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
  )
}

export function unknownMember(groupId: string, memberId: string): Refusal {
  return { code: ErrorCode.UNKNOWN_MEMBER_ID, message: `Member ${memberId} is not a member of group ${groupId}.` }
}

export function unknownInstance(instanceId: string): Refusal {
  return { code: ErrorCode.UNKNOWN_MEMBER_ID, message: `Instance id ${instanceId} is unknown.` }
}

/** The instance is somebody else by now. */
export function instanceProblem(holder: ConsumerMember, memberId: string, instanceId: string): Refusal | null {
  if (holder.memberId === memberId) return null
  const message = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.memberId}.`
  return { code: ErrorCode.FENCED_INSTANCE_ID, message }
}

/** The instance may be taken over only once its holder has said that it leaves for now, or it is a classic member. */
export function unreleasedProblem(holder: ConsumerMember, memberId: string, instanceId: string): Refusal | null {
  if (holder.memberEpoch === leavingForNowEpoch || holder.classicMemberMetadata !== null) return null
  const message =
    `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ` +
    `${holder.memberId} member.`
  return { code: ErrorCode.UNRELEASED_INSTANCE_ID, message }
}

export function groupFull(sizeMax: number): Refusal {
  const message = `The consumer group has reached its maximum capacity of ${sizeMax} members.`
  return { code: ErrorCode.GROUP_MAX_SIZE_REACHED, message }
}

function fenced(message: string): Refusal {
  return { code: ErrorCode.FENCED_MEMBER_EPOCH, message }
}
