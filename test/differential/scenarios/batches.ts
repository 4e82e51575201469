// Batches that a client might send, and those that it should not.

import { crc32 } from 'node:zlib'
import { batchLayout, stampCrc } from '../../../src/records/batch.ts'
import { type BatchOptions, buildBatch, type NewRecord } from '../../../src/records/batch-builder.ts'
import { writeInt16, writeInt32, writeInt64 } from '../../../src/records/big-endian.ts'

/** Long ago, so that it cannot be mistaken for the time of the test. */
export const longAgo = 1_700_000_000_000

export function batch(options: BatchOptions = {}, records: readonly NewRecord[] = keyed(2)): Uint8Array {
  return buildBatch(records, { timestamp: longAgo, ...options })
}

export function keyed(count: number): NewRecord[] {
  return Array.from({ length: count }, (_, i) => ({ key: `key ${i}`, value: `value ${i} `.repeat(4) }))
}

/** Changes a field of the header; the checksum is made to fit. */
export function withField(bytes: Uint8Array, field: keyof typeof batchLayout, value: number): Uint8Array {
  const at = batchLayout[field]
  if (field === 'magic') bytes[at] = value
  else if (field === 'attributes' || field === 'producerEpoch') writeInt16(bytes, at, value)
  else if (['baseOffset', 'baseTimestamp', 'maxTimestamp', 'producerId'].includes(field)) writeInt64(bytes, at, value)
  else writeInt32(bytes, at, value)
  if (field !== 'batchLength' && field !== 'crc') stampCrc(bytes)
  return bytes
}

/** A message set of magic 0 or 1 with one empty message, as clients before 0.11 sent it. */
export function oldMessageSet(magic: 0 | 1): Uint8Array {
  const message = Buffer.alloc(magic === 0 ? 14 : 22)
  message[4] = magic
  message.writeInt32BE(-1, message.length - 8) // no key
  message.writeInt32BE(-1, message.length - 4) // no value
  message.writeUInt32BE(crc32(message.subarray(4)), 0)
  const set = Buffer.alloc(12 + message.length)
  set.writeInt32BE(message.length, 8)
  set.set(message, 12)
  return set
}
