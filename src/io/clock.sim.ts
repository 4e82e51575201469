// Time under a test's control: it stands still until someone advances it. Timers fire in order of due time, then of
// creation; between two of them every promise and deferred callback that can run has run, so a run is repeatable.
import { invariant } from '../lib/invariant.ts'
import type { Clock, Millis, Timer } from './clock.ts'

interface PendingTimer {
  readonly dueAt: Millis
  readonly callback: () => void
}

/** Deferred callbacks that defer again, more often than this without time passing, are a loop without end. */
const settleRoundsMax = 100_000

export class SimulatedClock implements Clock {
  #monotonic: Millis = 0
  #wallOffset: Millis
  /** Latest due first, so that the next to fire is popped; among equals the oldest is last. */
  readonly #timers: PendingTimer[] = []
  #deferred = 0
  #advancing: Promise<void> = Promise.resolve()

  /** `startMs`: the wall time to begin with; by default 2026-01-01T00:00:00Z. */
  constructor(startMs: Millis = 1_767_225_600_000) {
    this.#wallOffset = startMs
  }

  now(): Millis {
    return Math.floor(this.#wallOffset + this.#monotonic)
  }

  monotonic(): Millis {
    return this.#monotonic
  }

  setTimer(delayMs: Millis, callback: () => void): Timer {
    const timer: PendingTimer = { dueAt: this.#monotonic + Math.max(0, delayMs), callback }
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timers[middle]!.dueAt > timer.dueAt) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, timer)
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer)
        if (index >= 0) this.#timers.splice(index, 1)
      },
    }
  }

  /** Runs by itself, as soon as what runs now and its promises are done; no time passes. */
  defer(callback: () => void): void {
    this.#deferred += 1
    setImmediate(() => {
      this.#deferred -= 1
      callback()
    })
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length
  }

  /** How long until the next timer; null when there is none. */
  get nextTimerInMs(): Millis | null {
    const next = this.#timers.at(-1)
    return next === undefined ? null : Math.max(0, next.dueAt - this.#monotonic)
  }

  /** Lets `ms` pass and fires what falls due, timers set on the way included. Calls made meanwhile follow in order. */
  advance(ms: Millis): Promise<void> {
    const done = this.#advancing.then(() => this.#advanceTo(this.#monotonic + ms))
    this.#advancing = done.catch(() => undefined)
    return done
  }

  /** Lets time pass until the next timer, and fires that one alone. False when there is none. Not while `advance` is under way. */
  async step(): Promise<boolean> {
    const next = this.#timers.pop()
    if (next === undefined) return false
    this.#monotonic = Math.max(this.#monotonic, next.dueAt)
    next.callback()
    await this.settle()
    return true
  }

  /** Fires what is due without letting time pass. */
  runDue(): Promise<void> {
    return this.advance(0)
  }

  /** Goes from timer to timer until `condition` holds; fails when it does not within `withinMs`. */
  async advanceUntil(condition: () => boolean, withinMs: Millis = 3_600_000): Promise<void> {
    const deadline = this.#monotonic + withinMs
    await this.runDue()
    while (!condition()) {
      const next = this.nextTimerInMs
      if (next === null || this.#monotonic + next > deadline) {
        throw new Error(
          `the condition does not hold after ${withinMs} simulated ms (${this.pendingTimers} timers left)`,
        )
      }
      await this.advance(next)
    }
  }

  /** Sets the wall clock forward or back; the monotonic clock and its timers take no notice. */
  jump(ms: Millis): void {
    this.#wallOffset += ms
  }

  /** Resolves when no promise and no deferred callback is left to run, save those that wait for time or real I/O. */
  async settle(): Promise<void> {
    let rounds = 0
    do {
      rounds += 1
      invariant(rounds < settleRoundsMax, 'deferred callbacks keep deferring while time stands still')
      await new Promise<void>((resolve) => {
        setImmediate(resolve)
      })
    } while (this.#deferred > 0)
  }

  async #advanceTo(target: Millis): Promise<void> {
    await this.settle()
    for (;;) {
      const next = this.#timers.at(-1)
      if (next === undefined || next.dueAt > target) break
      this.#timers.pop()
      this.#monotonic = Math.max(this.#monotonic, next.dueAt)
      next.callback()
      await this.settle()
    }
    this.#monotonic = Math.max(this.#monotonic, target)
  }
}
