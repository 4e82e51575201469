// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3: authorized
// operations (KIP-430). 4: static ids of members (KIP-345). 5: flexible. 6: GROUP_ID_NOT_FOUND for a group there is
// none of, with a message (KIP-1043).

import {
  api,
  array,
  bool,
  bytes,
  errorCode,
  ignorable,
  int32,
  nullable,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const describedGroupMember = struct({
  memberId: string,
  groupInstanceId: since(4, ignorable(nullable(string))),
  clientId: string,
  clientHost: string,
  memberMetadata: bytes,
  memberAssignment: bytes,
})

const describedGroup = struct({
  errorCode,
  errorMessage: since(6, nullable(string)),
  groupId: string,
  groupState: string,
  protocolType: string,
  protocolData: string,
  members: array(describedGroupMember),
  authorizedOperations: since(3, withDefault(int32, -0x8000_0000)),
})

/** State and members of classic groups. */
export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexibleSince: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: since(3, bool),
  },
  response: {
    throttleTimeMs: since(1, ignorable(int32)),
    groups: array(describedGroup),
  },
})

export type DescribeGroupsRequest = RequestOf<typeof describeGroups>
export type DescribeGroupsResponse = ResponseOf<typeof describeGroups>
