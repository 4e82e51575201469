// How long the holder of a lease may believe in it: counted from when the renewal that was granted was SENT, by the monotonic and by the
// wall clock (the first stands still while a machine sleeps), and over before the keeper can have given the keys to anyone else.
// Asked at each use: a process that was frozen reads its sockets before a timer tells it that time has passed.

import type { Clock, Millis } from '../io/clock.ts'

/** On both clocks. */
export interface Moment {
  readonly monotonic: Millis
  readonly wall: Millis
}

export function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: clock.now() }
}

/** Whether a lease of `ttlMs` holds now, of which the last granted renewal was sent at `sentAt`. */
export function leaseHolds(sentAt: Moment, ttlMs: Millis, clock: Clock): boolean {
  const ageMaxMs = ttlMs - Math.max(500, ttlMs / 10)
  const now = momentOf(clock)
  // A wall clock that was set back says nothing; the monotonic one still does.
  return now.monotonic - sentAt.monotonic < ageMaxMs && now.wall - sentAt.wall < ageMaxMs
}
