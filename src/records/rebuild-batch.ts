// Making a batch anew from its unpacked records: with another codec, or with offsets that count up without gaps. Keys, values and
// headers are carried over as bytes.

import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../lib/varint.ts'
import {
  attributeBits,
  attributesOf,
  batchHeaderBytes,
  batchLayout,
  batchOverheadBytes,
  recordsCountOf,
  stampCrc,
} from './batch.ts'
import { writeInt16, writeInt32 } from './big-endian.ts'
import { type Codec, codecIds } from './codec.ts'
import { compress } from './compression/compression.ts'
import { RecordCursor } from './record-cursor.ts'

export interface PackOptions {
  readonly codec: Codec
  readonly compressionLevel?: number | undefined
}

/** The header of `batch` with `records` behind it, packed with `codec`: size, codec bits and checksum made to fit. */
export function packBatch(
  batch: Uint8Array,
  records: Uint8Array,
  { codec, compressionLevel }: PackOptions,
): Uint8Array {
  const packed = codec === 'none' ? records : compress(codec, records, compressionLevel)
  const rebuilt = Buffer.allocUnsafe(batchHeaderBytes + packed.length)
  rebuilt.set(batch.subarray(0, batchHeaderBytes))
  rebuilt.set(packed, batchHeaderBytes)
  writeInt32(rebuilt, batchLayout.batchLength, rebuilt.length - batchOverheadBytes)
  writeInt16(rebuilt, batchLayout.attributes, (attributesOf(batch) & ~attributeBits.codec) | codecIds[codec])
  stampCrc(rebuilt)
  return rebuilt
}

/** The most that `copyRecord` adds to a record: its deltas may grow to 10 and 5 bytes, its length field by 4. */
export const recordGrowthBytesMax = 19

/** The unpacked, well-formed `records` of `batch` with offset deltas 0, 1, 2... */
export function renumberRecords(batch: Uint8Array, records: Uint8Array): Uint8Array {
  const count = recordsCountOf(batch)
  const renumbered = Buffer.allocUnsafe(records.length + count * recordGrowthBytesMax)
  const cursor = new RecordCursor(records)
  let at = 0
  for (let offsetDelta = 0; offsetDelta < count; offsetDelta++) {
    cursor.next()
    at = copyRecord(cursor, renumbered, at, { timestampDelta: cursor.timestampDelta, offsetDelta })
  }
  return renumbered.subarray(0, at)
}

/** Writes the record that `cursor` has just passed, with other deltas. Returns the position after it. */
export function copyRecord(
  cursor: RecordCursor,
  target: Uint8Array,
  at: number,
  { timestampDelta, offsetDelta }: { readonly timestampDelta: number; readonly offsetDelta: number },
): number {
  const contentBytes = cursor.at - cursor.contentAt
  const size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + contentBytes
  at = writeVarint(target, at, size)
  target[at++] = cursor.bytes[cursor.fieldsAt]! // attributes
  at = writeVarlong(target, at, timestampDelta)
  at = writeVarint(target, at, offsetDelta)
  target.set(cursor.bytes.subarray(cursor.contentAt, cursor.at), at)
  return at + contentBytes
}
