// For handlers that change topics: the client says how long it waits, and the change goes on without it.

import type { Clock, Millis } from '../../io/clock.ts'

/** What `work` comes to, or null when it takes longer than `limitMs`: it then goes on, and its fault is nobody's. */
export function within<T>(clock: Clock, limitMs: Millis, work: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(Math.max(0, limitMs), () => resolve(null))
    work.finally(() => timer.cancel()).then(resolve, reject)
  })
}
