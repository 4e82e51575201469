import { api, array, errorCode, int16, int32, int64, int8, nullable, string, struct, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const readStateData = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32, leaderEpoch: int32 })),
})

const stateBatch = struct({
  firstOffset: int64,
  lastOffset: int64,
  deliveryState: int8,
  deliveryCount: int16,
})

const partitionResult = struct({
  partition: int32,
  errorCode,
  errorMessage: nullable(string),
  stateEpoch: int32,
  startOffset: int64,
  stateBatches: array(stateBatch),
})

const readStateResult = struct({
  topicId: uuid,
  partitions: array(partitionResult),
})

/** A leader reads the state of share partitions (KIP-932). Brokers only. */
export const readShareGroupState = api({
  key: 84,
  name: 'ReadShareGroupState',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(readStateData),
  },
  response: {
    results: array(readStateResult),
  },
})

export type ReadShareGroupStateRequest = RequestOf<typeof readShareGroupState>
export type ReadShareGroupStateResponse = ResponseOf<typeof readShareGroupState>
