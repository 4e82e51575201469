// Reads Fetch responses as they come, piece by piece: the fields before the records and the header of each batch are looked at, what lies
// between is skipped, and nothing is copied but a header that two reads share. The layout is that of version 11.

import { baseOffsetOf, batchHeaderBytes, lastOffsetOf, recordsCountOf, sizeInBytesOf } from '../../src/records/batch.ts'
import { readInt16, readInt32 } from '../../src/records/big-endian.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'

export interface FetchHandler {
  /** A whole batch has come. What a broker cuts off at the end of its answer is none. */
  onBatch(partition: number, baseOffset: number, lastOffset: number, records: number, bytes: number): void
  /** A whole response has come. */
  onResponse(): void
}

/** Size, correlation id, throttle time, error, session id, number of topics. */
const headBytes = 4 + 4 + 4 + 2 + 4 + 4
const headErrorPlace = 12
const headTopicsPlace = 18
const nameLengthBytes = 2
const partitionsCountBytes = 4
/** Index, error, high watermark, last stable offset, log start offset, number of aborted transactions. */
const partitionBytes = 4 + 2 + 8 + 8 + 8 + 4
const partitionErrorPlace = 4
const abortedPlace = 30
const abortedTransactionBytes = 16
/** Preferred read replica, size of the records. */
const recordsHeadBytes = 4 + 4

/** What the next bytes are. */
type Part =
  | 'head'
  | 'nameLength'
  | 'partitionsCount'
  | 'partition'
  | 'recordsHead'
  | 'batchHeader'
  | 'batchEnd'
  | 'responseEnd'

export class FetchScanner {
  readonly #handler: FetchHandler
  readonly #kept = Buffer.allocUnsafeSlow(batchHeaderBytes)
  #keptBytes = 0
  #part: Part = 'head'
  /** Bytes that must be there in one piece before the part can be read. */
  #needed = headBytes
  /** Bytes of no interest before it. */
  #skipped = 0
  #topicsLeft = 0
  #partitionsLeft = 0
  #recordsBytesLeft = 0
  #partition = 0
  #baseOffset = 0
  #lastOffset = 0
  #records = 0
  #batchBytes = 0

  constructor(handler: FetchHandler) {
    this.#handler = handler
  }

  /** Throws with the error's name when the response, or a partition in it, has one. */
  receive(bytes: Uint8Array, end: number): void {
    let at = 0
    for (;;) {
      const skip = Math.min(this.#skipped, end - at)
      this.#skipped -= skip
      at += skip
      if (this.#skipped > 0) return
      if (this.#keptBytes === 0 && end - at >= this.#needed) {
        const from = at
        at += this.#needed
        this.#read(bytes, from)
      } else {
        const added = Math.min(this.#needed - this.#keptBytes, end - at)
        this.#kept.set(bytes.subarray(at, at + added), this.#keptBytes)
        this.#keptBytes += added
        at += added
        if (this.#keptBytes < this.#needed) return
        this.#keptBytes = 0
        this.#read(this.#kept, 0)
      }
    }
  }

  #next(part: Part, needed: number, skipped = 0): void {
    this.#part = part
    this.#needed = needed
    this.#skipped = skipped
  }

  #read(bytes: Uint8Array, at: number): void {
    switch (this.#part) {
      case 'head':
        throwIfError(readInt16(bytes, at + headErrorPlace), 'fetch')
        this.#topicsLeft = readInt32(bytes, at + headTopicsPlace)
        this.#afterTopic()
        return
      case 'nameLength':
        this.#next('partitionsCount', partitionsCountBytes, readInt16(bytes, at))
        return
      case 'partitionsCount':
        this.#partitionsLeft = readInt32(bytes, at)
        this.#afterPartition()
        return
      case 'partition': {
        this.#partition = readInt32(bytes, at)
        throwIfError(readInt16(bytes, at + partitionErrorPlace), `fetch from partition ${this.#partition}`)
        const aborted = Math.max(0, readInt32(bytes, at + abortedPlace))
        this.#next('recordsHead', recordsHeadBytes, aborted * abortedTransactionBytes)
        return
      }
      case 'recordsHead':
        this.#recordsBytesLeft = Math.max(0, readInt32(bytes, at + 4))
        this.#afterBatch()
        return
      case 'batchHeader':
        this.#readBatchHeader(bytes, at)
        return
      case 'batchEnd':
        this.#handler.onBatch(this.#partition, this.#baseOffset, this.#lastOffset, this.#records, this.#batchBytes)
        this.#afterBatch()
        return
      case 'responseEnd':
        this.#next('head', headBytes)
        this.#handler.onResponse()
    }
  }

  #readBatchHeader(bytes: Uint8Array, at: number): void {
    const batchBytes = sizeInBytesOf(bytes, at)
    if (batchBytes > this.#recordsBytesLeft) {
      this.#skipRecords(batchHeaderBytes)
      return
    }
    this.#baseOffset = baseOffsetOf(bytes, at)
    this.#lastOffset = lastOffsetOf(bytes, at)
    this.#records = recordsCountOf(bytes, at)
    this.#batchBytes = batchBytes
    this.#recordsBytesLeft -= batchBytes
    this.#next('batchEnd', 0, batchBytes - batchHeaderBytes)
  }

  #afterBatch(): void {
    if (this.#recordsBytesLeft >= batchHeaderBytes) this.#next('batchHeader', batchHeaderBytes)
    else this.#skipRecords(0)
  }

  /** What is left of the records, less what was read of it, is no whole batch. */
  #skipRecords(readBytes: number): void {
    const skipped = this.#recordsBytesLeft - readBytes
    this.#recordsBytesLeft = 0
    this.#partitionsLeft -= 1
    this.#afterPartition(skipped)
  }

  #afterPartition(skipped = 0): void {
    if (this.#partitionsLeft > 0) {
      this.#next('partition', partitionBytes, skipped)
      return
    }
    this.#topicsLeft -= 1
    this.#afterTopic(skipped)
  }

  #afterTopic(skipped = 0): void {
    if (this.#topicsLeft > 0) this.#next('nameLength', nameLengthBytes, skipped)
    else this.#next('responseEnd', 0, skipped)
  }
}

function throwIfError(code: number, what: string): void {
  if (code !== ErrorCode.NONE) throw new Error(`${what}: ${errorName(code)}`)
}
