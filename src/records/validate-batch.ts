// The door of the log: what a client's produced batch must be before it is appended (checks 5, 6 and 12 to 20 of a produce
// request, in Kafka's order). A batch stays opaque: a compressed one is unpacked only if the topic has to see its records.

import {
  baseSequenceOf,
  baseTimestampOf,
  batchLayout,
  codecOf,
  hasProducerId,
  isTransactional,
  lastOffsetDeltaOf,
  lastSequenceOf,
  maxTimestampOf,
  noProducerEpoch,
  noProducerId,
  noSequence,
  noTimestamp,
  producerEpochOf,
  producerIdOf,
  recordsCountOf,
  sizeInBytesOf,
  stampCreateTime,
  stampLogAppendTime,
  stampMaxTimestamp,
  timestampTypeOf,
} from './batch.ts'
import { batchTooLarge, formRefusal, type HeaderRules, headerRefusal } from './batch-header-rules.ts'
import { checkRecords, type PassedRecords, type RecordRules } from './batch-record-rules.ts'
import { type RefusedBatch, refuse } from './batch-refusal.ts'
import type { Codec } from './codec.ts'
import type { CompressedCodec } from './compression/compression.ts'
import { DecompressionError } from './compression/decompression-error.ts'
import { packBatch, renumberRecords } from './rebuild-batch.ts'
import { unpackedRecordsOf } from './record.ts'

export type { BatchRefusal, RecordError, RefusedBatch } from './batch-refusal.ts'

/** `compression.type` of a topic: as the producer sent it, or always this. */
export type CompressionType = 'producer' | 'uncompressed' | CompressedCodec

export interface BatchRules extends HeaderRules, RecordRules {
  readonly compressionType: CompressionType
  /** On the codec's own scale; `undefined` for its default. */
  readonly compressionLevel?: number | undefined
  /** Bound on what a compressed batch may unpack to. */
  readonly maxDecompressedBytes: number
}

/** What the log needs to know of a batch it appends. */
export interface BatchInfo {
  readonly sizeInBytes: number
  readonly codec: Codec
  readonly recordsCount: number
  readonly lastOffsetDelta: number
  /** Milliseconds; -1 if no record has a timestamp. */
  readonly maxTimestamp: number
  /** -1 for a batch that is not idempotent; then epoch and sequences are -1 too, whatever the client put there. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly isTransactional: boolean
}

export type ValidatedBatch =
  /** `bytes` if they are others than those given: the batch had to be rebuilt, or something followed it. */
  { readonly ok: true; readonly info: BatchInfo; readonly bytes?: Uint8Array } | RefusedBatch

/**
 * Checks the bytes that a produce request has for one partition. They belong to the caller; attributes, max timestamp and checksum
 * may be changed in place, also when a later check refuses. Never throws for what a client sends.
 */
export function validateBatch(bytes: Uint8Array, rules: BatchRules): ValidatedBatch {
  const malformed = formRefusal(bytes, rules.zstdAllowed)
  if (malformed !== undefined) return malformed
  const size = sizeInBytesOf(bytes)
  if (size === bytes.length) return validateOne(bytes, rules)
  const batch = bytes.subarray(0, size)
  const validated = validateOne(batch, rules)
  return validated.ok ? { bytes: batch, ...validated } : validated
}

/** The batch is all of `bytes`. */
function validateOne(bytes: Uint8Array, rules: BatchRules): ValidatedBatch {
  const refusal = headerRefusal(bytes, rules)
  if (refusal !== undefined) return refusal
  const codec = codecOf(bytes)!
  const target = targetCodec(codec, rules.compressionType)

  if (codec === target && (codec === 'none' || !mustSeeRecords(bytes, rules))) {
    const checked = codec === 'none' ? checkRecords(bytes, bytes, batchLayout.records, rules) : trustHeader(bytes)
    if (!checked.ok) return checked
    return stampedBatch(bytes, checked.maxTimestamp, rules)
  }
  return unpackAndCheck(bytes, target, rules)
}

function unpackAndCheck(bytes: Uint8Array, target: Codec, rules: BatchRules): ValidatedBatch {
  let records: Uint8Array
  try {
    records = unpackedRecordsOf(bytes, rules.maxDecompressedBytes)
  } catch (error) {
    if (!(error instanceof DecompressionError)) throw error
    return refuse(error.problem === 'tooLarge' ? 'messageTooLarge' : 'invalidRecord', error.message)
  }
  const checked = checkRecords(bytes, records, 0, rules)
  if (!checked.ok) return checked
  if (checked.offsetsConsecutive && codecOf(bytes) === target) return stampedBatch(bytes, checked.maxTimestamp, rules)

  const numbered = checked.offsetsConsecutive ? records : renumberRecords(bytes, records)
  const rebuilt = packBatch(bytes, numbered, { codec: target, compressionLevel: rules.compressionLevel })
  if (rebuilt.length > rules.maxMessageBytes) return batchTooLarge(rebuilt.length, rules.maxMessageBytes)
  const stamped = stampedBatch(rebuilt, checked.maxTimestamp, rules)
  return stamped.ok ? { ...stamped, bytes: rebuilt } : stamped
}

/** The stamps that belong under the checksum. */
function stampedBatch(batch: Uint8Array, maxTimestamp: number, rules: BatchRules): ValidatedBatch {
  if (rules.timestampType === 'LogAppendTime') {
    stampLogAppendTime(batch, 0, rules.now)
  } else if (timestampTypeOf(batch) === 'LogAppendTime') {
    stampCreateTime(batch, 0, maxTimestamp)
  } else if (maxTimestampOf(batch) !== maxTimestamp) {
    stampMaxTimestamp(batch, 0, maxTimestamp)
  }
  return { ok: true, info: infoOf(batch) }
}

function targetCodec(codec: Codec, compressionType: CompressionType): Codec {
  if (compressionType === 'producer') return codec
  return compressionType === 'uncompressed' ? 'none' : compressionType
}

/** Whether a compressed batch must be opened: for its keys, or for timestamps whose bounds the header does not settle. */
function mustSeeRecords(batch: Uint8Array, rules: BatchRules): boolean {
  if (rules.compacted) return true
  if (timestampTypeOf(batch) === 'LogAppendTime') return true
  if (rules.timestampType === 'LogAppendTime') return false
  // The header knows the greatest timestamp but not the least. One that is out of bounds is looked at to name the records.
  const maxTimestamp = maxTimestampOf(batch)
  const hasEarliest = rules.timestampBeforeMaxMs <= Number.MAX_SAFE_INTEGER
  return hasEarliest || maxTimestamp > rules.now + rules.timestampAfterMaxMs || !isExact(batch)
}

function isExact(batch: Uint8Array): boolean {
  return Number.isSafeInteger(maxTimestampOf(batch)) && Number.isSafeInteger(baseTimestampOf(batch))
}

function trustHeader(batch: Uint8Array): PassedRecords {
  return { ok: true, maxTimestamp: Math.max(maxTimestampOf(batch), noTimestamp), offsetsConsecutive: true }
}

function infoOf(batch: Uint8Array): BatchInfo {
  const isIdempotent = hasProducerId(batch)
  return {
    sizeInBytes: batch.length,
    codec: codecOf(batch)!,
    recordsCount: recordsCountOf(batch),
    lastOffsetDelta: lastOffsetDeltaOf(batch),
    maxTimestamp: maxTimestampOf(batch),
    producerId: isIdempotent ? producerIdOf(batch) : noProducerId,
    producerEpoch: isIdempotent ? producerEpochOf(batch) : noProducerEpoch,
    baseSequence: isIdempotent ? baseSequenceOf(batch) : noSequence,
    lastSequence: isIdempotent ? lastSequenceOf(batch) : noSequence,
    isTransactional: isTransactional(batch),
  }
}
