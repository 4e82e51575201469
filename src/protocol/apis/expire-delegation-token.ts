// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible.

import { api, bigint64, bytes, errorCode, int32, int64 } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Changes when a delegation token expires; a negative period is now (KIP-48). */
export const expireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexibleSince: 2,
  request: {
    hmac: bytes,
    expiryTimePeriodMs: bigint64,
  },
  response: {
    errorCode,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
})

export type ExpireDelegationTokenRequest = RequestOf<typeof expireDelegationToken>
export type ExpireDelegationTokenResponse = ResponseOf<typeof expireDelegationToken>
