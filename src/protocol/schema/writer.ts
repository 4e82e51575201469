// Writes the primitive forms of the wire. What is small goes into a slab that many frames share; what is large is kept
// by reference, so a frame comes out as a list of chunks for one writev. A slab is never written twice: when it is
// full a new one takes its place, and the old one lives as long as the frames cut from it.

import { writeUuid } from '../../lib/uuid.ts'
import { EncodeError } from './errors.ts'
import { STRING_BYTES_MAX } from './reader.ts'

const SLAB_BYTES = 64 * 1024
/** Up to this size copying costs less than one more chunk. */
const COPIED_BYTES_MAX = 1024
/** Up to this length a loop in JavaScript beats the call into native code. */
const LOOPED_CHARACTERS_MAX = 48

const TWO_32 = 0x1_0000_0000

interface Reference {
  at: number
  readonly bytes: Uint8Array
}

export class WireWriter {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #start = 0
  #position = 0
  #references: Reference[] = []
  #referencedBytes = 0

  #reserve(size: number): number {
    const at = this.#position
    if (at + size > this.#slab.length) return this.#grow(size)
    this.#position = at + size
    return at
  }

  #grow(size: number): number {
    const used = this.#position - this.#start
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (used + size)))
    this.#slab.copy(slab, 0, this.#start, this.#position)
    for (const reference of this.#references) reference.at -= this.#start
    this.#slab = slab
    this.#start = 0
    this.#position = used + size
    return used
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw new EncodeError(`${value} is not an int8`)
    const at = this.#reserve(1)
    this.#slab[at] = value
  }

  bool(value: boolean): void {
    const at = this.#reserve(1)
    this.#slab[at] = value ? 1 : 0
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw new EncodeError(`${value} is not an int16`)
    const at = this.#reserve(2)
    this.#slab[at] = value >> 8
    this.#slab[at + 1] = value
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw new EncodeError(`${value} is not a uint16`)
    const at = this.#reserve(2)
    this.#slab[at] = value >> 8
    this.#slab[at + 1] = value
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw new EncodeError(`${value} is not an int32`)
    this.#put32(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw new EncodeError(`${value} is not a uint32`)
    this.#put32(value)
  }

  #put32(value: number): void {
    const at = this.#reserve(4)
    const slab = this.#slab
    slab[at] = value >> 24
    slab[at + 1] = value >> 16
    slab[at + 2] = value >> 8
    slab[at + 3] = value
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new EncodeError(`${value} is not an integer within 2^53`)
    this.#put32(Math.floor(value / TWO_32))
    this.#put32(value >>> 0)
  }

  bigint64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new EncodeError(`${value} is not an int64`)
    const at = this.#reserve(8)
    this.#slab.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#slab.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.#reserve(16)
    if (!writeUuid(value, this.#slab, at)) throw new EncodeError(`${JSON.stringify(value)} is not a uuid`)
  }

  /** `value` must be an integer within [0, 2^32). */
  uvarint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      const at = this.#reserve(1)
      this.#slab[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.#reserve(1)
    this.#slab[at] = rest
  }

  /** Length and UTF-8; the length is a varint one too high when `compact`, else an int16. */
  string(value: string, compact: boolean): void {
    const length = value.length
    if (length > LOOPED_CHARACTERS_MAX) return this.#longString(value, compact)
    const before = this.#position - this.#start
    if (compact) this.uvarint(length + 1)
    else this.int16(length)
    let at = this.#reserve(length)
    const slab = this.#slab
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code >= 0x80) {
        this.#position = this.#start + before
        return this.#longString(value, compact)
      }
      slab[at++] = code
    }
  }

  #longString(value: string, compact: boolean): void {
    const size = Buffer.byteLength(value)
    if (size > STRING_BYTES_MAX) throw new EncodeError(`string of ${size} bytes`)
    if (compact) this.uvarint(size + 1)
    else this.int16(size)
    const at = this.#reserve(size)
    this.#slab.write(value, at, size, 'utf8')
  }

  /** The bytes without their length. More than 1 KiB is not copied: the caller must not change it until it is sent. */
  raw(bytes: Uint8Array): void {
    const size = bytes.length
    if (size > COPIED_BYTES_MAX) {
      this.#references.push({ at: this.#position, bytes })
      this.#referencedBytes += size
      return
    }
    const at = this.#reserve(size)
    this.#slab.set(bytes, at)
  }

  /** Opens a tagged field whose size is not known yet. Returns the mark `endTag` needs. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    return this.#reserve(1) - this.#start
  }

  /** Fills in the size of the tagged field opened at `mark`, moving its content when the size needs more than a byte. */
  endTag(mark: number): void {
    const from = mark + 1
    let size = this.#position - this.#start - from
    for (const reference of this.#references) if (reference.at - this.#start >= from) size += reference.bytes.length
    const extra = uvarintBytes(size) - 1
    if (extra > 0) {
      this.#reserve(extra)
      const end = this.#position
      this.#slab.copyWithin(this.#start + from + extra, this.#start + from, end - extra)
      for (const reference of this.#references) if (reference.at - this.#start >= from) reference.at += extra
      this.#position = this.#start + mark
      this.uvarint(size)
      this.#position = end
    } else {
      this.#slab[this.#start + mark] = size
    }
  }

  /** Starts a message. One at a time: encoding is synchronous. */
  begin(): void {
    this.#start = this.#position
    if (this.#references.length > 0) this.#references = []
    this.#referencedBytes = 0
  }

  /** Starts a message that a 4-byte size goes before; `endFrame` fills it in. */
  beginFrame(): void {
    this.begin()
    this.#reserve(4)
  }

  endFrame(): Uint8Array[] {
    const size = this.#position - this.#start - 4 + this.#referencedBytes
    if (size > 0x7fff_ffff) throw new EncodeError(`frame of ${size} bytes`)
    this.#slab.writeInt32BE(size, this.#start)
    return this.end()
  }

  /** The message as chunks, in order: views of the slab and what was kept by reference. */
  end(): Uint8Array[] {
    const chunks: Uint8Array[] = []
    let from = this.#start
    for (const { at, bytes } of this.#references) {
      if (at > from) chunks.push(this.#slab.subarray(from, at))
      chunks.push(bytes)
      from = at
    }
    if (this.#position > from) chunks.push(this.#slab.subarray(from, this.#position))
    this.begin()
    return chunks
  }

  /** The message as one copy of its own, for what outlives the moment. */
  endAsCopy(): Uint8Array {
    const chunks = this.end()
    return Buffer.concat(chunks)
  }

  /** Forgets the message begun, after an error. */
  abandon(): void {
    this.#position = this.#start
    this.begin()
  }
}

function uvarintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}
