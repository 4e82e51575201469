// Versions. 1: how long the session lasts before it must be renewed (KIP-368). 2: flexible.

import { api, bytes, emptyOrNull, errorCode, ignorable, int64, since, string } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A SASL token, and the answer to it (KIP-152). */
export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode,
    errorMessage: emptyOrNull(string),
    authBytes: bytes,
    sessionLifetimeMs: since(1, ignorable(int64)),
  },
})

export type SaslAuthenticateRequest = RequestOf<typeof saslAuthenticate>
export type SaslAuthenticateResponse = ResponseOf<typeof saslAuthenticate>
