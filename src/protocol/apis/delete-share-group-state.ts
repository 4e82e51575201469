import { api, array, errorCode, int32, nullable, string, struct, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const deleteStateData = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32 })),
})

const deleteStateResult = struct({
  topicId: uuid,
  partitions: array(struct({ partition: int32, errorCode, errorMessage: nullable(string) })),
})

/** A group coordinator has the share coordinator forget share partitions (KIP-932). Brokers only. */
export const deleteShareGroupState = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(deleteStateData),
  },
  response: {
    results: array(deleteStateResult),
  },
})

export type DeleteShareGroupStateRequest = RequestOf<typeof deleteShareGroupState>
export type DeleteShareGroupStateResponse = ResponseOf<typeof deleteShareGroupState>
