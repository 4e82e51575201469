// Records of KIP-848 groups as bytes: Kafka 4.3's own.

import {
  consumerGroupCurrentMemberAssignment as currentAssignment,
  type ConsumerGroupCurrentMemberAssignmentValue,
  consumerGroupMemberMetadata as memberMetadata,
  consumerGroupMetadata as groupEpoch,
  consumerGroupPartitionMetadata as partitionMetadata,
  consumerGroupRegularExpression as regularExpression,
  consumerGroupTargetAssignmentMember as targetMember,
  consumerGroupTargetAssignmentMetadata as targetEpoch,
} from '../../../protocol/group-records/consumer-groups.ts'
import { recordTypeOf } from '../../../protocol/schema/index.ts'
import type { KeyValue } from '../../effect.ts'
import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { ConsumerGroupRecord, MemberAssignment, MemberState, MemberSubscription } from './consumer-group-record.ts'
import { ascending, type MemberPartitions } from './member-partitions.ts'

const version = 0
const numberOfState = { stable: 0, unrevoked: 1, unreleased: 2, unknown: 127 } satisfies Record<MemberState, number>
const stateOfNumber: readonly MemberState[] = ['stable', 'unrevoked', 'unreleased']

type RecordPartitions = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions']

export function encodeConsumerGroupRecord(record: ConsumerGroupRecord): KeyValue {
  const { groupId } = record
  switch (record.kind) {
    case 'consumerEpoch': {
      const { value } = record
      return { key: groupEpoch.encodeKey({ groupId }), value: value && groupEpoch.encodeValue(value, version) }
    }
    case 'consumerPartitionMetadata': {
      const { value } = record
      const empty = value && partitionMetadata.encodeValue({ topics: [] }, version)
      return { key: partitionMetadata.encodeKey({ groupId }), value: empty }
    }
    case 'consumerMember': {
      const { memberId, value } = record
      const key = memberMetadata.encodeKey({ groupId, memberId })
      return { key, value: value && memberMetadata.encodeValue(value, version) }
    }
    case 'consumerTargetEpoch': {
      const { value } = record
      return { key: targetEpoch.encodeKey({ groupId }), value: value && targetEpoch.encodeValue(value, version) }
    }
    case 'consumerTarget': {
      const { memberId, value } = record
      const key = targetMember.encodeKey({ groupId, memberId })
      return { key, value: value && targetMember.encodeValue({ topicPartitions: listedTarget(value) }, version) }
    }
    case 'consumerAssignment': {
      const { memberId, value } = record
      const key = currentAssignment.encodeKey({ groupId, memberId })
      return { key, value: value && currentAssignment.encodeValue(toValue(value), version) }
    }
    case 'consumerRegex': {
      const { regex, value } = record
      const key = regularExpression.encodeKey({ groupId, regularExpression: regex })
      return { key, value: value && regularExpression.encodeValue(value, version) }
    }
  }
}

/** Null for a record that is of no KIP-848 group. */
export function decodeConsumerGroupRecord({ key, value }: KeyValue): ConsumerGroupRecord | null {
  switch (recordTypeOf(key)) {
    case groupEpoch.type: {
      return { kind: 'consumerEpoch', ...groupEpoch.decodeKey(key), value: value && groupEpoch.decodeValue(value) }
    }
    case partitionMetadata.type: {
      const { groupId } = partitionMetadata.decodeKey(key)
      return { kind: 'consumerPartitionMetadata', groupId, value: value && 'outdated' }
    }
    case memberMetadata.type: {
      return { kind: 'consumerMember', ...memberMetadata.decodeKey(key), value: value && decodeMember(value) }
    }
    case targetEpoch.type: {
      const { groupId } = targetEpoch.decodeKey(key)
      return { kind: 'consumerTargetEpoch', groupId, value: value && targetEpoch.decodeValue(value) }
    }
    case targetMember.type: {
      return { kind: 'consumerTarget', ...targetMember.decodeKey(key), value: value && decodeTarget(value) }
    }
    case currentAssignment.type: {
      const assignment = value && fromValue(currentAssignment.decodeValue(value))
      return { kind: 'consumerAssignment', ...currentAssignment.decodeKey(key), value: assignment }
    }
    case regularExpression.type: {
      const { groupId, regularExpression: regex } = regularExpression.decodeKey(key)
      return { kind: 'consumerRegex', groupId, regex, value: value && regularExpression.decodeValue(value) }
    }
    default:
      return null
  }
}

/** Bytes are copied: what is kept for long must not hold on to a whole read of the log. */
function decodeMember(bytes: Uint8Array): MemberSubscription {
  const { classicMemberMetadata: classic, ...value } = memberMetadata.decodeValue(bytes)
  if (classic === null) return { ...value, classicMemberMetadata: null }
  const supportedProtocols = classic.supportedProtocols.map(({ name, metadata }) => ({
    name,
    metadata: new Uint8Array(metadata),
  }))
  return { ...value, classicMemberMetadata: { ...classic, supportedProtocols } }
}

function listedTarget(target: AssignedPartitions) {
  return Array.from(target, ([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
}

function decodeTarget(bytes: Uint8Array): AssignedPartitions {
  const { topicPartitions } = targetMember.decodeValue(bytes)
  return new Map(topicPartitions.map(({ topicId, partitions }) => [topicId, ascending(partitions)]))
}

function toValue(assignment: MemberAssignment): ConsumerGroupCurrentMemberAssignmentValue {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = assignment
  return {
    memberEpoch,
    previousMemberEpoch,
    state: numberOfState[state],
    assignedPartitions: toList(assignedPartitions),
    partitionsPendingRevocation: toList(partitionsPendingRevocation),
  }
}

function fromValue(value: ConsumerGroupCurrentMemberAssignmentValue): MemberAssignment {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = value
  return {
    memberEpoch,
    previousMemberEpoch,
    state: stateOfNumber[state] ?? 'unknown',
    assignedPartitions: fromList(assignedPartitions, memberEpoch),
    partitionsPendingRevocation: fromList(partitionsPendingRevocation, memberEpoch),
  }
}

function toList(partitions: MemberPartitions): RecordPartitions {
  return Array.from(partitions, ([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()],
    assignmentEpochs: [...epochs.values()],
  }))
}

/** Records of before Kafka 4.3 say nothing of epochs, or a static member's -2: then each partition counts as got in the member's epoch. */
function fromList(list: RecordPartitions, memberEpoch: number): MemberPartitions {
  return new Map(
    list.map(({ topicId, partitions, assignmentEpochs: epochs }) => {
      const known = epochs !== null && epochs.length === partitions.length
      const epochOf = (index: number) => (known ? epochs[index]! : Math.max(memberEpoch, 0))
      return [topicId, new Map(partitions.map((partition, index) => [partition, epochOf(index)]))]
    }),
  )
}
