// Versions. 2: retention time of the offsets. 3: throttle time. 4: a throttled answer comes at once and the client
// waits (KIP-219). 5: no more retention time: offsets expire with their group (KIP-211). 6: leader epoch (KIP-320).
// 7: static members (KIP-345). 8: flexible. 9: member epoch of the KIP-848 protocol in place of the generation. 10:
// topic ids for names (KIP-516).

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

/** A group notes how far it has read. */
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
