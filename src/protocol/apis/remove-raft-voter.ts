import { api, emptyOrNull, errorCode, int32, string, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Removes a voter from the metadata quorum (KIP-853). */
export const removeRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    clusterId: emptyOrNull(string),
    voterId: int32,
    voterDirectoryId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
  },
})

export type RemoveRaftVoterRequest = RequestOf<typeof removeRaftVoter>
export type RemoveRaftVoterResponse = ResponseOf<typeof removeRaftVoter>
