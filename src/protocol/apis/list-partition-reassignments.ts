import { api, array, emptyOrNull, errorCode, int32, nullable, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const listPartitionReassignmentsTopics = struct({
  name: string,
  partitionIndexes: array(int32),
})

const ongoingPartitionReassignment = struct({
  partitionIndex: int32,
  replicas: array(int32),
  addingReplicas: array(int32),
  removingReplicas: array(int32),
})

const ongoingTopicReassignment = struct({
  name: string,
  partitions: array(ongoingPartitionReassignment),
})

/** Partitions that are being moved to other brokers (KIP-455). */
export const listPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    timeoutMs: withDefault(int32, 60000),
    topics: nullable(array(listPartitionReassignmentsTopics)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
    topics: array(ongoingTopicReassignment),
  },
})

export type ListPartitionReassignmentsRequest = RequestOf<typeof listPartitionReassignments>
export type ListPartitionReassignmentsResponse = ResponseOf<typeof listPartitionReassignments>
