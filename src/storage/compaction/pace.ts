// How fast a cleaning may go: no faster than the disk it was granted, and in a thread that serves others no longer at a stretch than they
// can wait.

import type { Clock, Millis } from '../../io/clock.ts'
import { CleaningAborted } from './cleaning-job.ts'

/** What was not used up in this time is lost: after a pause the disk is not flooded. */
const burstMs = 300

export class Pace {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  readonly #sliceMs: Millis
  readonly #signal: AbortSignal
  #sliceEndsAt: Millis
  /** When what was spent so far is paid for. */
  #paidAt: Millis

  /** `sliceMs`: longest stretch between two turns of the event loop; Infinity in a thread of its own. */
  constructor(clock: Clock, options: { bytesPerSecond: number; sliceMs: Millis; signal: AbortSignal }) {
    this.#clock = clock
    this.#bytesPerMs = options.bytesPerSecond / 1000
    this.#sliceMs = options.sliceMs
    this.#signal = options.signal
    this.#paidAt = clock.monotonic()
    this.#sliceEndsAt = this.#paidAt + options.sliceMs
  }

  /** Bytes were read or written. */
  spend(bytes: number): void {
    if (this.#bytesPerMs === Infinity) return
    this.#paidAt = Math.max(this.#paidAt, this.#clock.monotonic() - burstMs) + bytes / this.#bytesPerMs
  }

  /** What to wait for before going on; null: nothing. Throws or rejects with `CleaningAborted` once the signal says so. */
  next(): Promise<void> | null {
    if (this.#signal.aborted) throw new CleaningAborted('the cleaning was aborted')
    const now = this.#clock.monotonic()
    if (this.#paidAt > now) return this.#sleep(this.#paidAt - now)
    return now < this.#sliceEndsAt ? null : this.#yield()
  }

  async #yield(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.defer(resolve))
    this.#resume()
  }

  async #sleep(delayMs: Millis): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        timer.cancel()
        this.#signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.#clock.setTimer(delayMs, done)
      this.#signal.addEventListener('abort', done)
    })
    this.#resume()
  }

  #resume(): void {
    if (this.#signal.aborted) throw new CleaningAborted('the cleaning was aborted')
    this.#sliceEndsAt = this.#clock.monotonic() + this.#sliceMs
  }
}
