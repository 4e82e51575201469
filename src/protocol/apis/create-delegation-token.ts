// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible. 3: for another owner
// than oneself (KIP-373).

import {
  api,
  array,
  bigint64,
  bytes,
  emptyOrNull,
  errorCode,
  int32,
  int64,
  since,
  string,
  struct,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Creates a delegation token, which authenticates in place of its owner (KIP-48). */
export const createDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    ownerPrincipalType: since(3, emptyOrNull(string)),
    ownerPrincipalName: since(3, emptyOrNull(string)),
    renewers: array(struct({ principalType: string, principalName: string })),
    maxLifetimeMs: bigint64,
  },
  response: {
    errorCode,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: since(3, string),
    tokenRequesterPrincipalName: since(3, string),
    issueTimestampMs: int64,
    expiryTimestampMs: int64,
    maxTimestampMs: int64,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32,
  },
})

export type CreateDelegationTokenRequest = RequestOf<typeof createDelegationToken>
export type CreateDelegationTokenResponse = ResponseOf<typeof createDelegationToken>
