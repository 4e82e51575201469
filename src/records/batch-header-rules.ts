// The checks of a produced batch that its header answers: numbers 5, 6 and 12 to 17 of a produce request, in Kafka's order
// (ProduceRequest.validateRecords, UnifiedLog.analyzeAndValidateRecords, LogValidator.validateBatch).

import {
  baseOffsetOf,
  baseSequenceOf,
  batchHeaderBytes,
  batchLayout,
  batchOverheadBytes,
  codecOf,
  computedCrcOf,
  crcOf,
  currentMagic,
  hasProducerId,
  isControl,
  lastOffsetDeltaOf,
  magicOf,
  producerIdOf,
  recordsCountOf,
  sizeInBytesOf,
} from './batch.ts'
import { type RefusedBatch, refuse } from './batch-refusal.ts'

export interface HeaderRules {
  /** `max.message.bytes` of the topic. */
  readonly maxMessageBytes: number
  /** Whether the request's version knows zstd (Produce v7, KIP-110). */
  readonly zstdAllowed: boolean
}

/**
 * Checks 5 and 6 alone, which come before anything is asked of the partition: one whole batch of a magic and codec that may be
 * sent. The beginning of another behind it does not count, as in Kafka.
 */
export function formRefusal(bytes: Uint8Array, zstdAllowed: boolean): RefusedBatch | undefined {
  const first = batchIn(bytes, 0)
  if (first === 'none') return refuse('invalidRecord', 'the request holds no whole record batch')
  if (first === 'corrupt') return refuse('corruptMessage', 'what the request holds is no record batch')
  const magic = magicOf(bytes)
  if (magic !== currentMagic)
    return refuse('invalidRecord', `record batches of magic ${magic} are not accepted, only of magic 2`)
  const size = sizeInBytesOf(bytes)
  const codec = size < batchHeaderBytes ? 'none' : codecOf(bytes)
  if (codec === undefined) return refuse('unsupportedCompressionType', 'unknown compression codec')
  if (codec === 'zstd' && !zstdAllowed) {
    return refuse('unsupportedCompressionType', 'zstd compression needs version 7 of the produce request')
  }
  const second = batchIn(bytes, size)
  if (second === 'corrupt') return refuse('corruptMessage', 'what follows the record batch is none')
  if (second === 'whole')
    return refuse('invalidRecord', 'the request must hold exactly one record batch for a partition')
  return undefined
}

/** The oldest message format with neither key nor value: no batch is smaller behind its offset and length. */
const oldestMessageBytes = 14

/**
 * What a reader of batches makes of the bytes from `at` on, by their first 17 (ByteBufferLogInputStream): `none` where
 * nothing or only a part of a batch is left, `corrupt` where no batch can be.
 */
function batchIn(bytes: Uint8Array, at: number): 'whole' | 'none' | 'corrupt' {
  const left = bytes.length - at
  if (left < batchOverheadBytes) return 'none'
  const size = sizeInBytesOf(bytes, at)
  if (size < batchOverheadBytes + oldestMessageBytes) return 'corrupt'
  if (left <= batchLayout.magic) return 'none'
  const magic = magicOf(bytes, at)
  if (magic < 0 || magic > currentMagic) return 'corrupt'
  return size > left ? 'none' : 'whole'
}

/** The first rule that the batch breaks, whose bytes end with it; `undefined` if it keeps them all. Computes the checksum once, allocates nothing. */
export function headerRefusal(bytes: Uint8Array, rules: HeaderRules): RefusedBatch | undefined {
  const refusal = formRefusal(bytes, rules.zstdAllowed)
  if (refusal !== undefined) return refusal
  const size = bytes.length
  const baseOffset = baseOffsetOf(bytes)
  if (baseOffset !== 0)
    return refuse('invalidRecord', `the base offset of a produced batch must be 0, not ${baseOffset}`)
  if (size > rules.maxMessageBytes) return batchTooLarge(size, rules.maxMessageBytes)
  if (size < batchHeaderBytes)
    return refuse('corruptMessage', `a record batch of ${size} bytes has no room for its header`)
  const crc = computedCrcOf(bytes)
  if (crc !== crcOf(bytes))
    return refuse('corruptMessage', `the batch's checksum is ${crcOf(bytes)}, of its bytes ${crc}`)

  const count = recordsCountOf(bytes)
  const lastOffsetDelta = lastOffsetDeltaOf(bytes)
  if (count <= 0) return refuse('invalidRecord', `a record batch cannot hold ${count} records`)
  if (lastOffsetDelta + 1 !== count) {
    return refuse('invalidRecord', `last offset delta ${lastOffsetDelta} does not fit ${count} records`)
  }
  if (isControl(bytes)) return refuse('invalidRecord', 'clients may not write control batches')
  if (hasProducerId(bytes)) {
    const producerId = producerIdOf(bytes)
    const baseSequence = baseSequenceOf(bytes)
    if (baseSequence < 0) {
      return refuse('invalidRecord', `sequence ${baseSequence} in a batch of producer ${producerId}`)
    }
    if (!Number.isSafeInteger(producerId)) return refuse('invalidRecord', `no producer has the id ${producerId}`)
  }
  return undefined
}

export function batchTooLarge(size: number, maxMessageBytes: number): RefusedBatch {
  return refuse(
    'messageTooLarge',
    `the record batch of ${size} bytes exceeds the topic's maximum of ${maxMessageBytes} bytes`,
  )
}
