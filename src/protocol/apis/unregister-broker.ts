import { api, emptyOrNull, errorCode, int32, string } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Removes a broker that will not come back from the cluster (KIP-631). */
export const unregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
  },
})

export type UnregisterBrokerRequest = RequestOf<typeof unregisterBroker>
export type UnregisterBrokerResponse = ResponseOf<typeof unregisterBroker>
