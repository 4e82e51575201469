// Bytes per second over the last seconds, as Kafka measures replication (SimpleRate over 11 samples of a second): what is too much in one
// second keeps counting until ten more have passed.

import type { Clock, Millis } from '../io/clock.ts'

const sampleMs: Millis = 1000
const samples = 11

export class ByteRate {
  readonly #clock: Clock
  /** Oldest first. */
  #samples: { readonly startMs: Millis; bytes: number }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(bytes: number): void {
    const now = this.#clock.monotonic()
    const newest = this.#samples.at(-1)
    if (newest !== undefined && now < newest.startMs + sampleMs) {
      newest.bytes += bytes
      return
    }
    this.#forgetBefore(now - sampleMs * samples)
    this.#samples.push({ startMs: now, bytes })
  }

  perSecond(): number {
    const now = this.#clock.monotonic()
    this.#forgetBefore(now - sampleMs * samples)
    const oldest = this.#samples[0]
    if (oldest === undefined) return 0
    let total = 0
    for (const { bytes } of this.#samples) total += bytes
    return (total * 1000) / Math.max(now - oldest.startMs, sampleMs)
  }

  #forgetBefore(startMs: Millis): void {
    const first = this.#samples.findIndex((sample) => sample.startMs > startMs)
    if (first !== 0) this.#samples = first < 0 ? [] : this.#samples.slice(first)
  }
}
