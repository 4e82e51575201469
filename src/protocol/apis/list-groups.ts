// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3: flexible. 4:
// state, and a filter by it (KIP-518). 5: type, and a filter by it (KIP-848).

import { api, array, errorCode, ignorable, int32, since, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const listedGroup = struct({
  groupId: string,
  protocolType: string,
  groupState: since(4, ignorable(string)),
  groupType: since(5, ignorable(string)),
})

/** The groups a broker coordinates, of every kind. */
export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    statesFilter: since(4, array(string)),
    typesFilter: since(5, array(string)),
  },
  response: {
    throttleTimeMs: since(1, ignorable(int32)),
    errorCode,
    groups: array(listedGroup),
  },
})

export type ListGroupsRequest = RequestOf<typeof listGroups>
export type ListGroupsResponse = ResponseOf<typeof listGroups>
