// Reading the records of a batch, one object each: for coordinators, compaction, REST and tests. Keys and values are views of the
// batch (or of its unpacked records). The produce path uses `RecordCursor` instead.

import { readVarint } from '../lib/varint.ts'
import {
  baseOffsetOf,
  baseTimestampOf,
  batchLayout,
  codecOf,
  maxTimestampOf,
  recordsCountOf,
  timestampTypeOf,
} from './batch.ts'
import { decompress } from './compression/compression.ts'
import { DecompressionError } from './compression/decompression-error.ts'
import { RecordCursor, RecordFormatError } from './record-cursor.ts'

export interface RecordHeader {
  /** Bytes that are no UTF-8 read as U+FFFD, as in Kafka. */
  readonly key: string
  readonly value: Uint8Array | null
}

export interface LogRecord {
  readonly offset: number
  /** Milliseconds; -1 if the producer gave none. In a LogAppendTime batch: when the batch was appended. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

export interface ReadOptions {
  /** Bound on what a compressed batch may unpack to; more is a `DecompressionError`. */
  readonly maxDecompressedBytes?: number
}

/** Far above what a broker lets in (`max.message.bytes` is 1 MB), far below what hurts. */
const maxDecompressedBytesDefault = 256 * 1024 * 1024

const noHeaders: readonly RecordHeader[] = []

/**
 * The records of one whole batch. Throws `RecordFormatError` when the declared count cannot be read exactly, `DecompressionError`
 * when the records cannot be unpacked; both only for batches that never passed `validateBatch`, or were damaged since.
 */
export function* recordsOf(batch: Uint8Array, options: ReadOptions = {}): Generator<LogRecord, void> {
  const count = recordsCountOf(batch)
  if (count === 0) return // what compaction leaves of an emptied batch, whatever its codec bits say
  const cursor = new RecordCursor(unpackedRecordsOf(batch, options.maxDecompressedBytes))
  const frame = frameOf(batch)
  for (let i = 0; i < count; i++) {
    cursor.next()
    yield recordAt(cursor, frame)
  }
  if (count < 0 || cursor.at !== cursor.end) {
    throw new RecordFormatError(`${cursor.end - cursor.at} bytes left over after ${count} records`)
  }
}

/** The records' bytes without compression: a view of the batch when it is not compressed. Throws `DecompressionError`. */
export function unpackedRecordsOf(batch: Uint8Array, maxDecompressedBytes = maxDecompressedBytesDefault): Uint8Array {
  const codec = codecOf(batch)
  const packed = batch.subarray(batchLayout.records)
  if (codec === undefined) throw new DecompressionError('malformed', 'unknown compression codec')
  return codec === 'none' ? packed : decompress(codec, packed, maxDecompressedBytes)
}

/** What a batch's header says for all of its records. */
export interface RecordFrame {
  readonly baseOffset: number
  readonly baseTimestamp: number
  /** Set in a LogAppendTime batch: the time of every record. */
  readonly appendTime: number | undefined
}

export function frameOf(batch: Uint8Array): RecordFrame {
  return {
    baseOffset: baseOffsetOf(batch),
    baseTimestamp: baseTimestampOf(batch),
    appendTime: timestampTypeOf(batch) === 'LogAppendTime' ? maxTimestampOf(batch) : undefined,
  }
}

/** The record that `cursor` has just passed. */
export function recordAt(cursor: RecordCursor, { baseOffset, baseTimestamp, appendTime }: RecordFrame): LogRecord {
  return {
    offset: baseOffset + cursor.offsetDelta,
    timestamp: appendTime ?? baseTimestamp + cursor.timestampDelta,
    key: fieldOf(cursor.bytes, cursor.keyAt, cursor.keyLength),
    value: fieldOf(cursor.bytes, cursor.valueAt, cursor.valueLength),
    headers: headersAt(cursor),
  }
}

function fieldOf(bytes: Uint8Array, at: number, length: number): Uint8Array | null {
  return length < 0 ? null : bytes.subarray(at, at + length)
}

/** Reads the headers that `cursor` has already checked. */
function headersAt(cursor: RecordCursor): readonly RecordHeader[] {
  if (cursor.headersCount === 0) return noHeaders
  const { bytes, end } = cursor
  const headers: RecordHeader[] = []
  const place = { bytes, at: cursor.headersAt, end }
  for (let i = 0; i < cursor.headersCount; i++) {
    const keyLength = readVarint(place)
    const key = utf8.decode(bytes.subarray(place.at, place.at + keyLength))
    place.at += keyLength
    const valueLength = readVarint(place)
    headers.push({ key, value: fieldOf(bytes, place.at, valueLength) })
    place.at += Math.max(valueLength, 0)
  }
  return headers
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
