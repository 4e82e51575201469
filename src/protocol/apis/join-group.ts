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

/** JoinGroup. */
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
