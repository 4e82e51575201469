// Versions. 3: batches of format 2 only, transactional id (KIP-98). 4: KAFKA_STORAGE_ERROR may be answered. 5: log
// start offset. 6: a throttled answer comes at once and the client waits (KIP-219). 7: zstd (KIP-110). 8: which
// records were wrong, and why (KIP-467). 9: flexible. 10: the leader to go to instead (KIP-951). 11:
// TRANSACTION_ABORTABLE may be answered (KIP-890). 12: a transaction takes in partitions by writing to them
// (KIP-890). 13: topic ids for names (KIP-516).

import {
  api,
  array,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
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

const topicProduceData = struct({
  name: until(12, ignorable(string)),
  topicId: since(13, ignorable(uuid)),
  partitionData: array(struct({ index: int32, records: nullable(records) })),
})

const batchIndexAndErrorMessage = struct({
  batchIndex: int32,
  batchIndexErrorMessage: nullable(string),
})

const leaderIdAndEpoch = struct({
  leaderId: withDefault(int32, -1),
  leaderEpoch: withDefault(int32, -1),
})

const partitionProduceResponse = struct({
  index: int32,
  errorCode,
  baseOffset: int64,
  logAppendTimeMs: withDefault(int64, -1),
  logStartOffset: since(5, ignorable(withDefault(int64, -1))),
  recordErrors: since(8, ignorable(array(batchIndexAndErrorMessage))),
  errorMessage: since(8, ignorable(nullable(string))),
  currentLeader: since(10, tagged(0, leaderIdAndEpoch)),
})

const topicProduceResponse = struct({
  name: until(12, ignorable(string)),
  topicId: since(13, ignorable(uuid)),
  partitionResponses: array(partitionProduceResponse),
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: int32,
  rack: nullable(string),
})

/** A producer sends batches for partitions that the broker leads. */
export const produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexibleSince: 9,
  request: {
    transactionalId: nullable(string),
    acks: int16,
    timeoutMs: int32,
    topicData: array(topicProduceData),
  },
  response: {
    responses: array(topicProduceResponse),
    throttleTimeMs: int32,
    nodeEndpoints: since(10, tagged(0, array(nodeEndpoint))),
  },
})

export type ProduceRequest = RequestOf<typeof produce>
export type ProduceResponse = ResponseOf<typeof produce>
