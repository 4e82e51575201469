// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: PRODUCER_FENCED may be answered
// (KIP-588). 3: flexible. 4: many transactions at once, and verification only, for brokers (KIP-890). 5:
// TRANSACTION_ABORTABLE may be answered (KIP-890).

import {
  api,
  array,
  bool,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
  since,
  string,
  struct,
  until,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const addPartitionsToTxnTopic = struct({
  name: string,
  partitions: array(int32),
})

const addPartitionsToTxnTransaction = struct({
  transactionalId: string,
  producerId: int64,
  producerEpoch: int16,
  verifyOnly: bool,
  topics: array(addPartitionsToTxnTopic),
})

const addPartitionsToTxnPartitionResult = struct({
  partitionIndex: int32,
  partitionErrorCode: errorCode,
})

const addPartitionsToTxnTopicResult = struct({
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
})

const addPartitionsToTxnResult = struct({
  transactionalId: string,
  topicResults: array(addPartitionsToTxnTopicResult),
})

/** A transaction takes in partitions; brokers also ask whether it has (KIP-98). */
export const addPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactions: since(4, array(addPartitionsToTxnTransaction)),
    v3AndBelowTransactionalId: until(3, string),
    v3AndBelowProducerId: until(3, int64),
    v3AndBelowProducerEpoch: until(3, int16),
    v3AndBelowTopics: until(3, array(addPartitionsToTxnTopic)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: since(4, ignorable(errorCode)),
    resultsByTransaction: since(4, array(addPartitionsToTxnResult)),
    resultsByTopicV3AndBelow: until(3, array(addPartitionsToTxnTopicResult)),
  },
})

export type AddPartitionsToTxnRequest = RequestOf<typeof addPartitionsToTxn>
export type AddPartitionsToTxnResponse = ResponseOf<typeof addPartitionsToTxn>
