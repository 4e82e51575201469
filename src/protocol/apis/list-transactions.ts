// Versions. 1: open for at least so long (KIP-994). 2: by a pattern of ids (KIP-1152).

import { api, array, errorCode, int32, int64, nullable, since, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** The transactional ids a broker coordinates (KIP-664). */
export const listTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(int64),
    durationFilter: since(1, withDefault(int64, -1)),
    transactionalIdPattern: since(2, nullable(string)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    unknownStateFilters: array(string),
    transactionStates: array(struct({ transactionalId: string, producerId: int64, transactionState: string })),
  },
})

export type ListTransactionsRequest = RequestOf<typeof listTransactions>
export type ListTransactionsResponse = ResponseOf<typeof listTransactions>
