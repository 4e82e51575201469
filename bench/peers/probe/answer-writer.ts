// Answers are written field by field into memory that stays, and leave as one copy of just their size.

import { writeInt16, writeInt32, writeInt64 } from '../../../src/records/big-endian.ts'

const firstBytes = 64 * 1024

export class AnswerWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes)
  #end = 0

  get end(): number {
    return this.#end
  }

  /** To be called before so many bytes are written. */
  reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#end + count))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }

  int8(value: number): void {
    this.#bytes[this.#end] = value
    this.#end += 1
  }

  int16(value: number): void {
    writeInt16(this.#bytes, this.#end, value)
    this.#end += 2
  }

  int32(value: number): void {
    writeInt32(this.#bytes, this.#end, value)
    this.#end += 4
  }

  int64(value: number): void {
    writeInt64(this.#bytes, this.#end, value)
    this.#end += 8
  }

  copy(bytes: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end; at++) this.#bytes[this.#end++] = bytes[at]!
  }

  /** Overwrites what stands at `place`. */
  int32At(place: number, value: number): void {
    writeInt32(this.#bytes, place, value)
  }

  /** Forgets what was written from there on. */
  dropTo(place: number): void {
    this.#end = place
  }

  /** What was written since the last time. */
  take(): Uint8Array {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#end))
    this.#end = 0
    return taken
  }
}
