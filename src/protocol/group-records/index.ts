// Every record of __consumer_offsets, by the number its key begins with.

import type { AnyRecordType } from '../schema/index.ts'
import { groupMetadata, legacyOffsetCommit, offsetCommit } from './classic-groups.ts'
import {
  consumerGroupCurrentMemberAssignment,
  consumerGroupMemberMetadata,
  consumerGroupMetadata,
  consumerGroupPartitionMetadata,
  consumerGroupRegularExpression,
  consumerGroupTargetAssignmentMember,
  consumerGroupTargetAssignmentMetadata,
} from './consumer-groups.ts'
import {
  shareGroupCurrentMemberAssignment,
  shareGroupMemberMetadata,
  shareGroupMetadata,
  shareGroupStatePartitionMetadata,
  shareGroupTargetAssignmentMember,
  shareGroupTargetAssignmentMetadata,
} from './share-groups.ts'
import {
  streamsGroupCurrentMemberAssignment,
  streamsGroupMemberMetadata,
  streamsGroupMetadata,
  streamsGroupTargetAssignmentMember,
  streamsGroupTargetAssignmentMetadata,
  streamsGroupTopology,
} from './streams-groups.ts'

export const groupRecords: readonly AnyRecordType[] = [
  legacyOffsetCommit,
  offsetCommit,
  groupMetadata,
  consumerGroupMetadata,
  consumerGroupPartitionMetadata,
  consumerGroupMemberMetadata,
  consumerGroupTargetAssignmentMetadata,
  consumerGroupTargetAssignmentMember,
  consumerGroupCurrentMemberAssignment,
  shareGroupMemberMetadata,
  shareGroupMetadata,
  shareGroupTargetAssignmentMetadata,
  shareGroupTargetAssignmentMember,
  shareGroupCurrentMemberAssignment,
  shareGroupStatePartitionMetadata,
  consumerGroupRegularExpression,
  streamsGroupMetadata,
  streamsGroupMemberMetadata,
  streamsGroupTargetAssignmentMetadata,
  streamsGroupTargetAssignmentMember,
  streamsGroupCurrentMemberAssignment,
  streamsGroupTopology,
]

export * from './classic-groups.ts'
export * from './consumer-groups.ts'
export * from './share-groups.ts'
export * from './streams-groups.ts'
