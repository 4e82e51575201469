// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: PRODUCER_FENCED may be answered
// (KIP-588). 3: flexible. 4: TRANSACTION_ABORTABLE may be answered (KIP-890). 5: producer id and epoch for the next
// transaction (KIP-890).

import { api, bool, errorCode, ignorable, int16, int32, int64, since, string, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** Commits or aborts a transaction (KIP-98). */
export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    producerId: since(5, ignorable(withDefault(int64, -1))),
    producerEpoch: since(5, ignorable(withDefault(int16, -1))),
  },
})

export type EndTxnRequest = RequestOf<typeof endTxn>
export type EndTxnResponse = ResponseOf<typeof endTxn>
