// Versions. 2: a strict limit of records (KIP-1206), renewal of locks (KIP-1222).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
  int8,
  nullable,
  records,
  since,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const fetchPartition = struct({
  partitionIndex: int32,
  acknowledgementBatches: array(struct({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: array(int8) })),
})

const fetchTopic = struct({
  topicId: uuid,
  partitions: array(fetchPartition),
})

const partitionData = struct({
  partitionIndex: int32,
  errorCode,
  errorMessage: nullable(string),
  acknowledgeErrorCode: errorCode,
  acknowledgeErrorMessage: nullable(string),
  currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
  records,
  acquiredRecords: array(struct({ firstOffset: int64, lastOffset: int64, deliveryCount: int16 })),
})

const shareFetchableTopicResponse = struct({
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
 * A member of a share group acquires records, and acknowledges earlier ones on the way (KIP-932). Version 0 was an
 * early access.
 */
export const shareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexibleSince: 1,
  request: {
    groupId: nullable(string),
    memberId: emptyOrNull(string),
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: withDefault(int32, 0x7fff_ffff),
    maxRecords: int32,
    batchSize: int32,
    shareAcquireMode: since(2, ignorable(int8)),
    isRenewAck: since(2, bool),
    topics: array(fetchTopic),
    forgottenTopicsData: array(struct({ topicId: uuid, partitions: array(int32) })),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    acquisitionLockTimeoutMs: int32,
    responses: array(shareFetchableTopicResponse),
    nodeEndpoints: array(nodeEndpoint),
  },
})

export type ShareFetchRequest = RequestOf<typeof shareFetch>
export type ShareFetchResponse = ResponseOf<typeof shareFetch>
