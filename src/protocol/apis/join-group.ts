// Versions. 1: rebalance timeout apart from the session timeout (KIP-62). 2: throttle time. 3: a throttled answer
// comes at once and the client waits (KIP-219). 4: a new member is first told its id, and joins again with it
// (KIP-394). 5: static members (KIP-345). 6: flexible. 7: protocol type and name in the answer (KIP-559). 8: reason
// (KIP-800). 9: a returning leader may be told to leave the assignment alone (KIP-814).

import {
  api,
  array,
  bool,
  bytes,
  errorCode,
  ignorable,
  int32,
  nullable,
  nullableSince,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/**
 * A member asks to take part in the next generation of a classic group; the answer comes when all members have
 * joined.
 */
export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, ignorable(withDefault(int32, -1))),
    memberId: string,
    groupInstanceId: since(5, nullable(string)),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    reason: since(8, ignorable(nullable(string))),
  },
  response: {
    throttleTimeMs: since(2, ignorable(int32)),
    errorCode,
    generationId: withDefault(int32, -1),
    protocolType: since(7, ignorable(nullable(string))),
    protocolName: nullableSince(7, string),
    leader: string,
    skipAssignment: since(9, bool),
    memberId: string,
    members: array(
      struct({ memberId: string, groupInstanceId: since(5, ignorable(nullable(string))), metadata: bytes }),
    ),
  },
})

export type JoinGroupRequest = RequestOf<typeof joinGroup>
export type JoinGroupResponse = ResponseOf<typeof joinGroup>
