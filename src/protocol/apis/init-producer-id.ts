// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: flexible. 3: id and epoch the
// producer has, to go on after an error (KIP-360). 4: PRODUCER_FENCED may be answered (KIP-588). 5:
// TRANSACTION_ABORTABLE may be answered (KIP-890). 6: two-phase commit (KIP-939), unstable.

import { api, bool, emptyOrNull, errorCode, int16, int32, int64, since, string, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A producer gets its id and epoch; with a transactional id, older producers of that name are fenced (KIP-98). */
export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  flexibleSince: 2,
  latestVersionUnstable: true,
  request: {
    transactionalId: emptyOrNull(string),
    transactionTimeoutMs: int32,
    producerId: since(3, withDefault(int64, -1)),
    producerEpoch: since(3, withDefault(int16, -1)),
    enable2Pc: since(6, bool),
    keepPreparedTxn: since(6, bool),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    producerId: withDefault(int64, -1),
    producerEpoch: int16,
    ongoingTxnProducerId: since(6, withDefault(int64, -1)),
    ongoingTxnProducerEpoch: since(6, withDefault(int16, -1)),
  },
})

export type InitProducerIdRequest = RequestOf<typeof initProducerId>
export type InitProducerIdResponse = ResponseOf<typeof initProducerId>
