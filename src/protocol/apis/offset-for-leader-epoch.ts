// Versions. 2: throttle time, leader epoch of the asker (KIP-320). 3: replica id, -2 for a consumer. 4: flexible.

import { api, array, errorCode, ignorable, int32, int64, since, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const offsetForLeaderTopic = struct({
  topic: string,
  partitions: array(struct({ partition: int32, currentLeaderEpoch: withDefault(int32, -1), leaderEpoch: int32 })),
})

const epochEndOffset = struct({
  errorCode,
  partition: int32,
  leaderEpoch: withDefault(int32, -1),
  endOffset: withDefault(int64, -1),
})

const offsetForLeaderTopicResult = struct({
  topic: string,
  partitions: array(epochEndOffset),
})

/** Where a leader epoch ended, so that a reader finds where its log parts from the leader (KIP-101). */
export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleSince: 4,
  request: {
    replicaId: since(3, ignorable(withDefault(int32, -2))),
    topics: array(offsetForLeaderTopic),
  },
  response: {
    throttleTimeMs: int32,
    topics: array(offsetForLeaderTopicResult),
  },
})

export type OffsetForLeaderEpochRequest = RequestOf<typeof offsetForLeaderEpoch>
export type OffsetForLeaderEpochResponse = ResponseOf<typeof offsetForLeaderEpoch>
