// Versions. 1: lag (KIP-1226).

import {
  api,
  array,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int64,
  nullable,
  since,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const describeShareGroupOffsetsRequestTopic = struct({
  topicName: string,
  partitions: array(int32),
})

const describeShareGroupOffsetsRequestGroup = struct({
  groupId: string,
  topics: emptyOrNull(array(describeShareGroupOffsetsRequestTopic)),
})

const describeShareGroupOffsetsResponsePartition = struct({
  partitionIndex: int32,
  startOffset: int64,
  leaderEpoch: int32,
  lag: since(1, ignorable(withDefault(int64, -1))),
  errorCode,
  errorMessage: nullable(string),
})

const describeShareGroupOffsetsResponseTopic = struct({
  topicName: string,
  topicId: uuid,
  partitions: array(describeShareGroupOffsetsResponsePartition),
})

const describeShareGroupOffsetsResponseGroup = struct({
  groupId: string,
  topics: array(describeShareGroupOffsetsResponseTopic),
  errorCode,
  errorMessage: nullable(string),
})

/** Where the share partitions of groups begin (KIP-932). */
export const describeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groups: array(describeShareGroupOffsetsRequestGroup),
  },
  response: {
    throttleTimeMs: int32,
    groups: array(describeShareGroupOffsetsResponseGroup),
  },
})

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof describeShareGroupOffsets>
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof describeShareGroupOffsets>
