// Records that take members and groups out of the log. Their order is Kafka's, which checks it when it reads the log.

import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'

export function memberTombstones(groupId: string, memberId: string): ConsumerGroupRecord[] {
  return [
    { kind: 'consumerAssignment', groupId, memberId, value: null },
    { kind: 'consumerTarget', groupId, memberId, value: null },
    { kind: 'consumerMember', groupId, memberId, value: null },
  ]
}

export function groupTombstones(groupId: string, group: ConsumerGroupState): ConsumerGroupRecord[] {
  const memberIds = Array.from(group.members, ({ memberId }) => memberId)
  const regexes = [...group.regexes.keys()]
  const value = null
  return [
    ...memberIds.map((memberId) => ({ kind: 'consumerAssignment' as const, groupId, memberId, value })),
    ...memberIds.map((memberId) => ({ kind: 'consumerTarget' as const, groupId, memberId, value })),
    { kind: 'consumerTargetEpoch', groupId, value },
    ...memberIds.map((memberId) => ({ kind: 'consumerMember' as const, groupId, memberId, value })),
    ...regexes.map((regex) => ({ kind: 'consumerRegex' as const, groupId, regex, value })),
    { kind: 'consumerPartitionMetadata', groupId, value },
    { kind: 'consumerEpoch', groupId, value },
  ]
}
