// Holds a segment's .index and .timeindex against its batches, entry by entry, as the batches pass by: what Kafka's dump-log does with
// --index-sanity-check and more. Both sides are sorted, so nothing but the index file is kept.

import { readInt32 } from '../../records/big-endian.ts'
import { OffsetIndex } from '../offset-index.ts'
import type { Offset } from '../partition-log.ts'
import { TimeIndex } from '../time-index.ts'

/** Bytes of log between two entries by default; a batch that begins long after that has some before it. */
const indexIntervalBytes = 4096

export interface WrongEntry {
  /** Byte of the index file. */
  readonly position: number
  readonly offset: Offset
  readonly what: string
}

interface SegmentExtent {
  readonly baseOffset: Offset
  readonly sizeBytes: number
  /** Where the next segment begins. */
  readonly endOffset: Offset
}

/** An entry is the last offset of a batch and where that begins. Kafka before 4.0: of the last of the batches appended together. */
export class OffsetIndexCheck {
  wrong: WrongEntry | null = null
  readonly #bytes: Uint8Array
  readonly #index: OffsetIndex | null
  #next = 0
  /** Where the last batch began. */
  #position = 0
  /** Of the entry whose position was right: an offset that a later batch must end with. */
  #pending: Offset | null = null

  constructor(bytes: Uint8Array, segment: SegmentExtent) {
    this.#bytes = bytes
    this.#index = OffsetIndex.decode(bytes, segment.baseOffset, segment.sizeBytes, segment.endOffset)
    if (this.#index === null) {
      const { baseOffset } = segment
      this.wrong = { position: 0, offset: baseOffset, what: 'its entries do not rise, or lie outside the segment' }
    }
  }

  /** A good batch, in order. */
  batch(position: number, lastOffset: Offset): void {
    const index = this.#index
    if (index === null) return
    this.#position = position
    this.#settlePending(lastOffset)
    while (this.#next < index.count && this.#positionOf(this.#next) < position) {
      this.#report(this.#next++, `points at byte ${this.#positionOf(this.#next - 1)}, where no batch begins`)
    }
    if (this.#next === index.count || this.#positionOf(this.#next) !== position) return
    const offset = index.offsetAt(this.#next)
    if (offset < lastOffset) this.#report(this.#next, `gives a batch that ends with ${lastOffset} the offset ${offset}`)
    else if (offset > lastOffset) this.#pending = offset
    this.#next++
  }

  /** The segment has no more batches. */
  finish(): void {
    const index = this.#index
    if (index === null) return
    this.#settlePending(Infinity)
    if (this.#next < index.count) {
      this.#report(this.#next, `points at byte ${this.#positionOf(this.#next)}, where no batch begins`)
    }
    if (index.count === 0 && this.#position > 16 * indexIntervalBytes) {
      this.wrong ??= { position: 0, offset: index.baseOffset, what: 'it has no entries' }
    }
  }

  #settlePending(lastOffset: Offset): void {
    if (this.#pending === null || lastOffset < this.#pending) return
    if (lastOffset > this.#pending)
      this.#report(this.#next - 1, `has offset ${this.#pending}, with which no batch ends`)
    this.#pending = null
  }

  #positionOf(entry: number): number {
    return readInt32(this.#bytes, 8 * entry + 4)
  }

  #report(entry: number, what: string): void {
    this.wrong ??= { position: 8 * entry, offset: this.#index!.offsetAt(entry), what: `entry ${entry} ${what}` }
  }
}

/** An entry is the greatest timestamp so far and an offset of the batch that has it; the last one tells for the whole segment. */
export class TimeIndexCheck {
  wrong: WrongEntry | null = null
  readonly #index: TimeIndex | null
  readonly #sizeBytes: number
  #next = 0
  #greatest = -1

  constructor(bytes: Uint8Array, segment: SegmentExtent) {
    this.#sizeBytes = segment.sizeBytes
    this.#index = TimeIndex.decode(bytes, segment.baseOffset, segment.endOffset)
    if (this.#index === null) {
      const { baseOffset } = segment
      this.wrong = { position: 0, offset: baseOffset, what: 'its entries do not rise, or lie outside the segment' }
    }
  }

  /** A good batch, in order. */
  batch(baseOffset: Offset, lastOffset: Offset, maxTimestamp: number): void {
    const index = this.#index
    if (index === null) return
    for (; this.#next < index.count && index.entryAt(this.#next).offset <= lastOffset; this.#next++) {
      const { timestamp, offset } = index.entryAt(this.#next)
      if (offset < baseOffset) this.#report(`has offset ${offset}, where no batch is`)
      else if (timestamp !== maxTimestamp) this.#report(`says ${timestamp}, the batch ${maxTimestamp}`)
      else if (timestamp < this.#greatest) this.#report(`says ${timestamp}, a batch before it ${this.#greatest}`)
    }
    if (maxTimestamp > this.#greatest) this.#greatest = maxTimestamp
  }

  /** The segment has no more batches. */
  finish(): void {
    const index = this.#index
    if (index === null) return
    if (this.#next < index.count) this.#report('is of a batch that is not there')
    if (this.#sizeBytes > 0 && index.last.timestamp < this.#greatest) {
      this.wrong ??= {
        position: index.sizeBytes,
        offset: index.last.offset,
        what: `it ends with timestamp ${index.last.timestamp}, the segment has ${this.#greatest}`,
      }
    }
  }

  #report(what: string): void {
    const { offset } = this.#index!.entryAt(this.#next)
    this.wrong ??= { position: 12 * this.#next, offset, what: `entry ${this.#next} ${what}` }
  }
}
