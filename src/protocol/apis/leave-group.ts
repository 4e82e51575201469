// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3: many members at
// once, also by static id (KIP-345). 4: flexible. 5: reason (KIP-800).

import {
  api,
  array,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  nullable,
  since,
  string,
  struct,
  until,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const memberIdentity = struct({
  memberId: string,
  groupInstanceId: nullable(string),
  reason: since(5, ignorable(nullable(string))),
})

const memberResponse = struct({
  memberId: string,
  groupInstanceId: emptyOrNull(string),
  errorCode,
})

/** Members leave a classic group at once, without waiting for their session to expire. */
export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    memberId: until(2, string),
    members: since(3, array(memberIdentity)),
  },
  response: {
    throttleTimeMs: since(1, ignorable(int32)),
    errorCode,
    members: since(3, array(memberResponse)),
  },
})

export type LeaveGroupRequest = RequestOf<typeof leaveGroup>
export type LeaveGroupResponse = ResponseOf<typeof leaveGroup>
