// Holds the leader epochs of the batches against each other, they never fall, and against the file that says where each began.
// Base offset and epoch lie outside a batch's checksum: this is what finds them damaged.

import { LeaderEpochCache } from '../leader-epoch-cache.ts'
import type { Offset } from '../partition-log.ts'

export class EpochCheck {
  /** The first batch whose epoch the file does not have. */
  wrong: { readonly offset: Offset; readonly what: string } | null = null
  readonly #file: LeaderEpochCache | null
  readonly #logStartOffset: Offset
  readonly #trustedTo: Offset
  #latest = -1

  /** `file`: null when it is not there. It speaks of the batches from the log's start on, and is to be believed below `trustedTo`. */
  constructor(file: LeaderEpochCache | null, logStartOffset: Offset, trustedTo: Offset) {
    this.#file = file
    this.#logStartOffset = logStartOffset
    this.#trustedTo = trustedTo
  }

  /** A good batch, in order. Answers what is wrong with its own epoch; null: nothing. */
  batch(baseOffset: Offset, lastOffset: Offset, epoch: number): string | null {
    if (epoch < 0) return null
    const before = this.#latest
    if (epoch < before) return `leader epoch ${epoch} comes after ${before}`
    this.#latest = epoch
    const first = Math.max(baseOffset, this.#logStartOffset)
    if (this.#file === null || this.wrong !== null || first > lastOffset || lastOffset >= this.#trustedTo) return null
    const atFirst = this.#file.epochAt(first)
    const known = atFirst === epoch ? this.#file.epochAt(lastOffset) : atFirst
    if (known !== epoch) {
      this.wrong = { offset: first, what: `the batch is of leader epoch ${epoch}, the file says ${known}` }
    }
    return null
  }

  /** The log ends at `end`. */
  finish(end: Offset): void {
    const beyond = this.#file?.entries.find(({ startOffset }) => startOffset > end)
    if (beyond === undefined) return
    this.wrong ??= {
      offset: beyond.startOffset,
      what: `epoch ${beyond.epoch} begins beyond the end of the log, ${end}`,
    }
  }
}
