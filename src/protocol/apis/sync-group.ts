// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3: static members
// (KIP-345). 4: flexible. 5: protocol type and name, to be compared (KIP-559).

import { api, array, bytes, errorCode, ignorable, int32, nullable, since, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** The leader of a classic group hands in the assignment, and every member gets its part. */
export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullable(string)),
    protocolType: since(5, ignorable(nullable(string))),
    protocolName: since(5, ignorable(nullable(string))),
    assignments: array(struct({ memberId: string, assignment: bytes })),
  },
  response: {
    throttleTimeMs: since(1, ignorable(int32)),
    errorCode,
    protocolType: since(5, ignorable(nullable(string))),
    protocolName: since(5, ignorable(nullable(string))),
    assignment: bytes,
  },
})

export type SyncGroupRequest = RequestOf<typeof syncGroup>
export type SyncGroupResponse = ResponseOf<typeof syncGroup>
