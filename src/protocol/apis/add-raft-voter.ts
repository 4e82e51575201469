// Versions. 1: the answer may come before it is committed (KIP-1186).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  int32,
  since,
  string,
  struct,
  uint16,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Adds a voter to the metadata quorum (KIP-853). */
export const addRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    clusterId: emptyOrNull(string),
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array(struct({ name: string, host: string, port: uint16 })),
    ackWhenCommitted: since(1, withDefault(bool, true)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
  },
})

export type AddRaftVoterRequest = RequestOf<typeof addRaftVoter>
export type AddRaftVoterResponse = ResponseOf<typeof addRaftVoter>
