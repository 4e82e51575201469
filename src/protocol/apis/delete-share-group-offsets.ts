import { api, array, errorCode, int32, nullable, string, struct, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const deleteShareGroupOffsetsResponseTopic = struct({
  topicName: string,
  topicId: uuid,
  errorCode,
  errorMessage: nullable(string),
})

/** Deletes the share partitions of topics in a group without members (KIP-932). */
export const deleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(struct({ topicName: string })),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    responses: array(deleteShareGroupOffsetsResponseTopic),
  },
})

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof deleteShareGroupOffsets>
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof deleteShareGroupOffsets>
