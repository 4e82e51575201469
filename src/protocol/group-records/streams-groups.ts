// Streams groups (KIP-1071), in __consumer_offsets.

import {
  array,
  emptyOrNull,
  int16,
  int32,
  int64,
  int8,
  nullable,
  record,
  string,
  struct,
  tagged,
  uint16,
  withDefault,
} from '../schema/index.ts'
import type { RecordKeyOf, RecordValueOf } from '../schema/index.ts'

const lastAssignmentConfig = struct({
  key: string,
  value: string,
})

/** The epoch of a group, a hash of its topics, and the configuration of its last assignment. */
export const streamsGroupMetadata = record({
  type: 17,
  name: 'StreamsGroupMetadata',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      epoch: int32,
      metadataHash: int64,
      validatedTopologyEpoch: tagged(0, int32, -1),
      lastAssignmentConfigs: tagged(1, emptyOrNull(array(lastAssignmentConfig))),
    },
  },
})

export type StreamsGroupMetadataKey = RecordKeyOf<typeof streamsGroupMetadata>
export type StreamsGroupMetadataValue = RecordValueOf<typeof streamsGroupMetadata>

const endpoint = struct({
  host: string,
  port: uint16,
})

const keyValue = struct({
  key: string,
  value: string,
})

/** What a member said of itself. */
export const streamsGroupMemberMetadata = record({
  type: 19,
  name: 'StreamsGroupMemberMetadata',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      instanceId: emptyOrNull(string),
      rackId: emptyOrNull(string),
      clientId: string,
      clientHost: string,
      rebalanceTimeoutMs: withDefault(int32, -1),
      topologyEpoch: int32,
      processId: string,
      userEndpoint: nullable(endpoint),
      clientTags: array(keyValue),
    },
  },
})

export type StreamsGroupMemberMetadataKey = RecordKeyOf<typeof streamsGroupMemberMetadata>
export type StreamsGroupMemberMetadataValue = RecordValueOf<typeof streamsGroupMemberMetadata>

/** The epoch of the target assignment. */
export const streamsGroupTargetAssignmentMetadata = record({
  type: 20,
  name: 'StreamsGroupTargetAssignmentMetadata',
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

export type StreamsGroupTargetAssignmentMetadataKey = RecordKeyOf<typeof streamsGroupTargetAssignmentMetadata>
export type StreamsGroupTargetAssignmentMetadataValue = RecordValueOf<typeof streamsGroupTargetAssignmentMetadata>

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

/** The tasks a member is to run. */
export const streamsGroupTargetAssignmentMember = record({
  type: 21,
  name: 'StreamsGroupTargetAssignmentMember',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      activeTasks: array(taskIds),
      standbyTasks: array(taskIds),
      warmupTasks: array(taskIds),
    },
  },
})

export type StreamsGroupTargetAssignmentMemberKey = RecordKeyOf<typeof streamsGroupTargetAssignmentMember>
export type StreamsGroupTargetAssignmentMemberValue = RecordValueOf<typeof streamsGroupTargetAssignmentMember>

const streamsGroupCurrentMemberAssignmentTaskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
  assignmentEpochs: tagged(0, emptyOrNull(array(int32))),
})

/** The tasks a member runs, and those it still has to give up. */
export const streamsGroupCurrentMemberAssignment = record({
  type: 22,
  name: 'StreamsGroupCurrentMemberAssignment',
  key: { groupId: string, memberId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      memberEpoch: int32,
      previousMemberEpoch: int32,
      state: int8,
      activeTasks: array(streamsGroupCurrentMemberAssignmentTaskIds),
      standbyTasks: array(streamsGroupCurrentMemberAssignmentTaskIds),
      warmupTasks: array(streamsGroupCurrentMemberAssignmentTaskIds),
      activeTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentTaskIds),
      standbyTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentTaskIds),
      warmupTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentTaskIds),
    },
  },
})

export type StreamsGroupCurrentMemberAssignmentKey = RecordKeyOf<typeof streamsGroupCurrentMemberAssignment>
export type StreamsGroupCurrentMemberAssignmentValue = RecordValueOf<typeof streamsGroupCurrentMemberAssignment>

const topicConfig = struct({
  key: string,
  value: string,
})

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(topicConfig),
})

const subtopology = struct({
  subtopologyId: string,
  sourceTopics: array(string),
  sourceTopicRegex: array(string),
  stateChangelogTopics: array(topicInfo),
  repartitionSinkTopics: array(string),
  repartitionSourceTopics: array(topicInfo),
  copartitionGroups: array(
    struct({ sourceTopics: array(int16), sourceTopicRegex: array(int16), repartitionSourceTopics: array(int16) }),
  ),
})

/** The topology the members run. */
export const streamsGroupTopology = record({
  type: 23,
  name: 'StreamsGroupTopology',
  key: { groupId: string },
  value: {
    versions: [0, 0],
    flexibleSince: 0,
    fields: {
      epoch: int32,
      subtopologies: array(subtopology),
    },
  },
})

export type StreamsGroupTopologyKey = RecordKeyOf<typeof streamsGroupTopology>
export type StreamsGroupTopologyValue = RecordValueOf<typeof streamsGroupTopology>
