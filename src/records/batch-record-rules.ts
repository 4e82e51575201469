// The checks of a produced batch that need its records: numbers 18 and 19 of a produce request (LogValidator.validateRecord).
// One pass, no object per record: quickly over those that are as most are; messages are only made for records that are refused.

import {
  baseTimestampOf,
  maxTimestampOf,
  noTimestamp,
  recordsCountOf,
  type TimestampType,
  timestampTypeOf,
} from './batch.ts'
import { type RecordError, type RefusedBatch, refuse } from './batch-refusal.ts'
import { nonePassed, type PlainBounds, passPlainRecords } from './plain-records.ts'
import { RecordCursor, RecordFormatError } from './record-cursor.ts'

export interface RecordRules {
  /** The topic is compacted: every record needs a key. */
  readonly compacted: boolean
  readonly timestampType: TimestampType
  /** Milliseconds since the epoch. */
  readonly now: number
  /** `message.timestamp.before.max.ms` and `after`: how far from now a CreateTime may be. `Infinity` for no limit. */
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
}

/** What one pass over well-formed, allowed records found out. */
export interface PassedRecords {
  readonly ok: true
  /** The greatest record timestamp; -1 if no record has one. */
  readonly maxTimestamp: number
  /** Whether offset deltas are 0, 1, 2... */
  readonly offsetsConsecutive: boolean
}

/**
 * Checks the records in `[from, unpacked.length)`: the declared count, no more and no less. A record that is not well formed ends
 * the pass; records that break the topic's rules are all named. A batch that claims append times is refused where they are the
 * broker's to give; elsewhere each record has the time it claims, as in Kafka, if it claims one.
 */
export function checkRecords(
  batch: Uint8Array,
  unpacked: Uint8Array,
  from: number,
  rules: RecordRules,
): PassedRecords | RefusedBatch {
  const count = recordsCountOf(batch)
  const appendTime = timestampTypeOf(batch) === 'LogAppendTime' ? maxTimestampOf(batch) : undefined
  const baseTimestamp = baseTimestampOf(batch)
  const isBounded = rules.timestampType === 'CreateTime'
  const earliest = isBounded ? rules.now - rules.timestampBeforeMaxMs : -Infinity
  const latest = isBounded ? rules.now + rules.timestampAfterMaxMs : Infinity
  // Where no time within the bounds can be refused.
  const isPlain = appendTime === undefined && Math.abs(baseTimestamp) < Number.MAX_SAFE_INTEGER / 2
  const bounds: PlainBounds = {
    timestampDeltaMin: isPlain ? earliest - baseTimestamp : Infinity,
    timestampDeltaMax: latest - baseTimestamp,
    keyNeeded: rules.compacted,
  }
  const cursor = new RecordCursor(unpacked, from)
  const passed = nonePassed()
  let maxTimestamp = noTimestamp
  let hasBadTimestamp = false
  let errors: RecordError[] | undefined

  for (; ; passed.count++) {
    passPlainRecords(cursor, count, bounds, passed)
    const index = passed.count
    if (index >= count) break
    const malformed = whyMalformed(cursor)
    if (malformed !== null) return refuse('invalidRecord', `record ${index} is not well formed: ${malformed}`)
    if (cursor.offsetDelta !== index) passed.offsetsConsecutive = false
    const timestamp = appendTime ?? baseTimestamp + cursor.timestampDelta
    if (rules.compacted && cursor.keyLength < 0) {
      errors ??= []
      errors.push({ index, message: 'a compacted topic takes no record without a key' })
    } else if (appendTime !== undefined && (!isBounded || timestamp === noTimestamp)) {
      hasBadTimestamp = true
      errors ??= []
      errors.push({ index, message: 'a producer may not claim that its timestamps are append times' })
    } else if (
      timestamp !== noTimestamp &&
      (timestamp < earliest || timestamp > latest || !Number.isSafeInteger(timestamp))
    ) {
      hasBadTimestamp = true
      errors ??= []
      errors.push({ index, message: `timestamp ${timestamp} is outside [${earliest}, ${latest}]` })
    } else if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp
    }
  }
  if (cursor.at !== cursor.end) {
    return refuse('invalidRecord', `${cursor.end - cursor.at} bytes left over after ${count} records`)
  }
  if (errors !== undefined) {
    return hasBadTimestamp
      ? refuse('invalidTimestamp', 'one or more records have a timestamp outside of the bounds', errors)
      : refuse('invalidRecord', `one or more records were refused: ${errors[0]!.message}`, errors)
  }
  return {
    ok: true,
    maxTimestamp: Math.max(maxTimestamp, baseTimestamp + passed.timestampDeltaMax),
    offsetsConsecutive: passed.offsetsConsecutive,
  }
}

/** Moves over one record; null when it is well formed. */
function whyMalformed(cursor: RecordCursor): string | null {
  try {
    cursor.next()
    return null
  } catch (error) {
    if (!(error instanceof RecordFormatError)) throw error
    return error.message
  }
}
