import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  int16,
  int32,
  int64,
  int8,
  nullable,
  string,
  struct,
  uint16,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const keyValue = struct({
  key: string,
  value: string,
})

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
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

const topology = struct({
  epoch: int32,
  subtopologies: array(subtopology),
})

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

const endpoint = struct({
  host: string,
  port: uint16,
})

const taskOffset = struct({
  subtopologyId: string,
  partition: int32,
  offset: int64,
})

const status = struct({
  statusCode: int8,
  statusDetail: string,
})

const topicPartition = struct({
  topic: string,
  partitions: array(int32),
})

const endpointToPartitions = struct({
  userEndpoint: endpoint,
  activePartitions: array(topicPartition),
  standbyPartitions: array(topicPartition),
})

/** A member of a streams group says which topology and tasks it runs, and is told which to run (KIP-1071). */
export const streamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: nullable(string),
    rackId: nullable(string),
    rebalanceTimeoutMs: withDefault(int32, -1),
    topology: nullable(topology),
    activeTasks: nullable(array(taskIds)),
    standbyTasks: nullable(array(taskIds)),
    warmupTasks: nullable(array(taskIds)),
    processId: nullable(string),
    userEndpoint: nullable(endpoint),
    clientTags: nullable(array(keyValue)),
    taskOffsets: nullable(array(taskOffset)),
    taskEndOffsets: nullable(array(taskOffset)),
    shutdownApplication: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLag: int32,
    taskOffsetIntervalMs: int32,
    status: emptyOrNull(array(status)),
    activeTasks: nullable(array(taskIds)),
    standbyTasks: nullable(array(taskIds)),
    warmupTasks: nullable(array(taskIds)),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: nullable(array(endpointToPartitions)),
  },
})

export type StreamsGroupHeartbeatRequest = RequestOf<typeof streamsGroupHeartbeat>
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof streamsGroupHeartbeat>
