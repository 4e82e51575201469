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

/** ListOffsets. */
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
