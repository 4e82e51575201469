// The door to time. Everything above takes a `Clock`, so that a test moves time instead of waiting for it
// (clock.sim.ts) and nothing in between can tell.

/** Milliseconds; a duration, or a moment since 1970 or on the monotonic clock, as its name says. */
export type Millis = number

export interface Timer {
  /** The callback will not run. A timer that has already fired is left alone. */
  cancel(): void
}

export interface Clock {
  /** Wall time, whole milliseconds since 1970. May jump in either direction. */
  now(): Millis
  /** Monotonic milliseconds, fractions included; for durations and deadlines. Its zero means nothing. */
  monotonic(): Millis
  /**
   * Runs `callback` once, `delayMs` (≥ 0, any length) from now on the monotonic clock, never early.
   * Does not keep the process alive by itself.
   */
  setTimer(delayMs: Millis, callback: () => void): Timer
  /** Runs `callback` in a later turn of the event loop, after I/O that is already due. */
  defer(callback: () => void): void
}

/** The longest delay Node's timers take; beyond it they fire at once. */
const longestDelayMs = 0x7fffffff

class SystemTimer implements Timer {
  readonly #dueAt: Millis
  readonly #callback: () => void
  #handle: NodeJS.Timeout

  constructor(delayMs: Millis, callback: () => void) {
    this.#dueAt = performance.now() + Math.max(0, delayMs)
    this.#callback = callback
    this.#handle = this.#arm(delayMs)
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }

  #arm(delayMs: Millis): NodeJS.Timeout {
    return setTimeout(() => this.#wake(), Math.min(Math.ceil(delayMs), longestDelayMs)).unref()
  }

  /** Node counts from the start of the turn, so it may wake up to a millisecond early. */
  #wake(): void {
    const leftMs = this.#dueAt - performance.now()
    if (leftMs > 0) this.#handle = this.#arm(leftMs)
    else this.#callback()
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback) => new SystemTimer(delayMs, callback),
  defer: (callback) => {
    setImmediate(callback)
  },
}

/** Resolves in a later turn of the event loop: long work waits for it now and then, so that nobody else waits long. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.defer(resolve)
  })
}
