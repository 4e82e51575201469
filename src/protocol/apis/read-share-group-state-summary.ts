// Versions. 1: how many records are done, for the lag (KIP-1226).

import {
  api,
  array,
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

const readStateSummaryData = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32, leaderEpoch: int32 })),
})

const partitionResult = struct({
  partition: int32,
  errorCode,
  errorMessage: nullable(string),
  stateEpoch: int32,
  leaderEpoch: int32,
  startOffset: int64,
  deliveryCompleteCount: since(1, ignorable(withDefault(int32, -1))),
})

const readStateSummaryResult = struct({
  topicId: uuid,
  partitions: array(partitionResult),
})

/** A group coordinator reads where share partitions begin, without their batches (KIP-932). Brokers only. */
export const readShareGroupStateSummary = api({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(readStateSummaryData),
  },
  response: {
    results: array(readStateSummaryResult),
  },
})

export type ReadShareGroupStateSummaryRequest = RequestOf<typeof readShareGroupStateSummary>
export type ReadShareGroupStateSummaryResponse = ResponseOf<typeof readShareGroupStateSummary>
