// A clock that stops with its broker: once it is dead nothing that it has set goes off any more.

import type { Clock, Millis, Timer } from '../../io/clock.ts'

export class MortalClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #dead = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): Millis {
    return this.#clock.now()
  }

  monotonic(): Millis {
    return this.#clock.monotonic()
  }

  setTimer(delayMs: Millis, callback: () => void): Timer {
    if (this.#dead) return { cancel: () => {} }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        timer.cancel()
        this.#timers.delete(timer)
      },
    }
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (!this.#dead) callback()
    })
  }

  kill(): void {
    this.#dead = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
