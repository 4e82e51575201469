// The timers of all machines of one coordinator: thousands of sessions, renewed at every heartbeat, behind one timer of the clock.
// Due timers fire in order of their time, and among equals in order of being set.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import { type Deadline, Deadlines } from '../lib/deadlines.ts'

/** So many fire in one turn of the event loop: when a thousand groups fall silent at once, those that are alive are heard in between. */
const firedPerTurnMax = 64

interface Due<Event> {
  readonly owner: MachineTimers<Event>
  readonly key: string
  event: Event
}

export class CoordinatorTimers<Event> {
  readonly #clock: Clock
  readonly #deadlines = new Deadlines<Due<Event>>()
  #alarm: Timer | null = null
  /** On the monotonic clock. */
  #alarmAt: Millis = Infinity
  /** From the alarm until all that is due has fired: no other alarm is needed. */
  #ringing = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#deadlines.size
  }

  /** The timers of one machine; `fire` takes what is due. */
  forMachine(fire: (event: Event) => void): MachineTimers<Event> {
    return new MachineTimers(this, fire)
  }

  add(afterMs: Millis, due: Due<Event>): Deadline<Due<Event>> {
    const deadline = this.#deadlines.add(this.#clock.monotonic() + Math.max(0, afterMs), due)
    this.#arm()
    return deadline
  }

  move(deadline: Deadline<Due<Event>>, afterMs: Millis): void {
    this.#deadlines.move(deadline, this.#clock.monotonic() + Math.max(0, afterMs))
    this.#arm()
  }

  remove(deadline: Deadline<Due<Event>>): void {
    this.#deadlines.remove(deadline)
    if (this.#deadlines.size > 0) return
    this.#alarm?.cancel()
    this.#alarm = null
    this.#alarmAt = Infinity
  }

  /** An alarm that is too early finds nothing due, and is set again. */
  #arm(): void {
    const at = this.#deadlines.nextCheck
    if (this.#ringing || at >= this.#alarmAt) return
    this.#alarm?.cancel()
    this.#alarmAt = at
    this.#alarm = this.#clock.setTimer(Math.max(0, at - this.#clock.monotonic()), () => this.#ring())
  }

  /** What has arrived by now is heard first: after a pause of the whole process nobody is silent whose heartbeat is in the socket. */
  #ring(): void {
    this.#alarm = null
    this.#alarmAt = Infinity
    this.#ringing = true
    this.#clock.defer(() => this.#fire())
  }

  #fire(): void {
    const now = this.#clock.monotonic()
    for (let fired = 0; fired < firedPerTurnMax; fired++) {
      const deadline = this.#deadlines.take(now)
      if (deadline === undefined) {
        this.#ringing = false
        this.#arm()
        return
      }
      deadline.value.owner.fired(deadline.value)
    }
    this.#clock.defer(() => this.#fire())
  }
}

/** One machine's timers, by its own keys. */
export class MachineTimers<Event> {
  readonly #all: CoordinatorTimers<Event>
  readonly #fire: (event: Event) => void
  readonly #byKey = new Map<string, Deadline<Due<Event>>>()

  constructor(all: CoordinatorTimers<Event>, fire: (event: Event) => void) {
    this.#all = all
    this.#fire = fire
  }

  /** The same key replaces. */
  set(key: string, afterMs: Millis, event: Event): void {
    const known = this.#byKey.get(key)
    if (known === undefined) {
      this.#byKey.set(key, this.#all.add(afterMs, { owner: this, key, event }))
    } else {
      known.value.event = event
      this.#all.move(known, afterMs)
    }
  }

  cancel(key: string): void {
    const known = this.#byKey.get(key)
    if (known === undefined) return
    this.#byKey.delete(key)
    this.#all.remove(known)
  }

  clear(): void {
    for (const deadline of this.#byKey.values()) this.#all.remove(deadline)
    this.#byKey.clear()
  }

  /** It is out of the heap. */
  fired({ key, event }: Due<Event>): void {
    this.#byKey.delete(key)
    this.#fire(event)
  }
}
