// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible.

import { api, array, errorCode, int32, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Deletes groups without members, with their offsets (KIP-229). */
export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: array(struct({ groupId: string, errorCode })),
  },
})

export type DeleteGroupsRequest = RequestOf<typeof deleteGroups>
export type DeleteGroupsResponse = ResponseOf<typeof deleteGroups>
