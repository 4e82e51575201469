// Ticks at a steady rate, about a tenth of a millisecond late: a timer of Node would be up to two milliseconds late, as much as what is
// measured. A tick that finds the event loop at work comes when it is done.

import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Closable } from './measurement.ts'
import { Schedule } from './schedule.ts'

const stepMsMin = 0.25

export class Ticker implements Closable {
  readonly #stepMs: number
  /** Of `performance.now()`; ticks come whole steps later. */
  readonly #startMs: number
  readonly #thread: Worker

  private constructor(thread: Worker, stepMs: number, startMs: number) {
    this.#thread = thread
    this.#stepMs = stepMs
    this.#startMs = startMs
  }

  /** A step of less than a quarter of a millisecond becomes that. */
  static async start(stepMs: number): Promise<Ticker> {
    const step = Math.max(stepMsMin, stepMs)
    const thread = new Worker(join(import.meta.dirname, 'ticker-thread.ts'), { workerData: { stepMs: step } })
    const [startNanos] = (await once(thread, 'message')) as [bigint]
    const ageMs = Number(process.hrtime.bigint() - startNanos) / 1_000_000
    return new Ticker(thread, step, performance.now() - ageMs)
  }

  /** Whose steps are the ticks to come. */
  schedule(perSecond: number): Schedule {
    const passed = Math.ceil((performance.now() - this.#startMs) / this.#stepMs)
    return new Schedule({ perSecond, stepMs: this.#stepMs, startMs: this.#startMs + passed * this.#stepMs })
  }

  onTick(handle: () => void): void {
    this.#thread.on('message', handle)
  }

  close(): void {
    void this.#thread.terminate()
  }
}
