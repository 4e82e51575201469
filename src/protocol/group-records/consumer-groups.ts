// Groups of the KIP-848 protocol, in __consumer_offsets.
// What a member wants, what it should have and what it has are records of their own.

import {
  array,
  bigint64,
  bytes,
  emptyOrNull,
  int32,
  int64,
  int8,
  record,
  string,
  struct,
  tagged,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RecordKeyOf, RecordValueOf } from '../schema/index.ts'

/** The epoch of a group, and a hash of the topics it was computed from. */
export const consumerGroupMetadata = record({
  type: 3,
  name: 'ConsumerGroupMetadata',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      epoch: int32,
      metadataHash: tagged(0, bigint64),
    },
  },
})

export type ConsumerGroupMetadataKey = RecordKeyOf<typeof consumerGroupMetadata>
export type ConsumerGroupMetadataValue = RecordValueOf<typeof consumerGroupMetadata>

const topicMetadata = struct({
  topicId: uuid,
  topicName: string,
  numPartitions: int32,
  partitionMetadata: array(struct({ partition: int32, racks: array(string) })),
})

/** The partitions a group saw. Replaced by the hash in `ConsumerGroupMetadata`: since 4.1 only deleted. */
export const consumerGroupPartitionMetadata = record({
  type: 4,
  name: 'ConsumerGroupPartitionMetadata',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      topics: array(topicMetadata),
    },
  },
})

export type ConsumerGroupPartitionMetadataKey = RecordKeyOf<typeof consumerGroupPartitionMetadata>
export type ConsumerGroupPartitionMetadataValue = RecordValueOf<typeof consumerGroupPartitionMetadata>

const classicMemberMetadata = struct({
  sessionTimeoutMs: int32,
  supportedProtocols: array(struct({ name: string, metadata: bytes })),
})

/** What a member said of itself, also when it speaks the classic protocol. */
export const consumerGroupMemberMetadata = record({
  type: 5,
  name: 'ConsumerGroupMemberMetadata',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      instanceId: emptyOrNull(string),
      rackId: emptyOrNull(string),
      clientId: string,
      clientHost: string,
      subscribedTopicNames: array(string),
      subscribedTopicRegex: emptyOrNull(string),
      rebalanceTimeoutMs: withDefault(int32, -1),
      serverAssignor: emptyOrNull(string),
      classicMemberMetadata: tagged(0, emptyOrNull(classicMemberMetadata)),
    },
  },
})

export type ConsumerGroupMemberMetadataKey = RecordKeyOf<typeof consumerGroupMemberMetadata>
export type ConsumerGroupMemberMetadataValue = RecordValueOf<typeof consumerGroupMemberMetadata>

/** The epoch of the target assignment: of the group it was computed for. */
export const consumerGroupTargetAssignmentMetadata = record({
  type: 6,
  name: 'ConsumerGroupTargetAssignmentMetadata',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      assignmentEpoch: int32,
      assignmentTimestamp: tagged(0, int64),
    },
  },
})

export type ConsumerGroupTargetAssignmentMetadataKey = RecordKeyOf<typeof consumerGroupTargetAssignmentMetadata>
export type ConsumerGroupTargetAssignmentMetadataValue = RecordValueOf<typeof consumerGroupTargetAssignmentMetadata>

/** What a member is to own. */
export const consumerGroupTargetAssignmentMember = record({
  type: 7,
  name: 'ConsumerGroupTargetAssignmentMember',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      topicPartitions: array(struct({ topicId: uuid, partitions: array(int32) })),
    },
  },
})

export type ConsumerGroupTargetAssignmentMemberKey = RecordKeyOf<typeof consumerGroupTargetAssignmentMember>
export type ConsumerGroupTargetAssignmentMemberValue = RecordValueOf<typeof consumerGroupTargetAssignmentMember>

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
  assignmentEpochs: tagged(0, emptyOrNull(array(int32))),
})

/** What a member owns, and what it still has to give up. */
export const consumerGroupCurrentMemberAssignment = record({
  type: 8,
  name: 'ConsumerGroupCurrentMemberAssignment',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      memberEpoch: int32,
      previousMemberEpoch: int32,
      state: int8,
      assignedPartitions: array(topicPartitions),
      partitionsPendingRevocation: array(topicPartitions),
    },
  },
})

export type ConsumerGroupCurrentMemberAssignmentKey = RecordKeyOf<typeof consumerGroupCurrentMemberAssignment>
export type ConsumerGroupCurrentMemberAssignmentValue = RecordValueOf<typeof consumerGroupCurrentMemberAssignment>

/** The topics a regular expression stood for when it was last looked up (KIP-848 with RE2J). */
export const consumerGroupRegularExpression = record({
  type: 16,
  name: 'ConsumerGroupRegularExpression',
  key: { groupId: string, regularExpression: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      topics: array(string),
      version: int64,
      timestamp: int64,
    },
  },
})

export type ConsumerGroupRegularExpressionKey = RecordKeyOf<typeof consumerGroupRegularExpression>
export type ConsumerGroupRegularExpressionValue = RecordValueOf<typeof consumerGroupRegularExpression>
