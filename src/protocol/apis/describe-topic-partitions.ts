import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  int32,
  nullable,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const cursor = struct({
  topicName: string,
  partitionIndex: int32,
})

const describeTopicPartitionsResponsePartition = struct({
  errorCode,
  partitionIndex: int32,
  leaderId: int32,
  leaderEpoch: withDefault(int32, -1),
  replicaNodes: array(int32),
  isrNodes: array(int32),
  eligibleLeaderReplicas: nullable(array(int32)),
  lastKnownElr: nullable(array(int32)),
  offlineReplicas: array(int32),
})

const describeTopicPartitionsResponseTopic = struct({
  errorCode,
  name: emptyOrNull(string),
  topicId: uuid,
  isInternal: bool,
  partitions: array(describeTopicPartitionsResponsePartition),
  topicAuthorizedOperations: withDefault(int32, -0x8000_0000),
})

/** Topics with their partitions, page by page, also the replicas eligible to lead (KIP-966). */
export const describeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: array(struct({ name: string })),
    responsePartitionLimit: withDefault(int32, 2000),
    cursor: nullable(cursor),
  },
  response: {
    throttleTimeMs: int32,
    topics: array(describeTopicPartitionsResponseTopic),
    nextCursor: nullable(cursor),
  },
})

export type DescribeTopicPartitionsRequest = RequestOf<typeof describeTopicPartitions>
export type DescribeTopicPartitionsResponse = ResponseOf<typeof describeTopicPartitions>
