// Base-128 numbers: least significant group first, the high bit of a byte says that more follow. Lengths and tags of the protocol
// are unsigned; fields of a record are zig-zag (0, -1, 1, -2 are 0, 1, 2, 3). Reading moves a cursor and allocates nothing.
// As Kafka's ByteUtils: at most 5 bytes for 32 bits and 10 for 64; bits beyond the width are dropped.

/** A place in bytes. Reads move `at` and never touch `end` or what lies beyond it. */
export interface ByteCursor {
  bytes: Uint8Array
  at: number
  end: number
}

/** The bytes at the cursor are not a variable-length number: they end too early or never end. */
export class VarintError extends Error {
  override readonly name = 'VarintError'
}

/** Reads an unsigned 32-bit number. Throws `VarintError`. */
export function readUnsignedVarint(cursor: ByteCursor): number {
  const { bytes, at, end } = cursor
  // Most numbers in records and messages take one byte, and most others two.
  if (at < end) {
    const first = bytes[at]!
    if (first < 0x80) {
      cursor.at = at + 1
      return first
    }
    if (at + 1 < end && bytes[at + 1]! < 0x80) {
      cursor.at = at + 2
      return (bytes[at + 1]! << 7) | (first & 0x7f)
    }
  }
  return readLongUnsignedVarint(cursor)
}

/** Reads a zig-zag signed 32-bit number. Throws `VarintError`. */
export function readVarint(cursor: ByteCursor): number {
  const value = readUnsignedVarint(cursor)
  return (value >>> 1) ^ -(value & 1)
}

/** Reads a zig-zag signed 64-bit number; exact to 2^53, beyond that rounded to the nearest double. Throws `VarintError`. */
export function readVarlong(cursor: ByteCursor): number {
  const { bytes, end } = cursor
  let at = cursor.at
  if (at < end && bytes[at]! < 0x80) {
    const value = bytes[at]!
    cursor.at = at + 1
    return (value >>> 1) ^ -(value & 1)
  }
  // Three parts of 28, 28 and 8 bits, so that everything stays a small integer until the end.
  let low = 0
  let middle = 0
  let high = 0
  for (let group = 0; group < 10; group++) {
    if (at >= end) throw truncated()
    const byte = bytes[at++]!
    const bits = byte & 0x7f
    if (group < 4) low |= bits << (7 * group)
    else if (group < 8) middle |= bits << (7 * (group - 4))
    else high |= (bits << (7 * (group - 8))) & 0xff
    if (byte < 0x80) {
      cursor.at = at
      const half = high * 2 ** 55 + middle * 2 ** 27 + (low >>> 1)
      return (low & 1) === 0 ? half : -half - 1
    }
  }
  throw new VarintError('a variable-length number of 64 bits is longer than 10 bytes')
}

/** Writes an unsigned 32-bit number and returns the position after it. The caller has made room: `sizeOfUnsignedVarint`. */
export function writeUnsignedVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** Writes a signed 32-bit number as zig-zag and returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  return writeUnsignedVarint(bytes, at, (value << 1) ^ (value >> 31))
}

/** Writes a safe integer as a zig-zag 64-bit number and returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, at, value)
  // The zig-zag value is up to 2^54: split it before doubling, where doubles are still exact.
  const half = value < 0 ? -value - 1 : value
  let low = (half % 2 ** 27) * 2 + (value < 0 ? 1 : 0)
  let high = Math.floor(half / 2 ** 27)
  for (let group = 0; group < 4; group++) {
    if (high === 0 && low <= 0x7f) break
    bytes[at++] = (low & 0x7f) | 0x80
    low >>>= 7
  }
  if (high === 0) {
    bytes[at++] = low
    return at
  }
  while (high > 0x7f) {
    bytes[at++] = (high & 0x7f) | 0x80
    high >>>= 7
  }
  bytes[at++] = high
  return at
}

/** Bytes that `writeUnsignedVarint` takes: 1 to 5. */
export function sizeOfUnsignedVarint(value: number): number {
  const bits = 32 - Math.clz32(value)
  return bits === 0 ? 1 : Math.ceil(bits / 7)
}

/** Bytes that `writeVarint` takes: 1 to 5. */
export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint((value << 1) ^ (value >> 31))
}

/** Bytes that `writeVarlong` takes for a safe integer: 1 to 8. */
export function sizeOfVarlong(value: number): number {
  let half = value < 0 ? -value - 1 : value
  let size = 1
  for (half = Math.floor(half / 64); half > 0; half = Math.floor(half / 128)) size++
  return size
}

function readLongUnsignedVarint(cursor: ByteCursor): number {
  const { bytes, end } = cursor
  let at = cursor.at
  let value = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    if (at >= end) throw truncated()
    const byte = bytes[at++]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.at = at
      return value >>> 0
    }
  }
  throw new VarintError('a variable-length number of 32 bits is longer than 5 bytes')
}

function truncated(): VarintError {
  return new VarintError('a variable-length number ends too early')
}
