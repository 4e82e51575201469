// The configs of a single group (config resource GROUP; GroupConfig 4.3). Those of consumer groups are acted on, within bounds that the broker
// sets. Those of share and streams groups are checked and kept, for the tools that set them.

import type { BrokerSettings } from './broker-settings.ts'
import { boolean, type ConfigDefinition, int, oneOf, string } from './config-definition.ts'

/** A time of consumer groups: the group's own, else the broker's. */
export interface GroupTimeDefinition extends ConfigDefinition<number> {
  /** The broker setting that is its default. */
  readonly synonym: string
  readonly brokerValue: (broker: BrokerSettings) => number
  readonly least: (broker: BrokerSettings) => number
  readonly most: (broker: BrokerSettings) => number
}

export const consumerGroupTimes = {
  sessionTimeoutMs: {
    ...int('consumer.session.timeout.ms', 45_000, {
      atLeast: 1,
      documentation: 'How long a member of the group may be silent.',
    }),
    synonym: 'group.consumer.session.timeout.ms',
    brokerValue: (broker) => broker.groupConsumerSessionTimeoutMs,
    least: (broker) => broker.groupConsumerMinSessionTimeoutMs,
    most: (broker) => broker.groupConsumerMaxSessionTimeoutMs,
  },
  heartbeatIntervalMs: {
    ...int('consumer.heartbeat.interval.ms', 5_000, {
      atLeast: 1,
      documentation: 'How often members of the group are told to send heartbeats.',
    }),
    synonym: 'group.consumer.heartbeat.interval.ms',
    brokerValue: (broker) => broker.groupConsumerHeartbeatIntervalMs,
    least: (broker) => broker.groupConsumerMinHeartbeatIntervalMs,
    most: (broker) => broker.groupConsumerMaxHeartbeatIntervalMs,
  },
  assignmentIntervalMs: {
    ...int('consumer.assignment.interval.ms', 1_000, {
      atLeast: 0,
      documentation: 'Least time between two assignments of the group.',
    }),
    synonym: 'group.consumer.assignment.interval.ms',
    brokerValue: (broker) => broker.groupConsumerAssignmentIntervalMs,
    least: (broker) => broker.groupConsumerMinAssignmentIntervalMs,
    most: (broker) => broker.groupConsumerMaxAssignmentIntervalMs,
  },
} satisfies Record<string, GroupTimeDefinition>

const inert = { honoured: false }

/** Without effect here. */
const ofOtherGroups: readonly ConfigDefinition[] = [
  int('share.session.timeout.ms', 45_000, { atLeast: 1, ...inert }),
  int('share.heartbeat.interval.ms', 5_000, { atLeast: 1, ...inert }),
  int('share.record.lock.duration.ms', 30_000, { atLeast: 1_000, ...inert }),
  int('share.delivery.count.limit', 5, { atLeast: 2, ...inert }),
  int('share.partition.max.record.locks', 2_000, { atLeast: 100, ...inert }),
  shareOffsetReset(),
  oneOf('share.isolation.level', 'read_uncommitted', ['read_committed', 'read_uncommitted'], inert),
  boolean('share.renew.acknowledge.enable', true, inert),
  int('share.assignment.interval.ms', 1_000, { atLeast: 0, ...inert }),
  int('streams.session.timeout.ms', 45_000, { atLeast: 1, ...inert }),
  int('streams.heartbeat.interval.ms', 5_000, { atLeast: 1, ...inert }),
  int('streams.num.standby.replicas', 0, { atLeast: 0, ...inert }),
  int('streams.initial.rebalance.delay.ms', 3_000, { atLeast: 0, ...inert }),
  int('streams.assignment.interval.ms', 1_000, { atLeast: 0, ...inert }),
]

/** By name, in order of name. */
export const groupDefinitions: ReadonlyMap<string, ConfigDefinition> = new Map(
  [...Object.values<ConfigDefinition>(consumerGroupTimes), ...ofOtherGroups]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((definition) => [definition.name, definition]),
)

/** `earliest`, `latest`, or how far back as an ISO 8601 duration: `by_duration:PT1H30M`. */
function shareOffsetReset(): ConfigDefinition<string> {
  const definition = string('share.auto.offset.reset', 'latest', inert)
  const words = /^(earliest|latest|by_duration:P(?=[\dT])(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?)$/i
  return {
    ...definition,
    parse(text) {
      if (words.test(text.trim())) return definition.parse(text)
      const { name } = definition
      const problem = `Invalid value ${text} for configuration ${name}: Invalid value \`${text}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`
      return { ok: false, problem }
    },
  }
}
