// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible. 3: who asked for the
// token (KIP-373).

import { api, array, bytes, emptyOrNull, errorCode, int32, int64, since, string, struct } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const describeDelegationTokenOwner = struct({
  principalType: string,
  principalName: string,
})

const describedDelegationToken = struct({
  principalType: string,
  principalName: string,
  tokenRequesterPrincipalType: since(3, string),
  tokenRequesterPrincipalName: since(3, string),
  issueTimestamp: int64,
  expiryTimestamp: int64,
  maxTimestamp: int64,
  tokenId: string,
  hmac: bytes,
  renewers: array(struct({ principalType: string, principalName: string })),
})

/** The delegation tokens of some owners, or all one may see (KIP-48). */
export const describeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    owners: emptyOrNull(array(describeDelegationTokenOwner)),
  },
  response: {
    errorCode,
    tokens: array(describedDelegationToken),
    throttleTimeMs: int32,
  },
})

export type DescribeDelegationTokenRequest = RequestOf<typeof describeDelegationToken>
export type DescribeDelegationTokenResponse = ResponseOf<typeof describeDelegationToken>
