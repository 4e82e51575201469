// What partitions ask of the broker they are on: the time, the other brokers, its own standing, and who changes ISRs for them.

import type { Millis } from '../io/clock.ts'
import type { MembershipGate } from './membership-gate.ts'
import type { Partition } from './partition.ts'

export interface ReplicationHost {
  readonly membership: MembershipGate
  /** replica.lag.time.max.ms */
  readonly replicaLagTimeMaxMs: Millis
  /** Monotonic. */
  now(): Millis
  /** Whether a broker is there, under this epoch, and not about to leave. */
  mayBeInSync(brokerId: number, brokerEpoch: number): boolean
  /** Whether a broker has registered again since it had this epoch. */
  isOutdated(brokerId: number, brokerEpoch: number): boolean
  /** Whether a broker is there. */
  isThere(brokerId: number): boolean
  /** A follower has what it takes to be in the ISR. Must not throw. */
  isrMayGrow(partition: Partition): void
}

/** No other broker, and nobody who could take this one's place. */
export const aloneInTheCluster: ReplicationHost = {
  membership: { valid: () => true, epoch: 0, fence: { key: '', modRevision: 0 } },
  replicaLagTimeMaxMs: 0,
  now: () => 0,
  mayBeInSync: () => false,
  isOutdated: () => false,
  isThere: () => false,
  isrMayGrow() {},
}
