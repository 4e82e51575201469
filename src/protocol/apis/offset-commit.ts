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
  until,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const offsetCommitRequestPartition = struct({
  partitionIndex: int32,
  committedOffset: int64,
  committedLeaderEpoch: since(6, ignorable(withDefault(int32, -1))),
  committedMetadata: emptyOrNull(string),
})

const offsetCommitRequestTopic = struct({
  name: until(9, ignorable(string)),
  topicId: since(10, ignorable(uuid)),
  partitions: array(offsetCommitRequestPartition),
})

const offsetCommitResponseTopic = struct({
  name: until(9, ignorable(string)),
  topicId: since(10, ignorable(uuid)),
  partitions: array(struct({ partitionIndex: int32, errorCode })),
})

/** OffsetCommit. */
export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexibleSince: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: withDefault(int32, -1),
    memberId: string,
    groupInstanceId: since(7, nullable(string)),
    retentionTimeMs: until(4, ignorable(withDefault(int64, -1))),
    topics: array(offsetCommitRequestTopic),
  },
  response: {
    throttleTimeMs: since(3, ignorable(int32)),
    topics: array(offsetCommitResponseTopic),
  },
})

export type OffsetCommitRequest = RequestOf<typeof offsetCommit>
export type OffsetCommitResponse = ResponseOf<typeof offsetCommit>
