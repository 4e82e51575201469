// What others see of a classic group: DescribeGroups, ListGroups, and which of its topics it reads.

import type { Millis } from '../../../io/clock.ts'
import { consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { DecodeError } from '../../../protocol/schema/index.ts'
import type { ClassicGroup } from './classic-group.ts'
import { noBytes } from './classic-member.ts'
import type { DescribedGroup, ListedGroup } from '../group-event.ts'
import type { CommittedOffset } from '../group-record.ts'
import { operationsNotAsked } from '../group-response.ts'

const consumerProtocolType = 'consumer'

/** Kafka tells the protocol and the members' metadata only while the group is stable. */
export function describeGroup(group: ClassicGroup): DescribedGroup {
  const protocol = group.state === 'Stable' ? group.protocol : null
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol ?? '',
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: protocol === null ? noBytes : member.metadataFor(protocol),
      memberAssignment: member.assignment,
    })),
    authorizedOperations: operationsNotAsked,
  }
}

export function listGroup(group: ClassicGroup): ListedGroup {
  const { groupId, protocolType, state } = group
  return { groupId, protocolType: protocolType ?? '', groupState: state, groupType: 'classic' }
}

/** Topics its consumers read; null when they do not say, or not so that it can be read. */
function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | null {
  if (group.protocolType !== consumerProtocolType) return null
  const topics = new Set<string>()
  try {
    for (const member of group.members) {
      const { topics: wanted } = consumerProtocolSubscription.decode(member.metadataFor(group.protocol))
      for (const topic of wanted) topics.add(topic)
    }
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
  return topics
}

/**
 * Whether the group no longer needs what it committed for `topic`. The time runs from the moment the group became empty; for a
 * consumer group with members, and for a group that never had any, from the commit (KIP-186, KIP-211). A retention of the commit's own
 * overrides the broker's.
 */
export function offsetExpiry(
  group: ClassicGroup,
  retentionMs: Millis,
): (topic: string, offset: CommittedOffset, now: Millis) => boolean {
  const topics = subscribedTopics(group)
  if (group.protocolType !== null && group.state !== 'Empty' && (topics === null || group.state !== 'Stable')) {
    return () => false
  }
  const emptySince = group.protocolType !== null && group.state === 'Empty' ? group.stateSince : -1
  return (topic, offset, now) => {
    if (topics?.has(topic) === true) return false
    if (offset.expireTimestamp >= 0) return now >= offset.expireTimestamp
    return now - (emptySince >= 0 ? emptySince : offset.commitTimestamp) >= retentionMs
  }
}
