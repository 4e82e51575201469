// How much a consumer or a follower is given at a time. A consumer may ask for 50 MiB, a follower for 10; but what is read and sent in small
// pieces stays in the processor's cache, which halves the cost, and lets others in between. Only who is far away needs large ones, for it
// asks again late: so an answer that was full and was followed by a long pause is followed by a larger one.

import type { Millis } from '../io/clock.ts'

/** A consumer's own limit for one partition (max.partition.fetch.bytes). */
const BYTES_MIN = 1024 * 1024
const BYTES_MAX = 16 * 1024 * 1024
/** Who asks again sooner gets as much at this pace as a disk gives. */
const LONG_PAUSE_MS = 20

export class AnswerSize {
  #bytes = BYTES_MIN
  #wasFull = false
  #answeredAt: Millis = 0

  /** The most that the next answer should have. */
  next(now: Millis): number {
    // Whatever it had: the client's own limits may be such that a larger one is never full.
    if (now - this.#answeredAt <= LONG_PAUSE_MS) this.#bytes = Math.max(this.#bytes / 2, BYTES_MIN)
    else if (this.#wasFull) this.#bytes = Math.min(2 * this.#bytes, BYTES_MAX)
    this.#wasFull = false
    return this.#bytes
  }

  answered(bytes: number, now: Millis): void {
    this.#wasFull = bytes > this.#bytes / 2
    this.#answeredAt = now
  }
}
