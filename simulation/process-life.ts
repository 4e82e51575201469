// One life of a process: everything that reaches it comes through here, so that it can be frozen (nothing reaches it until it thaws) and
// can end between two events, as kill -9 ends it (nothing reaches it ever again).

import type { Clock, Millis, Timer } from '../src/io/clock.ts'
import type { SimulatedClock } from '../src/io/clock.sim.ts'

/** I/O that waits is read before timers that are due, or after: both happen (libuv polls first, unless its turn had just begun). */
export type ThawOrder = 'ioFirst' | 'timersFirst'

type Entrance = 'io' | 'timer'

export class ProcessLife {
  readonly clock: Clock
  readonly #world: SimulatedClock
  readonly #onError: (error: unknown) => void
  readonly #timers = new Set<Timer>()
  readonly #freezable = new Set<{ freeze(): void; thaw(): void }>()
  #state: 'running' | 'frozen' | 'over' = 'running'
  #held: { readonly entrance: Entrance; readonly callback: () => void }[] = []

  /** `wallOffsetMs`: how far its machine's clock is off, asked at each use. `onError`: what the process threw and nobody caught. */
  constructor(world: SimulatedClock, wallOffsetMs: () => Millis, onError: (error: unknown) => void) {
    this.#world = world
    this.#onError = onError
    this.clock = {
      now: () => world.now() + wallOffsetMs(),
      monotonic: () => world.monotonic(),
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
      defer: (callback) => world.defer(() => this.enter(callback, 'timer')),
    }
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  get frozen(): boolean {
    return this.#state === 'frozen'
  }

  /** Runs `callback` in the process: now, when it thaws, or never. */
  enter(callback: () => void, entrance: Entrance = 'io'): void {
    if (this.#state === 'over') return
    if (this.#state === 'frozen') {
      this.#held.push({ entrance, callback })
      return
    }
    try {
      callback()
    } catch (error) {
      this.#onError(error)
    }
  }

  /** The same outcome, told when the process can hear it. */
  gate<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.enter(() => resolve(value)),
        (error: unknown) => this.enter(() => reject(error)),
      )
    })
  }

  /** What must know when the process stops reading. */
  attach(freezable: { freeze(): void; thaw(): void }): () => void {
    this.#freezable.add(freezable)
    if (this.#state === 'frozen') freezable.freeze()
    return () => this.#freezable.delete(freezable)
  }

  freeze(): void {
    if (this.#state !== 'running') return
    this.#state = 'frozen'
    for (const part of this.#freezable) part.freeze()
  }

  /** What waited comes at once, each in a turn of its own. */
  thaw(order: ThawOrder): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    const held = this.#held
    this.#held = []
    const first: Entrance = order === 'ioFirst' ? 'io' : 'timer'
    const ordered = [
      ...held.filter(({ entrance }) => entrance === first),
      ...held.filter(({ entrance }) => entrance !== first),
    ]
    for (const { entrance, callback } of ordered) this.#world.setTimer(0, () => this.enter(callback, entrance))
    for (const part of this.#freezable) part.thaw()
  }

  end(): void {
    this.#state = 'over'
    this.#held = []
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#freezable.clear()
  }

  #setTimer(delayMs: Millis, callback: () => void): Timer {
    if (this.#state === 'over') return { cancel() {} }
    let cancelled = false
    const timer = this.#world.setTimer(delayMs, () => {
      this.#timers.delete(timer)
      this.enter(() => {
        if (!cancelled) callback()
      }, 'timer')
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        cancelled = true
        timer.cancel()
        this.#timers.delete(timer)
      },
    }
  }
}
