// What compaction leaves of a batch: the records that are kept, with their offsets, in a batch of the same first and last offset,
// producer and sequence, so that neither readers nor producer state see a change (MemoryRecords.filterTo).

import {
  attributeBits,
  attributesOf,
  baseOffsetOf,
  baseTimestampOf,
  batchHeaderBytes,
  batchLayout,
  codecOf,
  hasDeleteHorizon,
  maxTimestampOf,
  noTimestamp,
  recordsCountOf,
  stampMaxTimestamp,
} from './batch.ts'
import { writeInt16, writeInt32, writeInt64 } from './big-endian.ts'
import { invariant } from '../lib/invariant.ts'
import { copyRecord, packBatch, recordGrowthBytesMax } from './rebuild-batch.ts'
import { frameOf, type ReadOptions, unpackedRecordsOf } from './record.ts'
import { RecordCursor, RecordFormatError } from './record-cursor.ts'

export interface FilterOptions extends ReadOptions {
  /**
   * Milliseconds: from then on the batch's tombstones and marker may go (KIP-534). Written only if the batch has no horizon yet; give
   * it for a batch that has reason for one.
   */
  readonly deleteHorizonMs?: number | undefined
  /** The same, for a batch that has reason for one only if a tombstone is among the records that are kept. */
  readonly tombstoneHorizonMs?: number | undefined
  /** On the scale of the batch's codec. */
  readonly compressionLevel?: number | undefined
}

export interface FilteredBatch {
  /** Records that are left. Of 0 the header remains: to be kept while a producer's last sequence hangs on it, else dropped. */
  readonly kept: number
  /** The very bytes that were given if nothing changed. */
  readonly bytes: Uint8Array
}

/** Asked once for each record, in order: the cursor has just passed it. */
export type KeepRecord = (record: Readonly<RecordCursor>, offset: number) => boolean

/** Keeps the records of a stored batch for which `keep` is true. Throws as `recordsOf` when the batch is damaged. */
export function filterBatch(batch: Uint8Array, keep: KeepRecord, options: FilterOptions = {}): FilteredBatch {
  const count = recordsCountOf(batch)
  if (count === 0) return { kept: 0, bytes: batch }
  const records = unpackedRecordsOf(batch, options.maxDecompressedBytes)
  const { keeps, kept, tombstones } = choose(batch, records, keep)
  const horizonMs = options.deleteHorizonMs ?? (tombstones ? options.tombstoneHorizonMs : undefined)
  const horizon = hasDeleteHorizon(batch) ? undefined : horizonMs
  if (kept === 0) return { kept, bytes: emptyBatch(batch) }
  if (kept === count && horizon === undefined) return { kept, bytes: batch }
  return { kept, bytes: rebuilt(batch, records, keeps, { kept, horizon, compressionLevel: options.compressionLevel }) }
}

/** Which records are kept, 1 for each, how many, and whether a tombstone is among them. */
function choose(batch: Uint8Array, records: Uint8Array, keep: KeepRecord) {
  const count = recordsCountOf(batch)
  if (count < 0 || count > records.length) throw new RecordFormatError(`${count} records in ${records.length} bytes`)
  const keeps = new Uint8Array(count)
  const baseOffset = baseOffsetOf(batch)
  const cursor = new RecordCursor(records)
  let kept = 0
  let tombstones = false
  for (let i = 0; i < count; i++) {
    cursor.next()
    if (!keep(cursor, baseOffset + cursor.offsetDelta)) continue
    keeps[i] = 1
    kept++
    if (cursor.valueLength < 0) tombstones = true
  }
  if (cursor.at !== cursor.end) {
    throw new RecordFormatError(`${cursor.end - cursor.at} bytes left over after ${count} records`)
  }
  return { keeps, kept, tombstones }
}

/** The batch with only the records that `keeps` says, at least one, and with the horizon if one is given. */
function rebuilt(
  batch: Uint8Array,
  records: Uint8Array,
  keeps: Uint8Array,
  {
    kept,
    horizon,
    compressionLevel,
  }: { kept: number; horizon?: number | undefined; compressionLevel?: number | undefined },
): Uint8Array {
  const rebase = horizon === undefined ? 0 : baseTimestampOf(batch) - horizon
  const { baseTimestamp, appendTime } = frameOf(batch)
  const cursor = new RecordCursor(records)
  const left = Buffer.allocUnsafe(records.length + (horizon === undefined ? 0 : kept * recordGrowthBytesMax))
  let size = 0
  let maxTimestamp = noTimestamp
  for (const keep of keeps) {
    cursor.next()
    if (keep === 0) continue
    maxTimestamp = Math.max(maxTimestamp, appendTime ?? baseTimestamp + cursor.timestampDelta)
    if (horizon === undefined) {
      left.set(cursor.bytes.subarray(cursor.recordAt, cursor.at), size)
      size += cursor.at - cursor.recordAt
    } else {
      const { timestampDelta, offsetDelta } = cursor
      size = copyRecord(cursor, left, size, { timestampDelta: timestampDelta + rebase, offsetDelta })
    }
  }
  const codec = codecOf(batch)
  invariant(codec !== undefined, 'a batch that was unpacked has a codec')
  const bytes = packBatch(batch, left.subarray(0, size), { codec, compressionLevel })
  writeInt32(bytes, batchLayout.recordsCount, kept)
  if (horizon !== undefined) {
    writeInt16(bytes, batchLayout.attributes, attributesOf(bytes) | attributeBits.deleteHorizon)
    writeInt64(bytes, batchLayout.baseTimestamp, horizon)
  }
  // In a LogAppendTime batch each record has the max timestamp, so this leaves it as it is; the checksum is renewed either way.
  stampMaxTimestamp(bytes, 0, maxTimestamp)
  return bytes
}

/** A batch of no records with the header's offsets, producer and timestamps, and without a codec or horizon. */
export function emptyBatch(batch: Uint8Array): Uint8Array {
  const header = Buffer.from(batch.subarray(0, batchHeaderBytes))
  writeInt16(header, batchLayout.attributes, attributesOf(batch) & ~attributeBits.deleteHorizon)
  writeInt64(header, batchLayout.baseTimestamp, maxTimestampOf(batch)) // it may have held a horizon
  writeInt32(header, batchLayout.recordsCount, 0)
  return packBatch(header, new Uint8Array(0), { codec: 'none' })
}
