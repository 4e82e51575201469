// Walks the records of a batch in place: one cursor, no object per record. It checks that each record is well formed
// (DefaultRecord): every length within the record, nothing left over, no header without a key.

import { type ByteCursor, readVarint, readVarlong, VarintError } from '../lib/varint.ts'

/** The bytes of a batch's records do not follow the record format. */
export class RecordFormatError extends Error {
  override readonly name = 'RecordFormatError'
}

/** A place among records. After `next`, its fields tell of the record just passed; lengths are -1 for null. */
export class RecordCursor implements ByteCursor {
  bytes: Uint8Array
  at: number
  end: number

  /** The record, its length field included, is `[recordAt, at)`. */
  recordAt = 0
  /** Where the record's own fields start, behind the length field. */
  fieldsAt = 0
  timestampDelta = 0
  offsetDelta = 0
  /** Where key length and everything after it start: what renumbering a record leaves alone. */
  contentAt = 0
  keyAt = 0
  keyLength = 0
  valueAt = 0
  valueLength = 0
  headersAt = 0
  headersCount = 0

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes
    this.at = from
    this.end = to
  }

  /** Moves over one record. Throws `RecordFormatError`. */
  next(): void {
    const rangeEnd = this.end
    try {
      this.recordAt = this.at
      const length = readVarint(this)
      this.fieldsAt = this.at
      if (length < 0 || length > rangeEnd - this.at) {
        throw new RecordFormatError(`a record of ${length} bytes where ${rangeEnd - this.at} are left`)
      }
      this.end = this.at + length
      this.#readFields()
      if (this.at !== this.end) throw new RecordFormatError(`${this.end - this.at} bytes left over in a record`)
    } catch (error) {
      throw error instanceof VarintError ? new RecordFormatError(error.message, { cause: error }) : error
    } finally {
      this.end = rangeEnd
    }
  }

  #readFields(): void {
    this.at++ // attributes: unused. In an empty record this is one too far, which the next read finds.
    this.timestampDelta = readVarlong(this)
    this.offsetDelta = readVarint(this)
    this.contentAt = this.at
    this.keyLength = readVarint(this)
    this.keyAt = this.at
    this.#skip(this.keyLength)
    this.valueLength = readVarint(this)
    this.valueAt = this.at
    this.#skip(this.valueLength)
    const headersCount = readVarint(this)
    if (headersCount < 0) throw new RecordFormatError(`${headersCount} headers`)
    this.headersCount = headersCount
    this.headersAt = this.at
    for (let i = 0; i < headersCount; i++) {
      const keyLength = readVarint(this)
      if (keyLength < 0) throw new RecordFormatError('a header without a key')
      this.#skip(keyLength)
      this.#skip(readVarint(this))
    }
  }

  #skip(length: number): void {
    if (length < -1 || length > this.end - this.at) {
      throw new RecordFormatError(`a field of ${length} bytes where ${this.end - this.at} are left in the record`)
    }
    if (length > 0) this.at += length
  }
}
