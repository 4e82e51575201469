// Latencies in buckets that each reach one per cent further than the one before: however many are counted, a percentile is off by half a
// per cent at most, and counting one allocates nothing.

import type { Latency } from './load.ts'

const lowestMs = 0.001
const highestMs = 1_000_000
const growth = 1.01
const bucketsPerUnit = 1 / Math.log(growth)
const buckets = Math.ceil(Math.log(highestMs / lowestMs) * bucketsPerUnit) + 1

export class LatencyHistogram {
  readonly #counts = new Uint32Array(buckets)
  #count = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  /** Below a microsecond counts as one; beyond a thousand seconds only the maximum is exact. */
  record(ms: number): void {
    const bucket = ms <= lowestMs ? 0 : Math.floor(Math.log(ms / lowestMs) * bucketsPerUnit)
    const at = bucket < buckets ? bucket : buckets - 1
    this.#counts[at] = this.#counts[at]! + 1
    this.#count += 1
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  /** The least latency that this share (0 to 1) of all did not exceed; 0 when there are none. */
  quantileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share))
    let seen = 0
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      seen += this.#counts[bucket]!
      if (seen >= wanted) return Math.min(lowestMs * growth ** (bucket + 0.5), this.#maxMs)
    }
    return this.#maxMs
  }

  summary(): Latency {
    return {
      p50Ms: this.quantileMs(0.5),
      p99Ms: this.quantileMs(0.99),
      p999Ms: this.quantileMs(0.999),
      maxMs: this.#maxMs,
    }
  }
}
