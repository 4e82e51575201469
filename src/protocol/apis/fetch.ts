// Versions. 4: isolation level and aborted transactions (KIP-98). 5: log start offset (KIP-107). 6:
// KAFKA_STORAGE_ERROR may be answered. 7: fetch sessions (KIP-227). 8: a throttled answer comes at once and the
// client waits (KIP-219). 9: leader epoch (KIP-320). 10: zstd (KIP-110). 11: rack, and a nearer replica to read from
// (KIP-392). 12: flexible; last fetched and diverging epoch, so that a fetch finds where logs part (KIP-595). 13:
// topic ids for names (KIP-516). 14: OFFSET_MOVED_TO_TIERED_STORAGE may be answered (KIP-405). 15: replica state for
// replica id (KIP-903). 16: where the new leader listens (KIP-951). 17: the directory of the replica (KIP-853). 18:
// high watermark the follower knows (KIP-1166).

import {
  api,
  array,
  bigint64,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int64,
  int8,
  nullable,
  records,
  since,
  string,
  struct,
  tagged,
  until,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const replicaState = struct({
  replicaId: withDefault(int32, -1),
  replicaEpoch: withDefault(int64, -1),
})

const fetchPartition = struct({
  partition: int32,
  currentLeaderEpoch: since(9, ignorable(withDefault(int32, -1))),
  fetchOffset: int64,
  lastFetchedEpoch: since(12, withDefault(int32, -1)),
  logStartOffset: since(5, ignorable(withDefault(int64, -1))),
  partitionMaxBytes: int32,
  replicaDirectoryId: since(17, ignorable(tagged(0, uuid))),
  highWatermark: since(18, ignorable(tagged(1, bigint64, 0x7fff_ffff_ffff_ffffn))),
})

const fetchTopic = struct({
  topic: until(12, ignorable(string)),
  topicId: since(13, ignorable(uuid)),
  partitions: array(fetchPartition),
})

const forgottenTopic = struct({
  topic: until(12, ignorable(string)),
  topicId: since(13, ignorable(uuid)),
  partitions: array(int32),
})

const epochEndOffset = struct({
  epoch: withDefault(int32, -1),
  endOffset: withDefault(int64, -1),
})

const leaderIdAndEpoch = struct({
  leaderId: withDefault(int32, -1),
  leaderEpoch: withDefault(int32, -1),
})

const snapshotId = struct({
  endOffset: withDefault(int64, -1),
  epoch: withDefault(int32, -1),
})

const abortedTransaction = struct({
  producerId: int64,
  firstOffset: int64,
})

const partitionData = struct({
  partitionIndex: int32,
  errorCode,
  highWatermark: int64,
  lastStableOffset: withDefault(int64, -1),
  logStartOffset: since(5, ignorable(withDefault(int64, -1))),
  divergingEpoch: since(12, tagged(0, epochEndOffset)),
  currentLeader: since(12, tagged(1, leaderIdAndEpoch)),
  snapshotId: since(12, tagged(2, snapshotId)),
  abortedTransactions: emptyOrNull(array(abortedTransaction)),
  preferredReadReplica: since(11, withDefault(int32, -1)),
  records: nullable(records),
})

const fetchableTopicResponse = struct({
  topic: until(12, ignorable(string)),
  topicId: since(13, ignorable(uuid)),
  partitions: array(partitionData),
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: int32,
  rack: nullable(string),
})

/** A consumer or a follower asks for batches from an offset on. */
export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleSince: 12,
  request: {
    clusterId: since(12, ignorable(tagged(0, nullable(string)))),
    replicaId: until(14, withDefault(int32, -1)),
    replicaState: since(15, tagged(1, replicaState)),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: withDefault(int32, 0x7fff_ffff),
    isolationLevel: int8,
    sessionId: since(7, ignorable(int32)),
    sessionEpoch: since(7, ignorable(withDefault(int32, -1))),
    topics: array(fetchTopic),
    forgottenTopicsData: since(7, array(forgottenTopic)),
    rackId: since(11, ignorable(string)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: since(7, ignorable(errorCode)),
    sessionId: since(7, int32),
    responses: array(fetchableTopicResponse),
    nodeEndpoints: since(16, tagged(0, array(nodeEndpoint))),
  },
})

export type FetchRequest = RequestOf<typeof fetch>
export type FetchResponse = ResponseOf<typeof fetch>
