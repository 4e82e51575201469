// Who is in a group, and what each member was given: of classic groups and of consumer groups (KIP-848) alike.

import { hostOf } from '../coordinators/groups/history/happening-words.ts'
import { consumerProtocolAssignment } from '../protocol/consumer-protocol.ts'
import { consumerGroupDescribe, type ConsumerGroupDescribeResponse } from '../protocol/apis/consumer-group-describe.ts'
import { describeGroups, type DescribeGroupsResponse } from '../protocol/apis/describe-groups.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { decodedOrNull } from '../protocol/schema/index.ts'
import type { GroupCluster, TopicPartition } from './group-cluster.ts'
import { inOrder } from './group-offsets.ts'

export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
  /** That it speaks: a consumer group may have members of both (KIP-848). */
  readonly protocol: 'classic' | 'consumer'
  /** Null where the group's protocol is not that of consumers, and only its members can read it. */
  readonly assigned: readonly TopicPartition[] | null
  /** Partitions it is to get once others have given them up; of consumer groups. */
  readonly awaited: readonly TopicPartition[]
}

/** What a static member was called by whoever runs it, or the client id (KIP-345). */
export const nameOfMember = ({ instanceId, clientId }: GroupMember): string => instanceId ?? clientId

export interface GroupState {
  readonly groupId: string
  /** `classic` or `consumer`. */
  readonly type: string
  readonly state: string
  /** Of consumer groups; DescribeGroups does not tell the generation. */
  readonly epoch: number | null
  /** What a classic group chose by votes, or the assignor of the broker. */
  readonly assignor: string | null
  readonly members: readonly GroupMember[]
}

/** By group id, as their coordinator `brokerId` tells; a group it does not know is left out. */
export async function statesOf(
  cluster: GroupCluster,
  brokerId: number,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, GroupState>> {
  const states = new Map<string, GroupState>()
  if (groupIds.length > 0 && (await cluster.serves(brokerId, consumerGroupDescribe))) {
    const { groups } = await cluster.ask(brokerId, consumerGroupDescribe, { groupIds: [...groupIds] })
    for (const group of groups) {
      if (group.errorCode === ErrorCode.NONE) states.set(group.groupId, consumerState(group))
    }
  }
  const others = groupIds.filter((groupId) => !states.has(groupId))
  if (others.length === 0) return states
  const { groups } = await cluster.ask(brokerId, describeGroups, { groups: others })
  for (const group of groups) {
    if (group.errorCode === ErrorCode.NONE && group.groupState !== 'Dead')
      states.set(group.groupId, classicState(group))
  }
  return states
}

/** Null when there is no such group. */
export async function stateOf(cluster: GroupCluster, groupId: string): Promise<GroupState | null> {
  const coordinator = await cluster.coordinatorOf(groupId)
  if (await cluster.serves(coordinator, consumerGroupDescribe)) {
    const { groups } = await cluster.askCoordinator(
      groupId,
      consumerGroupDescribe,
      { groupIds: [groupId] },
      (answer) => answer.groups[0]!.errorCode,
    )
    if (groups[0]!.errorCode === ErrorCode.NONE) return consumerState(groups[0]!)
  }
  const { groups } = await cluster.askCoordinator(
    groupId,
    describeGroups,
    { groups: [groupId] },
    (answer) => answer.groups[0]!.errorCode,
  )
  const [group] = groups
  if (group!.errorCode === ErrorCode.GROUP_ID_NOT_FOUND || group!.groupState === 'Dead') return null
  if (group!.errorCode !== ErrorCode.NONE) {
    throw new Error(`group ${groupId} cannot be described: ${errorName(group!.errorCode)}`)
  }
  return classicState(group!)
}

/** As ConsumerGroupDescribe says it from version 1 on. */
const classicMember = 0

type Described = ConsumerGroupDescribeResponse['groups'][number]
type Assignment = Described['members'][number]['assignment']

function consumerState(group: Described): GroupState {
  const { groupId, groupState, groupEpoch, assignorName, members } = group
  return {
    groupId,
    type: 'consumer',
    state: groupState,
    epoch: groupEpoch,
    assignor: assignorName === '' ? null : assignorName,
    members: members.map(({ memberId, instanceId, clientId, clientHost, memberType, assignment, targetAssignment }) => {
      const assigned = partitionsOf(assignment)
      const has = new Set(assigned.map(({ topic, partition }) => `${topic}-${partition}`))
      const target = partitionsOf(targetAssignment)
      const awaited = target.filter(({ topic, partition }) => !has.has(`${topic}-${partition}`))
      const protocol = memberType === classicMember ? 'classic' : 'consumer'
      return { memberId, instanceId, clientId, host: hostOf(clientHost), protocol, assigned, awaited }
    }),
  }
}

function partitionsOf({ topicPartitions }: Assignment): TopicPartition[] {
  return topicPartitions
    .flatMap(({ topicName, partitions }) => partitions.map((partition) => ({ topic: topicName, partition })))
    .toSorted(inOrder)
}

function classicState(group: DescribeGroupsResponse['groups'][number]): GroupState {
  const { groupId, groupState, protocolType, protocolData, members } = group
  const readable = protocolType === 'consumer'
  return {
    groupId,
    type: 'classic',
    state: groupState,
    epoch: null,
    assignor: protocolData === '' ? null : protocolData,
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      instanceId: groupInstanceId,
      clientId,
      host: hostOf(clientHost),
      protocol: 'classic',
      assigned: readable ? assignedIn(memberAssignment) : null,
      awaited: [],
    })),
  }
}

/** Empty while a rebalance is under way; null for bytes of another kind. */
function assignedIn(bytes: Uint8Array): TopicPartition[] | null {
  if (bytes.length === 0) return []
  const assignment = decodedOrNull(() => consumerProtocolAssignment.decode(bytes))
  if (assignment === null) return null
  return assignment.assignedPartitions
    .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
    .toSorted(inOrder)
}
