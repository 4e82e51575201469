// Which fault when: data, so that a run can be written down, repeated without its seed, and made smaller. Each fault stands for itself: left
// out, the others mean the same.

import type { Millis } from '../src/io/clock.ts'
import type { ThawOrder } from './process-life.ts'

export type Fault =
  /** Down until the end: the power fails, `kill -9`, or a controlled shutdown. The next life finds what the last one left. */
  | { readonly kind: 'crash' | 'kill' | 'stop'; readonly machine: number }
  /** At the end the power fails, and the machine comes back at once: with an empty disk, or with the copy taken at the beginning. */
  | { readonly kind: 'emptyDisk' | 'oldDisk'; readonly machine: number }
  /** SIGSTOP until the end. */
  | { readonly kind: 'freeze'; readonly machine: number; readonly thaw: ThawOrder }
  /** Of every `everyMs` it stands still for `forMs`. */
  | { readonly kind: 'slowBroker'; readonly machine: number; readonly everyMs: Millis; readonly forMs: Millis }
  | { readonly kind: 'slowDisk'; readonly machine: number; readonly syncMsMax: Millis; readonly otherMsMax: Millis }
  /** No room for more than so much; there is again at the end. */
  | { readonly kind: 'diskFull'; readonly machine: number; readonly roomBytes: number }
  /** EIO, so often; the operator exchanges what is broken and starts the broker again at the end. */
  | {
      readonly kind: 'diskFails'
      readonly machine: number
      readonly operation: 'read' | 'write' | 'sync'
      readonly times: number
    }
  /** The wall clock is off by so much until the end. */
  | { readonly kind: 'clock'; readonly machine: number; readonly offMs: Millis }
  /** Nothing passes from the one to the other; `to` 0: all clients. */
  | { readonly kind: 'cut'; readonly from: number; readonly to: number; readonly ways: 'both' | 'there' | 'back' }
  | { readonly kind: 'latency'; readonly from: number; readonly to: number; readonly latencyMs: Millis }
  /** Once, at the beginning. */
  | { readonly kind: 'reset'; readonly from: number; readonly to: number }
  | { readonly kind: 'etcdCut'; readonly machine: number }
  /** A member of etcd; two at a time: no quorum. */
  | { readonly kind: 'etcdKill' | 'etcdFreeze'; readonly member: number }
  /** In percent of all calls: the request is lost, the answer is lost, or it is lost and the request done up to `lateMsMax` later. */
  | {
      readonly kind: 'etcdCalls'
      readonly requestLost: number
      readonly answerLost: number
      readonly late: number
      readonly lateMsMax: Millis
    }
  /** etcd forgets its past, at the beginning. */
  | { readonly kind: 'etcdCompacts' }
  /** etcd ends the machine's lease, at the beginning. */
  | { readonly kind: 'leaseLost'; readonly machine: number }

export interface ScheduledFault {
  /** From when the clients are at work. */
  readonly atMs: Millis
  readonly untilMs: Millis
  readonly fault: Fault
}

export interface Schedule {
  /** Then all that is under way ends. */
  readonly durationMs: Millis
  readonly items: readonly ScheduledFault[]
}
