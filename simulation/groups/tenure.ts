// Whether a classic member of a KIP-848 group has surely been a member all the time.
//
// A coordinator drops one that is silent for too long, or takes too long to join or to fetch its assignment. Of a classic group it learns
// that from its next JoinGroup. A KIP-848 group lets in whoever comes with an id (as Kafka's does), as a new member that has nothing: it
// takes that for the answer to a rebalance, and a cooperative one goes on with what it had until it gets its assignment. So once a JoinGroup
// is answered when it may have been dropped before, no answer proves anything about what it had, until it has an assignment.

import type { Millis } from '../../src/io/clock.ts'
import { memberTiming } from './member.ts'

export class Tenure {
  /** Before that it cannot have been dropped: the times to join and to fetch an assignment cannot be over, and its session is longer. */
  #safeUntilMs: Millis = Infinity
  /** Since it joined, all heartbeats said that all is well. Otherwise its time to rejoin may run, and no later answer stops that. */
  #isUndisturbed = false
  #isInDoubt = false

  /** Perhaps it was dropped and let in again, and it has not got what it has now. */
  get isInDoubt(): boolean {
    return this.#isInDoubt
  }

  /** JoinGroup is answered. */
  joined(askedMs: Millis, answeredMs: Millis): void {
    if (answeredMs >= this.#safeUntilMs) this.#isInDoubt = true
    this.#safeUntilMs = askedMs + memberTiming.pollGapMsMax
    this.#isUndisturbed = true
  }

  /** It has an assignment, and has given up what that takes. */
  assigned(): void {
    this.#isInDoubt = false
  }

  /** A heartbeat is answered, or never will be. `isWell`: with NONE, to a member that has its assignment. */
  beaten(askedMs: Millis, isWell: boolean): void {
    this.#isUndisturbed &&= isWell
    if (this.#isUndisturbed) this.#safeUntilMs = Math.max(this.#safeUntilMs, askedMs + memberTiming.pollGapMsMax)
  }

  /** It knows that it is no member. */
  ended(): void {
    this.#safeUntilMs = Infinity
    this.#isUndisturbed = false
    this.#isInDoubt = false
  }
}
