// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: leader epoch (KIP-320). 3:
// flexible; member and generation, so that a zombie is refused (KIP-447). 4: TRANSACTION_ABORTABLE may be answered
// (KIP-890). 5: a transaction takes in the group by writing its offsets (KIP-890).

import {
  api,
  array,
  emptyOrNull,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
  nullable,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const txnOffsetCommitRequestPartition = struct({
  partitionIndex: int32,
  committedOffset: int64,
  committedLeaderEpoch: since(2, ignorable(withDefault(int32, -1))),
  committedMetadata: emptyOrNull(string),
})

const txnOffsetCommitRequestTopic = struct({
  name: string,
  partitions: array(txnOffsetCommitRequestPartition),
})

const txnOffsetCommitResponseTopic = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, errorCode })),
})

/** A group notes how far it has read, as part of a transaction (KIP-98). */
export const txnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: since(3, withDefault(int32, -1)),
    memberId: since(3, string),
    groupInstanceId: since(3, nullable(string)),
    topics: array(txnOffsetCommitRequestTopic),
  },
  response: {
    throttleTimeMs: int32,
    topics: array(txnOffsetCommitResponseTopic),
  },
})

export type TxnOffsetCommitRequest = RequestOf<typeof txnOffsetCommit>
export type TxnOffsetCommitResponse = ResponseOf<typeof txnOffsetCommit>
