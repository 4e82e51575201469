// One member of a KIP-848 group, as a value: what it said of itself, and what it has. The log keeps the two apart.

import type { NotedMember } from '../history/group-note.ts'
import type { ConsumerGroupRecord, MemberAssignment, MemberSubscription } from './consumer-group-record.ts'
import { noPartitions, samePartitions } from './member-partitions.ts'

export interface ConsumerMember extends MemberSubscription, MemberAssignment {
  readonly memberId: string
}

/** Member epochs that a client sends instead of its own. */
export const joiningEpoch = 0
export const leavingEpoch = -1
/** Of a static member that will be back (KIP-345). */
export const leavingForNowEpoch = -2

/** Before its first heartbeat. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classicMemberMetadata: null,
    memberEpoch: joiningEpoch,
    previousMemberEpoch: -1,
    state: 'stable',
    assignedPartitions: noPartitions,
    partitionsPendingRevocation: noPartitions,
  }
}

/** It has all that the target of this epoch gives it. */
export function isReconciled({ state, memberEpoch }: MemberAssignment, targetEpoch: number): boolean {
  return state === 'stable' && memberEpoch === targetEpoch
}

/** Its regular expression, or null. */
export function regexOf({ subscribedTopicRegex }: MemberSubscription): string | null {
  return subscribedTopicRegex === '' ? null : subscribedTopicRegex
}

export function sameTopicNames(one: MemberSubscription, other: MemberSubscription): boolean {
  return sameNames(one.subscribedTopicNames, other.subscribedTopicNames)
}

/** Of sorted lists. */
export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((name, index) => name === other[index]))
}

export function sameSubscription(one: MemberSubscription, other: MemberSubscription): boolean {
  return (
    one.instanceId === other.instanceId &&
    one.rackId === other.rackId &&
    one.clientId === other.clientId &&
    one.clientHost === other.clientHost &&
    one.subscribedTopicRegex === other.subscribedTopicRegex &&
    one.rebalanceTimeoutMs === other.rebalanceTimeoutMs &&
    one.serverAssignor === other.serverAssignor &&
    one.classicMemberMetadata === other.classicMemberMetadata &&
    sameTopicNames(one, other)
  )
}

export function sameAssignment(one: MemberAssignment, other: MemberAssignment): boolean {
  return (
    one.memberEpoch === other.memberEpoch &&
    one.previousMemberEpoch === other.previousMemberEpoch &&
    one.state === other.state &&
    samePartitions(one.assignedPartitions, other.assignedPartitions) &&
    samePartitions(one.partitionsPendingRevocation, other.partitionsPendingRevocation)
  )
}

export function subscriptionRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  const { memberId, instanceId, rackId, clientId, clientHost } = member
  const { subscribedTopicNames, subscribedTopicRegex, rebalanceTimeoutMs, serverAssignor, classicMemberMetadata } =
    member
  const value = {
    instanceId,
    rackId,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex,
    rebalanceTimeoutMs,
    serverAssignor,
    classicMemberMetadata,
  }
  return { kind: 'consumerMember', groupId, memberId, value }
}

export function assignmentRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  const { memberId, memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = member
  const value = { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation }
  return { kind: 'consumerAssignment', groupId, memberId, value }
}

export function notedMember({ memberId, instanceId, clientId, clientHost }: ConsumerMember): NotedMember {
  return { memberId, groupInstanceId: instanceId, clientId, clientHost }
}
