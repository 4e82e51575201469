import { api, array, bytes, emptyOrNull, errorCode, int32, int8, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const scramCredentialUpsertion = struct({
  name: string,
  mechanism: int8,
  iterations: int32,
  salt: bytes,
  saltedPassword: bytes,
})

/** Sets or deletes SCRAM credentials (KIP-554). */
export const alterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    deletions: array(struct({ name: string, mechanism: int8 })),
    upsertions: array(scramCredentialUpsertion),
  },
  response: {
    throttleTimeMs: int32,
    results: array(struct({ user: string, errorCode, errorMessage: emptyOrNull(string) })),
  },
})

export type AlterUserScramCredentialsRequest = RequestOf<typeof alterUserScramCredentials>
export type AlterUserScramCredentialsResponse = ResponseOf<typeof alterUserScramCredentials>
