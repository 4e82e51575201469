// Versions. 1: one offset with its timestamp, not a list (KIP-79). 2: isolation level (KIP-98). 3: a throttled answer
// comes at once and the client waits (KIP-219). 4: leader epoch (KIP-320). 5: OFFSET_NOT_AVAILABLE may be answered
// (KIP-207). 6: flexible. 7: -3: the record with the greatest timestamp (KIP-734). 8: -4: the earliest offset on
// local disk (KIP-405). 9: -5: the latest offset in tiered storage (KIP-1005). 10: timeout, for answers from tiered
// storage (KIP-1075). 11: -6: the earliest offset not yet in tiered storage (KIP-1023).

import {
  api,
  array,
  bigint64,
  errorCode,
  ignorable,
  int32,
  int64,
  int8,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const listOffsetsTopic = struct({
  name: string,
  partitions: array(
    struct({
      partitionIndex: int32,
      currentLeaderEpoch: since(4, ignorable(withDefault(int32, -1))),
      timestamp: bigint64,
    }),
  ),
})

const listOffsetsPartitionResponse = struct({
  partitionIndex: int32,
  errorCode,
  timestamp: withDefault(int64, -1),
  offset: withDefault(int64, -1),
  leaderEpoch: since(4, withDefault(int32, -1)),
})

const listOffsetsTopicResponse = struct({
  name: string,
  partitions: array(listOffsetsPartitionResponse),
})

/**
 * Which offset a timestamp stands for: a time in milliseconds, or one of the negative numbers that mean an end of
 * the log.
 */
export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleSince: 6,
  request: {
    replicaId: int32,
    isolationLevel: since(2, int8),
    topics: array(listOffsetsTopic),
    timeoutMs: since(10, ignorable(int32)),
  },
  response: {
    throttleTimeMs: since(2, ignorable(int32)),
    topics: array(listOffsetsTopicResponse),
  },
})

export type ListOffsetsRequest = RequestOf<typeof listOffsets>
export type ListOffsetsResponse = ResponseOf<typeof listOffsets>
