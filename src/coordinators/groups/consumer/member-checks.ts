// Whether whoever sends a heartbeat is who it says it is, and where it should be (KIP-345, KIP-848).

import { ErrorCode } from '../../../protocol/error-code.ts'
import type { FoundMember } from './consumer-group-host.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { type ConsumerMember, joiningEpoch, leavingForNowEpoch, newMember } from './consumer-member.ts'
import type { Refusal } from './heartbeat-answer.ts'
import type { ConsumerHeartbeatEvent } from './heartbeat-event.ts'
import { containsAll, type OwnedPartitions } from './member-partitions.ts'

/** The member a heartbeat is of: one of the group's, or a new one when it joins. */
export function findMember(
  group: ConsumerGroupState,
  { groupId, request, newMemberId }: ConsumerHeartbeatEvent,
  sizeMax: number,
): FoundMember | Refusal {
  const { instanceId, memberEpoch, topicPartitions } = request
  const memberId = request.memberId === '' ? newMemberId : request.memberId
  const known = group.member(memberId)
  if (known === undefined && group.size >= sizeMax) return groupFull(sizeMax)
  const joins = memberEpoch === joiningEpoch
  if (instanceId === null) {
    const member = known ?? (joins ? newMember(memberId) : null)
    if (member === null) return unknownMember(groupId, memberId)
    return epochProblem(member, memberEpoch, topicPartitions) ?? { member, replaces: null }
  }
  const holder = group.holderOf(instanceId)
  if (joins) {
    if (holder === undefined) return { member: known ?? newMember(memberId), replaces: null }
    const member = { ...holder, memberId, memberEpoch: joiningEpoch, previousMemberEpoch: joiningEpoch }
    return unreleasedProblem(holder, memberId, instanceId) ?? { member, replaces: holder }
  }
  if (holder === undefined) return unknownInstance(instanceId)
  return (
    instanceProblem(holder, memberId, instanceId) ??
    epochProblem(holder, memberEpoch, topicPartitions) ?? { member: holder, replaces: null }
  )
}

/** The member that leaves. */
export function findLeaving(group: ConsumerGroupState, event: ConsumerHeartbeatEvent): ConsumerMember | Refusal {
  const { groupId, request } = event
  const { memberId, instanceId } = request
  if (instanceId === null) return group.member(memberId) ?? unknownMember(groupId, memberId)
  const holder = group.holderOf(instanceId)
  if (holder === undefined) return unknownInstance(instanceId)
  return instanceProblem(holder, memberId, instanceId) ?? holder
}

/**
 * A member must know its epoch, or join again. It may be one epoch behind when it owns nothing that it lost on the way: it has not got
 * the answer that told it of the newer one.
 */
function epochProblem(member: ConsumerMember, epoch: number, owned: OwnedPartitions | null): Refusal | null {
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
function unreleasedProblem(holder: ConsumerMember, memberId: string, instanceId: string): Refusal | null {
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
