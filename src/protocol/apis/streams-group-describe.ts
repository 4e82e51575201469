import {
  api,
  array,
  bool,
  errorCode,
  int16,
  int32,
  int64,
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
  repartitionSinkTopics: array(string),
  stateChangelogTopics: array(topicInfo),
  repartitionSourceTopics: array(topicInfo),
})

const topology = struct({
  epoch: int32,
  subtopologies: nullable(array(subtopology)),
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

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

const assignment = struct({
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
})

const member = struct({
  memberId: string,
  memberEpoch: int32,
  instanceId: nullable(string),
  rackId: nullable(string),
  clientId: string,
  clientHost: string,
  topologyEpoch: int32,
  processId: string,
  userEndpoint: nullable(endpoint),
  clientTags: array(keyValue),
  taskOffsets: array(taskOffset),
  taskEndOffsets: array(taskOffset),
  assignment,
  targetAssignment: assignment,
  isClassic: bool,
})

const describedGroup = struct({
  errorCode,
  errorMessage: nullable(string),
  groupId: string,
  groupState: string,
  groupEpoch: int32,
  assignmentEpoch: int32,
  topology: nullable(topology),
  members: array(member),
  authorizedOperations: withDefault(int32, -0x8000_0000),
})

/** State, topology, members and tasks of streams groups (KIP-1071). */
export const streamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: array(describedGroup),
  },
})

export type StreamsGroupDescribeRequest = RequestOf<typeof streamsGroupDescribe>
export type StreamsGroupDescribeResponse = ResponseOf<typeof streamsGroupDescribe>
