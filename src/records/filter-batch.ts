// What compaction leaves of a batch: the records that are kept, with their offsets, in a batch of the same first and last offset,
// producer and sequence, so that neither readers nor producer state see a change (MemoryRecords.filterTo).

import {
  attributeBits,
  attributesOf,
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
import { frameOf, type LogRecord, type ReadOptions, recordAt, unpackedRecordsOf } from './record.ts'
import { RecordCursor } from './record-cursor.ts'

export interface FilterOptions extends ReadOptions {
  /**
   * Milliseconds: from then on the batch's tombstones and marker may go (KIP-534). Written only if the batch has no horizon yet; give
   * it for a batch that has reason for one.
   */
  readonly deleteHorizonMs?: number | undefined
  /** On the scale of the batch's codec. */
  readonly compressionLevel?: number | undefined
}

export interface FilteredBatch {
  /** Records that are left. Of 0 the header remains: to be kept while a producer's last sequence hangs on it, else dropped. */
  readonly kept: number
  /** The very bytes that were given if nothing changed. */
  readonly bytes: Uint8Array
}

/** Keeps the records of a stored batch for which `keep` is true. Throws as `recordsOf` when the batch is damaged. */
export function filterBatch(
  batch: Uint8Array,
  keep: (record: LogRecord) => boolean,
  options: FilterOptions = {},
): FilteredBatch {
  const count = recordsCountOf(batch)
  if (count === 0) return { kept: 0, bytes: batch }
  const horizon = hasDeleteHorizon(batch) ? undefined : options.deleteHorizonMs
  const rebase = horizon === undefined ? 0 : baseTimestampOf(batch) - horizon
  const frame = frameOf(batch)
  const cursor = new RecordCursor(unpackedRecordsOf(batch, options.maxDecompressedBytes))
  const left = Buffer.allocUnsafe(cursor.end + (horizon === undefined ? 0 : count * recordGrowthBytesMax))
  let size = 0
  let kept = 0
  let maxTimestamp = noTimestamp
  for (let i = 0; i < count; i++) {
    cursor.next()
    const record = recordAt(cursor, frame)
    if (!keep(record)) continue
    kept++
    maxTimestamp = Math.max(maxTimestamp, record.timestamp)
    if (horizon === undefined) {
      left.set(cursor.bytes.subarray(cursor.recordAt, cursor.at), size)
      size += cursor.at - cursor.recordAt
    } else {
      const { timestampDelta, offsetDelta } = cursor
      size = copyRecord(cursor, left, size, { timestampDelta: timestampDelta + rebase, offsetDelta })
    }
  }
  if (kept === count && horizon === undefined) return { kept, bytes: batch }
  if (kept === 0) return { kept, bytes: emptied(batch) }

  const codec = codecOf(batch)
  invariant(codec !== undefined, 'a batch that was unpacked has a codec')
  const bytes = packBatch(batch, left.subarray(0, size), { codec, compressionLevel: options.compressionLevel })
  writeInt32(bytes, batchLayout.recordsCount, kept)
  if (horizon !== undefined) {
    writeInt16(bytes, batchLayout.attributes, attributesOf(bytes) | attributeBits.deleteHorizon)
    writeInt64(bytes, batchLayout.baseTimestamp, horizon)
  }
  // In a LogAppendTime batch each record has the max timestamp, so this leaves it as it is; the checksum is renewed either way.
  stampMaxTimestamp(bytes, 0, maxTimestamp)
  return { kept, bytes }
}

/** A batch of no records with the header's offsets, producer and timestamps, and without a codec or horizon. */
function emptied(batch: Uint8Array): Uint8Array {
  const header = Buffer.from(batch.subarray(0, batchHeaderBytes))
  writeInt16(header, batchLayout.attributes, attributesOf(batch) & ~attributeBits.deleteHorizon)
  writeInt64(header, batchLayout.baseTimestamp, maxTimestampOf(batch)) // it may have held a horizon
  writeInt32(header, batchLayout.recordsCount, 0)
  return packBatch(header, new Uint8Array(0), { codec: 'none' })
}
