// Looks inside a batch whose checksum is right: are its records there, as many as it says, with offsets and timestamps that fit it?
// A broker leaves most compressed batches closed, so this can only fail for what a client wrote wrongly.

import {
  attributeBits,
  attributesOf,
  baseTimestampOf,
  lastOffsetDeltaOf,
  maxTimestampOf,
  recordsCountOf,
  timestampTypeOf,
} from '../../records/batch.ts'
import { DecompressionError } from '../../records/compression/decompression-error.ts'
import { RecordCursor, RecordFormatError } from '../../records/record-cursor.ts'
import { unpackedRecordsOf } from '../../records/record.ts'

export interface RecordProblem {
  /** Readers fail on it, or see a wrong record; else only lookups by time may miss one. */
  readonly severe: boolean
  readonly what: string
}

/** What is wrong with the records of one whole batch; null: nothing. */
export function recordProblemOf(batch: Uint8Array): RecordProblem | null {
  const count = recordsCountOf(batch)
  if (count === 0) return null // what compaction leaves of an emptied batch
  try {
    return problemIn(batch, new RecordCursor(unpackedRecordsOf(batch)), count)
  } catch (error) {
    if (!(error instanceof RecordFormatError) && !(error instanceof DecompressionError)) throw error
    return { severe: true, what: `its records cannot be read: ${error.message}` }
  }
}

function problemIn(batch: Uint8Array, cursor: RecordCursor, count: number): RecordProblem | null {
  const lastDelta = lastOffsetDeltaOf(batch)
  const baseTimestamp = baseTimestampOf(batch)
  const maxTimestamp = maxTimestampOf(batch)
  const hasOwnTimes = timestampTypeOf(batch) === 'CreateTime'
  let before = -1
  let late: RecordProblem | null = null
  for (let i = 0; i < count; i++) {
    cursor.next()
    const delta = cursor.offsetDelta
    if (delta <= before || delta > lastDelta) {
      return { severe: true, what: `record ${i} has offset delta ${delta}, after ${before} and up to ${lastDelta}` }
    }
    before = delta
    const timestamp = baseTimestamp + cursor.timestampDelta
    if (hasOwnTimes && timestamp > maxTimestamp) {
      late ??= {
        severe: false,
        what: `record ${i} has timestamp ${timestamp}, the batch claims at most ${maxTimestamp}`,
      }
    }
  }
  if (cursor.at !== cursor.end) {
    return { severe: true, what: `${cursor.end - cursor.at} bytes are left over after ${count} records` }
  }
  const isControl = (attributesOf(batch) & attributeBits.control) !== 0
  return isControl ? null : late
}
