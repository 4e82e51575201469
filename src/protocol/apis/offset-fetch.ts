// Versions. 1: offsets are read from the offsets topic. 2: null asks for all topics; an error of the whole (KIP-88).
// 3: throttle time. 4: a throttled answer comes at once and the client waits (KIP-219). 5: leader epoch (KIP-320). 6:
// flexible. 7: offsets of open transactions can be waited for (KIP-447). 8: many groups at once (KIP-709). 9: member
// id and epoch (KIP-848). 10: topic ids for names (KIP-516).

import {
  api,
  array,
  between,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int64,
  nullable,
  nullableSince,
  since,
  string,
  struct,
  until,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const offsetFetchRequestTopic = struct({
  name: string,
  partitionIndexes: array(int32),
})

const offsetFetchRequestTopics = struct({
  name: until(9, ignorable(string)),
  topicId: since(10, ignorable(uuid)),
  partitionIndexes: array(int32),
})

const offsetFetchRequestGroup = struct({
  groupId: string,
  memberId: since(9, ignorable(nullable(string))),
  memberEpoch: since(9, ignorable(withDefault(int32, -1))),
  topics: emptyOrNull(array(offsetFetchRequestTopics)),
})

const offsetFetchResponsePartition = struct({
  partitionIndex: int32,
  committedOffset: int64,
  committedLeaderEpoch: since(5, ignorable(withDefault(int32, -1))),
  metadata: emptyOrNull(string),
  errorCode,
})

const offsetFetchResponseTopic = struct({
  name: string,
  partitions: array(offsetFetchResponsePartition),
})

const offsetFetchResponsePartitions = struct({
  partitionIndex: int32,
  committedOffset: int64,
  committedLeaderEpoch: withDefault(int32, -1),
  metadata: emptyOrNull(string),
  errorCode,
})

const offsetFetchResponseTopics = struct({
  name: until(9, ignorable(string)),
  topicId: since(10, ignorable(uuid)),
  partitions: array(offsetFetchResponsePartitions),
})

const offsetFetchResponseGroup = struct({
  groupId: string,
  topics: array(offsetFetchResponseTopics),
  errorCode,
})

/** How far groups have read. */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleSince: 6,
  request: {
    groupId: until(7, string),
    topics: until(7, nullableSince(2, array(offsetFetchRequestTopic))),
    groups: since(8, array(offsetFetchRequestGroup)),
    requireStable: since(7, bool),
  },
  response: {
    throttleTimeMs: since(3, ignorable(int32)),
    topics: until(7, array(offsetFetchResponseTopic)),
    errorCode: between(2, 7, ignorable(errorCode)),
    groups: since(8, array(offsetFetchResponseGroup)),
  },
})

export type OffsetFetchRequest = RequestOf<typeof offsetFetch>
export type OffsetFetchResponse = ResponseOf<typeof offsetFetch>
