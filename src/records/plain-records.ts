// The quick way over records that are as most are: numbers in local variables, and no call for each record.

import type { RecordCursor } from './record-cursor.ts'

/** A number as `shortNumber` reads it: how many bytes it takes, above this many bits of itself. */
const numberBits = 28
const numberMask = 2 ** numberBits - 1
const oneByte = 2 ** numberBits
/** Takes no bytes; as a length it is odd, so negative, and not that of null. */
const tooLong = 3

/** Length, attributes, two deltas and the key's length, each number at its longest. */
const headBytes = 4 + 1 + 4 + 4 + 4
/** The value's length, and the count of headers. */
const tailBytes = 4 + 1

/** Which records pass. Deltas of timestamps are never beyond 2^28. */
export interface PlainBounds {
  readonly timestampDeltaMin: number
  readonly timestampDeltaMax: number
  readonly keyNeeded: boolean
}

/** What is known of the records passed so far. */
export interface PassedSoFar {
  count: number
  /** -Infinity while there are none. */
  timestampDeltaMax: number
  /** Whether offset deltas are 0, 1, 2... */
  offsetsConsecutive: boolean
}

export function nonePassed(): PassedSoFar {
  return { count: 0, timestampDeltaMax: -Infinity, offsetsConsecutive: true }
}

/**
 * Moves `cursor` over records, until `passed` has `countMax` of them, or the next one is out of bounds or not as most are: well formed, no
 * headers, no number of more than four bytes. Only `RecordCursor.next` knows what else is a record. Of the cursor it sets only the place.
 */
export function passPlainRecords(
  cursor: RecordCursor,
  countMax: number,
  { timestampDeltaMin, timestampDeltaMax, keyNeeded }: PlainBounds,
  passed: PassedSoFar,
): void {
  const { bytes, end } = cursor
  let { at } = cursor
  let { count, offsetsConsecutive } = passed
  // All that passes is later.
  let latest = -oneByte
  // No number is read from behind `end`; and all lie in the record, when it ends in a count of headers where its length says.
  while (count < countMax && at + headBytes <= end) {
    const length = shortNumber(bytes, at)
    let field = at + (length >>> numberBits)
    const recordEnd = field + ((length & numberMask) >>> 1)
    field += 1 // attributes: unused
    const timestamp = shortNumber(bytes, field)
    field += timestamp >>> numberBits
    const offset = shortNumber(bytes, field)
    field += offset >>> numberBits
    const key = shortNumber(bytes, field)
    const keyLength = key & numberMask
    field += key >>> numberBits
    if ((keyLength & 1) === 0) field += keyLength >>> 1
    else if (keyNeeded || keyLength !== 1) break
    if (field + tailBytes > end) break
    const value = shortNumber(bytes, field)
    const valueLength = value & numberMask
    field += value >>> numberBits
    if ((valueLength & 1) === 0) field += valueLength >>> 1
    else if (valueLength !== 1) break
    if ((length & 1) !== 0 || recordEnd > end || field + 1 !== recordEnd || bytes[field] !== 0) break
    if (timestamp === tooLong || offset === tooLong) break
    const zigzag = timestamp & numberMask
    const timestampDelta = (zigzag >>> 1) ^ -(zigzag & 1)
    if (timestampDelta < timestampDeltaMin || timestampDelta > timestampDeltaMax) break
    if (timestampDelta > latest) latest = timestampDelta
    if ((offset & numberMask) !== count << 1) offsetsConsecutive = false
    at = recordEnd
    count += 1
  }
  if (at === cursor.at) return
  cursor.at = at
  passed.count = count
  passed.timestampDeltaMax = Math.max(latest, passed.timestampDeltaMax)
  passed.offsetsConsecutive = offsetsConsecutive
}

/** Still zig-zag; `tooLong` for more than four bytes. Looks at no end. */
function shortNumber(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return oneByte | first
  const second = bytes[at + 1]!
  let value = (first & 0x7f) | ((second & 0x7f) << 7)
  if (second < 0x80) return (2 * oneByte) | value
  const third = bytes[at + 2]!
  value |= (third & 0x7f) << 14
  if (third < 0x80) return (3 * oneByte) | value
  const fourth = bytes[at + 3]!
  return fourth < 0x80 ? (4 * oneByte) | value | (fourth << 21) : tooLong
}
