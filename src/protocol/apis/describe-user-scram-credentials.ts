import { api, array, emptyOrNull, errorCode, int32, int8, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const userName = struct({
  name: string,
})

const describeUserScramCredentialsResult = struct({
  user: string,
  errorCode,
  errorMessage: emptyOrNull(string),
  credentialInfos: array(struct({ mechanism: int8, iterations: int32 })),
})

/** Which users have SCRAM credentials, with mechanism and iterations, never the secret (KIP-554). */
export const describeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    users: emptyOrNull(array(userName)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
    results: array(describeUserScramCredentialsResult),
  },
})

export type DescribeUserScramCredentialsRequest = RequestOf<typeof describeUserScramCredentials>
export type DescribeUserScramCredentialsResponse = ResponseOf<typeof describeUserScramCredentials>
