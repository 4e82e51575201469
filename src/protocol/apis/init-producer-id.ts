import { api, bool, emptyOrNull, errorCode, int16, int32, int64, since, string, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** InitProducerId. */
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
