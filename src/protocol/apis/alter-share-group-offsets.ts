import { api, array, errorCode, int32, int64, nullable, string, struct, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const alterShareGroupOffsetsRequestTopic = struct({
  topicName: string,
  partitions: array(struct({ partitionIndex: int32, startOffset: int64 })),
})

const alterShareGroupOffsetsResponseTopic = struct({
  topicName: string,
  topicId: uuid,
  partitions: array(struct({ partitionIndex: int32, errorCode, errorMessage: nullable(string) })),
})

/** Sets where share partitions begin, in a group without members (KIP-932). */
export const alterShareGroupOffsets = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: array(alterShareGroupOffsetsRequestTopic),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    responses: array(alterShareGroupOffsetsResponseTopic),
  },
})

export type AlterShareGroupOffsetsRequest = RequestOf<typeof alterShareGroupOffsets>
export type AlterShareGroupOffsetsResponse = ResponseOf<typeof alterShareGroupOffsets>
