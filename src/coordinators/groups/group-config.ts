// Configs of one group (KIP-848, config resource GROUP), as its machine needs them: the group's own value, or the broker's.

import type { Millis } from '../../io/clock.ts'

export interface ConsumerGroupConfig {
  /** consumer.session.timeout.ms */
  readonly sessionTimeoutMs: Millis
  /** consumer.heartbeat.interval.ms */
  readonly heartbeatIntervalMs: Millis
  /** consumer.assignment.interval.ms: the least time between two target assignments; 0: none. */
  readonly assignmentIntervalMs: Millis
}

/** Asked each time anew: configs change while groups live. */
export interface GroupConfigs {
  consumerGroup(groupId: string): ConsumerGroupConfig
}

/** Of groups that have no configs of their own, on a broker with Kafka's defaults. */
export const groupConfigsDefault: GroupConfigs = {
  consumerGroup: () => ({ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 1_000 }),
}
