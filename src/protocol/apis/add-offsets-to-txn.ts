// Versions. 1: a throttled answer comes at once and the client waits (KIP-219). 2: PRODUCER_FENCED may be answered
// (KIP-588). 3: flexible. 4: TRANSACTION_ABORTABLE may be answered (KIP-890).

import { api, errorCode, int16, int32, int64, string } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

/** A transaction takes in the offsets of a group (KIP-98). */
export const addOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
  },
})

export type AddOffsetsToTxnRequest = RequestOf<typeof addOffsetsToTxn>
export type AddOffsetsToTxnResponse = ResponseOf<typeof addOffsetsToTxn>
