// Versions. 1: key type: group or transaction (KIP-98). 2: a throttled answer comes at once and the client waits
// (KIP-219). 3: flexible. 4: many keys at once (KIP-699). 5: TRANSACTION_ABORTABLE may be answered (KIP-890). 6:
// share coordinators (KIP-932).

import {
  api,
  array,
  between,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int8,
  since,
  string,
  struct,
  until,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const coordinator = struct({
  key: string,
  nodeId: int32,
  host: string,
  port: int32,
  errorCode,
  errorMessage: emptyOrNull(string),
})

/** Which broker coordinates a group, a transactional id or a share partition. */
export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    key: until(3, string),
    keyType: since(1, int8),
    coordinatorKeys: since(4, array(string)),
  },
  response: {
    throttleTimeMs: since(1, ignorable(int32)),
    errorCode: until(3, errorCode),
    errorMessage: between(1, 3, ignorable(emptyOrNull(string))),
    nodeId: until(3, int32),
    host: until(3, string),
    port: until(3, int32),
    coordinators: since(4, array(coordinator)),
  },
})

export type FindCoordinatorRequest = RequestOf<typeof findCoordinator>
export type FindCoordinatorResponse = ResponseOf<typeof findCoordinator>
