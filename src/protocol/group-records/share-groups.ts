// Share groups (KIP-932), in __consumer_offsets: membership and assignment. What was delivered is in share-records.ts.

import { array, emptyOrNull, int32, int64, int8, record, string, struct, tagged, uuid } from '../schema/index.ts'
import type { RecordKeyOf, RecordValueOf } from '../schema/index.ts'

/** What a member said of itself. */
export const shareGroupMemberMetadata = record({
  type: 10,
  name: 'ShareGroupMemberMetadata',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      rackId: emptyOrNull(string),
      clientId: string,
      clientHost: string,
      subscribedTopicNames: array(string),
    },
  },
})

export type ShareGroupMemberMetadataKey = RecordKeyOf<typeof shareGroupMemberMetadata>
export type ShareGroupMemberMetadataValue = RecordValueOf<typeof shareGroupMemberMetadata>

/** The epoch of a group, and a hash of the topics it was computed from. */
export const shareGroupMetadata = record({
  type: 11,
  name: 'ShareGroupMetadata',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      epoch: int32,
      metadataHash: int64,
    },
  },
})

export type ShareGroupMetadataKey = RecordKeyOf<typeof shareGroupMetadata>
export type ShareGroupMetadataValue = RecordValueOf<typeof shareGroupMetadata>

/** The epoch of the target assignment. */
export const shareGroupTargetAssignmentMetadata = record({
  type: 12,
  name: 'ShareGroupTargetAssignmentMetadata',
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

export type ShareGroupTargetAssignmentMetadataKey = RecordKeyOf<typeof shareGroupTargetAssignmentMetadata>
export type ShareGroupTargetAssignmentMetadataValue = RecordValueOf<typeof shareGroupTargetAssignmentMetadata>

/** What a member is to read. */
export const shareGroupTargetAssignmentMember = record({
  type: 13,
  name: 'ShareGroupTargetAssignmentMember',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      topicPartitions: array(struct({ topicId: uuid, partitions: array(int32) })),
    },
  },
})

export type ShareGroupTargetAssignmentMemberKey = RecordKeyOf<typeof shareGroupTargetAssignmentMember>
export type ShareGroupTargetAssignmentMemberValue = RecordValueOf<typeof shareGroupTargetAssignmentMember>

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

/** What a member reads. */
export const shareGroupCurrentMemberAssignment = record({
  type: 14,
  name: 'ShareGroupCurrentMemberAssignment',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      memberEpoch: int32,
      previousMemberEpoch: int32,
      state: int8,
      assignedPartitions: array(topicPartitions),
    },
  },
})

export type ShareGroupCurrentMemberAssignmentKey = RecordKeyOf<typeof shareGroupCurrentMemberAssignment>
export type ShareGroupCurrentMemberAssignmentValue = RecordValueOf<typeof shareGroupCurrentMemberAssignment>

const topicPartitionsInfo = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const topicInfo = struct({
  topicId: uuid,
  topicName: string,
})

/** The partitions whose share state is being set up, is set up, or is being deleted. */
export const shareGroupStatePartitionMetadata = record({
  type: 15,
  name: 'ShareGroupStatePartitionMetadata',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      initializingTopics: array(topicPartitionsInfo),
      initializedTopics: array(topicPartitionsInfo),
      deletingTopics: array(topicInfo),
    },
  },
})

export type ShareGroupStatePartitionMetadataKey = RecordKeyOf<typeof shareGroupStatePartitionMetadata>
export type ShareGroupStatePartitionMetadataValue = RecordValueOf<typeof shareGroupStatePartitionMetadata>
