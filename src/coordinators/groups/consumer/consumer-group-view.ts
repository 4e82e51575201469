// What others see of a KIP-848 group: ConsumerGroupDescribe.

import { ErrorCode } from '../../../protocol/error-code.ts'
import type { AssignedPartitions } from '../assignors/assignor.ts'
import { operationsNotAsked } from '../group-response.ts'
import type { TopicsView } from '../topics-view.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import type { ConsumerMember } from './consumer-member.ts'
import type { DescribedConsumerGroup } from './heartbeat-event.ts'
import { ascending } from './member-partitions.ts'

/** KIP-1099: which protocol a member speaks. */
const memberTypes = { classic: 0, consumer: 1 } as const

export function describeConsumerGroup(
  groupId: string,
  group: ConsumerGroupState,
  assignorName: string,
  topics: TopicsView,
): DescribedConsumerGroup {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId,
    groupState: group.name,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName,
    members: Array.from(group.members, (member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames],
      subscribedTopicRegex: member.subscribedTopicRegex,
      assignment: { topicPartitions: named(responsibleFor(member), topics) },
      targetAssignment: { topicPartitions: named(group.targetOf(member.memberId) ?? new Map(), topics) },
      memberType: member.classicMemberMetadata === null ? memberTypes.consumer : memberTypes.classic,
    })),
    authorizedOperations: operationsNotAsked,
  }
}

export function describeConsumerGroupRefused(
  groupId: string,
  errorCode: ErrorCode,
  errorMessage: string | null = null,
): DescribedConsumerGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: operationsNotAsked,
  }
}

/** What a member has to give up is its own until it has done so. */
export function responsibleFor({
  assignedPartitions,
  partitionsPendingRevocation,
}: ConsumerMember): AssignedPartitions {
  const all = new Map<string, number[]>()
  for (const partitions of [assignedPartitions, partitionsPendingRevocation]) {
    for (const [topicId, epochs] of partitions) all.set(topicId, [...(all.get(topicId) ?? []), ...epochs.keys()])
  }
  return all
}

/** Topics that have been deleted have no name to be shown by. */
function named(partitions: AssignedPartitions, topics: TopicsView) {
  return Array.from(partitions).flatMap(([topicId, indexes]) => {
    const topic = topics.byId(topicId)
    return topic === null ? [] : [{ topicId, topicName: topic.name, partitions: ascending(indexes) }]
  })
}
