// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible.

import { api, bigint64, bytes, errorCode, int32, int64 } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Lets a delegation token live longer, up to its greatest age (KIP-48). */
export const renewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [1, 2],
  flexibleSince: 2,
  request: {
    hmac: bytes,
    renewPeriodMs: bigint64,
  },
  response: {
    errorCode,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
})

export type RenewDelegationTokenRequest = RequestOf<typeof renewDelegationToken>
export type RenewDelegationTokenResponse = ResponseOf<typeof renewDelegationToken>
