import { api, array, errorCode, int32, int64, nullable, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const producerState = struct({
  producerId: int64,
  producerEpoch: int32,
  lastSequence: withDefault(int32, -1),
  lastTimestamp: withDefault(int64, -1),
  coordinatorEpoch: int32,
  currentTxnStartOffset: withDefault(int64, -1),
})

const partitionResponse = struct({
  partitionIndex: int32,
  errorCode,
  errorMessage: nullable(string),
  activeProducers: array(producerState),
})

const topicResponse = struct({
  name: string,
  partitions: array(partitionResponse),
})

/** Producers that a partition remembers, to find hanging transactions (KIP-664). */
export const describeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: array(struct({ name: string, partitionIndexes: array(int32) })),
  },
  response: {
    throttleTimeMs: int32,
    topics: array(topicResponse),
  },
})

export type DescribeProducersRequest = RequestOf<typeof describeProducers>
export type DescribeProducersResponse = ResponseOf<typeof describeProducers>
