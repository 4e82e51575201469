// When each record was handed to its producer. The load generator hands over what is due with a tick that comes late itself: by a tenth of a
// millisecond mostly, and by some when it waits for a processor. That is not the broker's time, so a latency counts from the handing over, as
// in the OpenMessaging Benchmark, and how late that was is kept beside it. A broker that is slow makes nothing late here: what it keeps waiting
// has been handed over.

import { LatencyHistogram } from './latency-histogram.ts'
import type { Schedule } from './schedule.ts'

export class HandOver {
  readonly #schedule: Schedule
  /** By step. */
  readonly #handedMs: number[] = []
  /** How long after they were due the records were handed over. */
  readonly lateness = new LatencyHistogram()

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  /** Hands over what is due until now, but nothing that is due later than `endMs`; returns how many records were handed over in all. */
  upTo(nowMs: number, endMs: number): number {
    const untilMs = Math.min(nowMs, endMs)
    const steps = this.#schedule.stepsBy(untilMs)
    while (this.#handedMs.length < steps) {
      this.#handedMs.push(nowMs)
      this.lateness.record(nowMs - this.#schedule.endOfStepMs(this.#handedMs.length - 1))
    }
    return this.#schedule.dueBy(untilMs)
  }

  /** Of a record that has been handed over. */
  handedMs(number: number): number {
    // By an error of rounding a step's first record can be due with the step before.
    return this.#handedMs[Math.min(this.#schedule.stepOf(number), this.#handedMs.length - 1)]!
  }
}
