// Builds record batches: for coordinators, who write a few records at a time, and for tests.

import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../lib/varint.ts'
import {
  attributeBits,
  batchHeaderBytes,
  batchLayout,
  batchOverheadBytes,
  currentMagic,
  noLeaderEpoch,
  noProducerEpoch,
  noProducerId,
  noSequence,
  noTimestamp,
  stampCrc,
  type TimestampType,
} from './batch.ts'
import { writeInt16, writeInt32, writeInt64 } from './big-endian.ts'
import { type Codec, codecIds } from './codec.ts'
import { compress } from './compression/compression.ts'

/** A record to write. Strings become UTF-8; a missing key or value is null. */
export interface NewRecord {
  readonly key?: Uint8Array | string | null
  readonly value?: Uint8Array | string | null
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | string | null }[]
  /** Milliseconds. */
  readonly timestamp?: number
  /** Offset less the batch's base offset. Without it records count up from 0; give it for all records or for none. */
  readonly offsetDelta?: number
}

export interface BatchOptions {
  readonly codec?: Codec
  readonly compressionLevel?: number
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly timestampType?: TimestampType
  /** Milliseconds, for records without one of their own; the append time in a LogAppendTime batch. -1 means none. */
  readonly timestamp?: number
  /** When it is not the last record's: in what compaction leaves of a batch. */
  readonly lastOffsetDelta?: number
}

/** Returns a whole batch with its checksum, in bytes of its own. */
export function buildBatch(records: readonly NewRecord[], options: BatchOptions = {}): Uint8Array {
  const encoder = new RecordsEncoder(records, options)
  const codec = options.codec ?? 'none'
  let batch: Uint8Array
  if (codec === 'none') {
    batch = Buffer.allocUnsafe(batchHeaderBytes + encoder.size)
    encoder.writeTo(batch, batchHeaderBytes)
  } else {
    const unpacked = Buffer.allocUnsafe(encoder.size)
    encoder.writeTo(unpacked, 0)
    const packed = compress(codec, unpacked, options.compressionLevel)
    batch = Buffer.allocUnsafe(batchHeaderBytes + packed.length)
    batch.set(packed, batchHeaderBytes)
  }
  writeHeader(batch, encoder, options)
  return batch
}

function writeHeader(batch: Uint8Array, encoder: RecordsEncoder, options: BatchOptions): void {
  const logAppendTime = options.timestampType === 'LogAppendTime'
  const attributes =
    codecIds[options.codec ?? 'none'] |
    (logAppendTime ? attributeBits.logAppendTime : 0) |
    (options.transactional ? attributeBits.transactional : 0) |
    (options.control ? attributeBits.control : 0)
  writeInt64(batch, batchLayout.baseOffset, options.baseOffset ?? 0)
  writeInt32(batch, batchLayout.batchLength, batch.length - batchOverheadBytes)
  writeInt32(batch, batchLayout.leaderEpoch, options.leaderEpoch ?? noLeaderEpoch)
  batch[batchLayout.magic] = currentMagic
  writeInt16(batch, batchLayout.attributes, attributes)
  writeInt32(batch, batchLayout.lastOffsetDelta, options.lastOffsetDelta ?? encoder.lastOffsetDelta)
  writeInt64(batch, batchLayout.baseTimestamp, encoder.baseTimestamp)
  writeInt64(batch, batchLayout.maxTimestamp, logAppendTime ? (options.timestamp ?? noTimestamp) : encoder.maxTimestamp)
  writeInt64(batch, batchLayout.producerId, options.producerId ?? noProducerId)
  writeInt16(batch, batchLayout.producerEpoch, options.producerEpoch ?? noProducerEpoch)
  writeInt32(batch, batchLayout.baseSequence, options.baseSequence ?? noSequence)
  writeInt32(batch, batchLayout.recordsCount, encoder.count)
  stampCrc(batch)
}

/** A record with its strings as bytes and its sizes known. */
interface PlannedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[]
  readonly timestampDelta: number
  readonly offsetDelta: number
  /** Bytes after the length field. */
  readonly size: number
}

/** Measures all records first, so that they are written once, into bytes of the right size. */
class RecordsEncoder {
  readonly count: number
  readonly size: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly lastOffsetDelta: number
  readonly #planned: PlannedRecord[] = []

  constructor(records: readonly NewRecord[], options: BatchOptions) {
    const timestampDefault = options.timestamp ?? noTimestamp
    this.count = records.length
    this.baseTimestamp = records[0]?.timestamp ?? timestampDefault
    let size = 0
    let maxTimestamp = noTimestamp
    let lastOffsetDelta = -1
    for (const record of records) {
      const timestamp = record.timestamp ?? timestampDefault
      lastOffsetDelta = record.offsetDelta ?? lastOffsetDelta + 1
      maxTimestamp = Math.max(maxTimestamp, timestamp)
      const planned = plan(record, timestamp - this.baseTimestamp, lastOffsetDelta)
      this.#planned.push(planned)
      size += sizeOfVarint(planned.size) + planned.size
    }
    this.size = size
    this.maxTimestamp = maxTimestamp
    this.lastOffsetDelta = lastOffsetDelta
  }

  writeTo(bytes: Uint8Array, from: number): void {
    let at = from
    for (const record of this.#planned) {
      at = writeVarint(bytes, at, record.size)
      bytes[at++] = 0 // attributes: unused
      at = writeVarlong(bytes, at, record.timestampDelta)
      at = writeVarint(bytes, at, record.offsetDelta)
      at = writeField(bytes, at, record.key)
      at = writeField(bytes, at, record.value)
      at = writeVarint(bytes, at, record.headers.length)
      for (const header of record.headers) {
        at = writeField(bytes, at, header.key)
        at = writeField(bytes, at, header.value)
      }
    }
  }
}

function plan(record: NewRecord, timestampDelta: number, offsetDelta: number): PlannedRecord {
  const key = bytesOf(record.key)
  const value = bytesOf(record.value)
  const headers = (record.headers ?? []).map((header) => ({
    key: Buffer.from(header.key),
    value: bytesOf(header.value),
  }))
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  size += sizeOfField(key) + sizeOfField(value) + sizeOfVarint(headers.length)
  for (const header of headers) size += sizeOfField(header.key) + sizeOfField(header.value)
  return { key, value, headers, timestampDelta, offsetDelta, size }
}

function bytesOf(field: Uint8Array | string | null | undefined): Uint8Array | null {
  return typeof field === 'string' ? Buffer.from(field) : (field ?? null)
}

function sizeOfField(field: Uint8Array | null): number {
  return field === null ? 1 : sizeOfVarint(field.length) + field.length
}

function writeField(bytes: Uint8Array, at: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(bytes, at, -1)
  const start = writeVarint(bytes, at, field.length)
  bytes.set(field, start)
  return start + field.length
}
