// Reads from a batch what producer state needs to know of it.

import {
  baseSequenceOf,
  isControl,
  isTransactional,
  lastOffsetDeltaOf,
  lastSequenceOf,
  maxTimestampOf,
  producerEpochOf,
  sizeInBytesOf,
} from '../records/batch.ts'
import { endTransactionMarkerOf } from '../records/control-batch.ts'
import type { Offset } from './partition-log.ts'
import type { ProducerBatch } from './producer-state.ts'

/** The whole batch lies at `at`; `baseOffset` is the one it has or is about to get. */
export function producerBatchOf(bytes: Uint8Array, at: number, producerId: number, baseOffset: Offset): ProducerBatch {
  const control = isControl(bytes, at)
  const marker = control ? endTransactionMarkerOf(bytes.subarray(at, at + sizeInBytesOf(bytes, at))) : undefined
  return {
    producerId,
    producerEpoch: producerEpochOf(bytes, at),
    baseSequence: baseSequenceOf(bytes, at),
    lastSequence: lastSequenceOf(bytes, at),
    baseOffset,
    lastOffset: baseOffset + lastOffsetDeltaOf(bytes, at),
    maxTimestamp: maxTimestampOf(bytes, at),
    transactional: isTransactional(bytes, at),
    marker: marker ?? null,
    control,
  }
}
