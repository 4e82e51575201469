// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3: static members
// (KIP-345). 4: flexible.

import { api, errorCode, ignorable, int32, nullable, since, string } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A member of a classic group says it is alive; the answer tells it whether a rebalance is under way. */
export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullable(string)),
  },
  response: {
    throttleTimeMs: since(1, ignorable(int32)),
    errorCode,
  },
})

export type HeartbeatRequest = RequestOf<typeof heartbeat>
export type HeartbeatResponse = ResponseOf<typeof heartbeat>
