// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible.

import { api, array, bigint64, errorCode, int32, int64, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const deleteRecordsTopic = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, offset: bigint64 })),
})

const deleteRecordsTopicResult = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, lowWatermark: int64, errorCode })),
})

/** Drops the records of partitions before an offset; -1 is the high watermark (KIP-107). */
export const deleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    topics: array(deleteRecordsTopic),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array(deleteRecordsTopicResult),
  },
})

export type DeleteRecordsRequest = RequestOf<typeof deleteRecords>
export type DeleteRecordsResponse = ResponseOf<typeof deleteRecords>
