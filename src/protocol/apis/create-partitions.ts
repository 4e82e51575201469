// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible. 3:
// THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599).

import { api, array, bool, emptyOrNull, errorCode, int32, nullable, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const createPartitionsAssignment = struct({
  brokerIds: array(int32),
})

const createPartitionsTopic = struct({
  name: string,
  count: int32,
  assignments: emptyOrNull(array(createPartitionsAssignment)),
})

/** Adds partitions to topics (KIP-195). */
export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: array(createPartitionsTopic),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    results: array(struct({ name: string, errorCode, errorMessage: nullable(string) })),
  },
})

export type CreatePartitionsRequest = RequestOf<typeof createPartitions>
export type CreatePartitionsResponse = ResponseOf<typeof createPartitions>
