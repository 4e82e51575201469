// Versions. 2: renewal of locks, and how long they last (KIP-1222).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int64,
  int8,
  nullable,
  since,
  string,
  struct,
  uuid,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const acknowledgePartition = struct({
  partitionIndex: int32,
  acknowledgementBatches: array(struct({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: array(int8) })),
})

const acknowledgeTopic = struct({
  topicId: uuid,
  partitions: array(acknowledgePartition),
})

const partitionData = struct({
  partitionIndex: int32,
  errorCode,
  errorMessage: nullable(string),
  currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
})

const shareAcknowledgeTopicResponse = struct({
  topicId: uuid,
  partitions: array(partitionData),
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: int32,
  rack: nullable(string),
})

/**
 * A member of a share group acknowledges records: accepted, released or rejected (KIP-932). Version 0 was an early
 * access.
 */
export const shareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: [1, 2],
  flexibleSince: 1,
  request: {
    groupId: nullable(string),
    memberId: emptyOrNull(string),
    shareSessionEpoch: int32,
    isRenewAck: since(2, bool),
    topics: array(acknowledgeTopic),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    acquisitionLockTimeoutMs: since(2, ignorable(int32)),
    responses: array(shareAcknowledgeTopicResponse),
    nodeEndpoints: array(nodeEndpoint),
  },
})

export type ShareAcknowledgeRequest = RequestOf<typeof shareAcknowledge>
export type ShareAcknowledgeResponse = ResponseOf<typeof shareAcknowledge>
