import { api, array, errorCode, int32, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const offsetDeleteRequestTopic = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32 })),
})

const offsetDeleteResponseTopic = struct({
  name: string,
  partitions: array(struct({ partitionIndex: int32, errorCode })),
})

/** Deletes committed offsets of a group for partitions it is not subscribed to (KIP-496). */
export const offsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  request: {
    groupId: string,
    topics: array(offsetDeleteRequestTopic),
  },
  response: {
    errorCode,
    throttleTimeMs: int32,
    topics: array(offsetDeleteResponseTopic),
  },
})

export type OffsetDeleteRequest = RequestOf<typeof offsetDelete>
export type OffsetDeleteResponse = ResponseOf<typeof offsetDelete>
