// Versions. 1: how many records are done, for the lag (KIP-1226).

import {
  api,
  array,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
  int8,
  nullable,
  since,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const stateBatch = struct({
  firstOffset: int64,
  lastOffset: int64,
  deliveryState: int8,
  deliveryCount: int16,
})

const partitionData = struct({
  partition: int32,
  stateEpoch: int32,
  leaderEpoch: int32,
  startOffset: int64,
  deliveryCompleteCount: since(1, ignorable(withDefault(int32, -1))),
  stateBatches: array(stateBatch),
})

const writeStateData = struct({
  topicId: uuid,
  partitions: array(partitionData),
})

const writeStateResult = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32, errorCode, errorMessage: nullable(string) })),
})

/** A leader stores what changed in the state of share partitions (KIP-932). Brokers only. */
export const writeShareGroupState = api({
  key: 85,
  name: 'WriteShareGroupState',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(writeStateData),
  },
  response: {
    results: array(writeStateResult),
  },
})

export type WriteShareGroupStateRequest = RequestOf<typeof writeShareGroupState>
export type WriteShareGroupStateResponse = ResponseOf<typeof writeShareGroupState>
