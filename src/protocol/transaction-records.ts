// The state of transactional ids, in __transaction_state.
// Value 1: flexible, producer ids before and after a change of id, and what the client speaks (KIP-890).

import { array, emptyOrNull, int16, int32, int64, int8, record, since, string, struct, tagged } from './schema/index.ts'
import type { RecordKeyOf, RecordValueOf } from './schema/index.ts'

const partitionsSchema = struct({
  topic: string,
  partitionIds: array(int32),
})

/** Everything the coordinator knows of a transactional id. The partitions are null once nothing is open. */
export const transactionLog = record({
  type: 0,
  name: 'TransactionLog',
  key: { transactionalId: string },
  value: {
    versions: [0, 1],
    flexibleSince: 1,
    fields: {
      producerId: int64,
      previousProducerId: since(1, tagged(0, int64, -1)),
      nextProducerId: since(1, tagged(1, int64, -1)),
      producerEpoch: int16,
      nextProducerEpoch: since(1, tagged(3, int16, -1)),
      transactionTimeoutMs: int32,
      transactionStatus: int8,
      transactionPartitions: emptyOrNull(array(partitionsSchema)),
      transactionLastUpdateTimestampMs: int64,
      transactionStartTimestampMs: int64,
      clientTransactionVersion: since(1, tagged(2, int16)),
    },
  },
})

export type TransactionLogKey = RecordKeyOf<typeof transactionLog>
export type TransactionLogValue = RecordValueOf<typeof transactionLog>
