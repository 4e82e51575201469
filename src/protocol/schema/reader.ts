// Reads the primitive forms of the wire from one frame. Every read is checked against `end` first; nothing is copied
// but strings. Bytes are put together by hand: no DataView per frame, and the optimizer inlines all of it.

import { encodeUuid } from '../../lib/uuid.ts'
import { DecodeError } from './errors.ts'

/** Kafka refuses longer strings in both directions, also where the length is a varint. */
export const STRING_BYTES_MAX = 0x7fff

/**
 * Elements of all arrays in one frame. An element of three bytes becomes an object of a hundred, so the size of a frame
 * alone does not bound the memory it takes; this does, at some 200 MB. Kafka has no such bound.
 */
export const ELEMENTS_MAX = 2_000_000

const TWO_32 = 0x1_0000_0000
const SAFE_HIGH_MAX = 0x1f_ffff

/**
 * The same names come with every request: topics, groups, clients. Finding a short one here costs less than making it
 * again, and the string found is the one that maps have already hashed. A power of two, so bounded at 32 KiB of text.
 */
const RECENT_STRINGS = 1024
const RECENT_BYTES_MAX = 32
const recentStrings: string[] = Array.from({ length: RECENT_STRINGS }, () => '')

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class WireReader {
  readonly bytes: Buffer
  position: number
  /** One past the last byte that may be read: of the frame, or of the tagged field being read. */
  end: number
  #elements = 0

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.position = position
    this.end = bytes.length
  }

  fail(reason: string): never {
    throw new DecodeError(reason, this.position)
  }

  /** Moves past `size` bytes and returns where they begin. */
  take(size: number): number {
    const at = this.position
    if (size > this.end - at) this.fail(`${size} bytes expected, ${this.end - at} left`)
    this.position = at + size
    return at
  }

  int8(): number {
    return (this.bytes[this.take(1)]! << 24) >> 24
  }

  uint8(): number {
    return this.bytes[this.take(1)]!
  }

  int16(): number {
    const at = this.take(2)
    return (((this.bytes[at]! << 8) | this.bytes[at + 1]!) << 16) >> 16
  }

  uint16(): number {
    const at = this.take(2)
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  int32(): number {
    const at = this.take(4)
    const bytes = this.bytes
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** Exact or an error: beyond 2^53 a number would lie. */
  int64(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    if (high > SAFE_HIGH_MAX || high < -SAFE_HIGH_MAX - 1 || (high === -SAFE_HIGH_MAX - 1 && low === 0)) {
      this.position -= 8
      this.fail('int64 beyond 2^53')
    }
    return high * TWO_32 + low
  }

  bigint64(): bigint {
    return this.bytes.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.take(8))
  }

  uuid(): string {
    return encodeUuid(this.bytes, this.take(16))
  }

  /** Base-128, least significant group first, 32 bits. */
  uvarint(): number {
    const first = this.bytes[this.take(1)]!
    return first < 0x80 ? first : this.#longUvarint(first & 0x7f)
  }

  #longUvarint(first: number): number {
    let value = first
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)]!
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.fail('varint of more than 32 bits')
  }

  /** UTF-8, refused when malformed. `size` must not be negative. */
  string(size: number): string {
    if (size > STRING_BYTES_MAX) this.fail(`string of ${size} bytes`)
    const from = this.take(size)
    return size > RECENT_BYTES_MAX ? this.#longString(from, from + size) : this.#shortString(from, from + size)
  }

  #longString(from: number, to: number): string {
    const bytes = this.bytes
    for (let at = from; at < to; at++) {
      if (bytes[at]! >= 0x80) return this.#decodeUtf8(from, to)
    }
    return bytes.toString('latin1', from, to)
  }

  #shortString(from: number, to: number): string {
    const bytes = this.bytes
    let hash = to - from
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!
      if (byte >= 0x80) return this.#decodeUtf8(from, to)
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    const slot = (hash ^ (hash >>> 15)) & (RECENT_STRINGS - 1)
    const recent = recentStrings[slot]!
    if (recent.length === to - from && isAt(recent, bytes, from)) return recent
    return (recentStrings[slot] = bytes.toString('latin1', from, to))
  }

  #decodeUtf8(from: number, to: number): string {
    try {
      return utf8.decode(this.bytes.subarray(from, to))
    } catch {
      throw new DecodeError('string is not UTF-8', from)
    }
  }

  /** A view of the frame, not a copy. `size` must not be negative. */
  view(size: number): Uint8Array {
    const from = this.take(size)
    return this.bytes.subarray(from, from + size)
  }

  /** Refuses a count that the rest of the bytes cannot hold, or that is too much, before anything is allocated for it. */
  checkCount(count: number, elementBytesMin: number): void {
    const left = this.end - this.position
    this.#elements += count
    if (this.#elements > ELEMENTS_MAX) this.fail(`more than ${ELEMENTS_MAX} elements`)
    if (count * (elementBytesMin > 0 ? elementBytesMin : 1) > left) this.fail(`${count} elements in ${left} bytes`)
  }

  /** Reads the number and size of a tagged field, narrows `end` to it, and returns the number. Tags must rise. */
  beginTag(previous: number): number {
    const tag = this.uvarint()
    if (tag <= previous) this.fail(`tag ${tag} after tag ${previous}`)
    const size = this.uvarint()
    if (size > this.end - this.position) this.fail(`tag ${tag} of ${size} bytes, ${this.end - this.position} left`)
    this.end = this.position + size
    return tag
  }

  /** Ends a tagged field that has been read: it must have used its bytes. */
  endTag(outerEnd: number): void {
    if (this.position !== this.end) this.fail(`${this.end - this.position} bytes left over in a tagged field`)
    this.end = outerEnd
  }

  skipTag(): void {
    this.position = this.end
  }

  finish(): void {
    if (this.position !== this.end) this.fail(`${this.end - this.position} bytes left over`)
  }
}

/** Whether the bytes from `from` on are `text`, which is ASCII. */
function isAt(text: string, bytes: Buffer, from: number): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) !== bytes[from + index]) return false
  return true
}
