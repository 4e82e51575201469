// What a broker may still do is bounded by its lease: asked at each use, never remembered (a process that was frozen wakes up with old
// answers). `Membership` is one.
//
// | without a valid lease | |
// |---|---|
// | produce with acks=0 or 1, group coordination, changes of the ISR | refused: another broker may lead by now |
// | produce with acks=all, reads below the high watermark | go on: they need the followers, who leave for the new leader (F6) |

import type { Guard } from '../cluster/meta-store.ts'

export interface MembershipGate {
  /** Whether this broker is registered and its lease holds. */
  valid(): boolean
  /** The broker epoch: its registration's create revision. */
  readonly epoch: number
  /** Guards what this broker writes as a member. */
  readonly fence: Guard
}
