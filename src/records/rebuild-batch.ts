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

/** The unpacked, well-formed `records` of `batch` with offset deltas 0, 1, 2... */
export function renumberRecords(batch: Uint8Array, records: Uint8Array): Uint8Array {
  const count = recordsCountOf(batch)
  // An offset delta takes 5 bytes at most, and 4 more may be needed to say so in the record's length.
  const renumbered = Buffer.allocUnsafe(records.length + count * 9)
  const cursor = new RecordCursor(records)
  let at = 0
  for (let offsetDelta = 0; offsetDelta < count; offsetDelta++) {
    cursor.next()
    const contentBytes = cursor.at - cursor.contentAt
    const size = 1 + sizeOfVarlong(cursor.timestampDelta) + sizeOfVarint(offsetDelta) + contentBytes
    at = writeVarint(renumbered, at, size)
    renumbered[at++] = records[cursor.fieldsAt]! // attributes
    at = writeVarlong(renumbered, at, cursor.timestampDelta)
    at = writeVarint(renumbered, at, offsetDelta)
    renumbered.set(records.subarray(cursor.contentAt, cursor.at), at)
    at += contentBytes
  }
  return renumbered.subarray(0, at)
}
