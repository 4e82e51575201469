import { api, array, errorCode, int32, int64, nullable, string, struct, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const initializeStateData = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32, stateEpoch: int32, startOffset: int64 })),
})

const initializeStateResult = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32, errorCode, errorMessage: nullable(string) })),
})

/** A group coordinator has the share coordinator begin the state of share partitions (KIP-932). Brokers only. */
export const initializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(initializeStateData),
  },
  response: {
    results: array(initializeStateResult),
  },
})

export type InitializeShareGroupStateRequest = RequestOf<typeof initializeShareGroupState>
export type InitializeShareGroupStateResponse = ResponseOf<typeof initializeShareGroupState>
