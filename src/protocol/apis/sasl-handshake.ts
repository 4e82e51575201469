// Versions. 0: the tokens that follow are bare, with a size but without a header. 1: the tokens that follow are
// SaslAuthenticate requests (KIP-152).

import { api, array, errorCode, string } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A client picks a SASL mechanism and learns which ones there are. */
export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: {
    mechanism: string,
  },
  response: {
    errorCode,
    mechanisms: array(string),
  },
})

export type SaslHandshakeRequest = RequestOf<typeof saslHandshake>
export type SaslHandshakeResponse = ResponseOf<typeof saslHandshake>
