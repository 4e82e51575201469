// Versions. 1: when each last fetched and was caught up (KIP-836). 2: directories, endpoints and error messages
// (KIP-853).

import {
  api,
  array,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int64,
  since,
  string,
  struct,
  uint16,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const topicData = struct({
  topicName: string,
  partitions: array(struct({ partitionIndex: int32 })),
})

const replicaState = struct({
  replicaId: int32,
  replicaDirectoryId: since(2, uuid),
  logEndOffset: int64,
  lastFetchTimestamp: since(1, ignorable(withDefault(int64, -1))),
  lastCaughtUpTimestamp: since(1, ignorable(withDefault(int64, -1))),
})

const partitionData = struct({
  partitionIndex: int32,
  errorCode,
  errorMessage: since(2, ignorable(emptyOrNull(string))),
  leaderId: int32,
  leaderEpoch: int32,
  highWatermark: int64,
  currentVoters: array(replicaState),
  observers: array(replicaState),
})

const responseTopicData = struct({
  topicName: string,
  partitions: array(partitionData),
})

const node = struct({
  nodeId: int32,
  listeners: array(struct({ name: string, host: string, port: uint16 })),
})

/** Who leads the metadata quorum, and how far its voters and observers are (KIP-595). */
export const describeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    topics: array(topicData),
  },
  response: {
    errorCode,
    errorMessage: since(2, ignorable(emptyOrNull(string))),
    topics: array(responseTopicData),
    nodes: since(2, array(node)),
  },
})

export type DescribeQuorumRequest = RequestOf<typeof describeQuorum>
export type DescribeQuorumResponse = ResponseOf<typeof describeQuorum>
