// The broker's settings of consumer groups (KIP-848). Times that a group may have of its own (group-config.ts) have a least and a most here.

import { type ConfigDefinition, int, list, oneOf } from './config-definition.ts'

const maxInt = 2_147_483_647
/** By Kafka's short names, or those of its classes; other classes cannot be loaded here. */
const assignors: ReadonlyMap<string, 'uniform' | 'range'> = new Map([
  ['uniform', 'uniform'],
  ['range', 'range'],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
])
const migrationPolicies = ['bidirectional', 'upgrade', 'downgrade', 'disabled'] as const

export const consumerGroupDefinitions = {
  groupConsumerSessionTimeoutMs: int('group.consumer.session.timeout.ms', 45_000, {
    atLeast: 1,
    documentation: 'How long a member of a consumer group may be silent.',
  }),
  groupConsumerMinSessionTimeoutMs: int('group.consumer.min.session.timeout.ms', 45_000, {
    atLeast: 1,
    documentation: 'Shortest session timeout that a consumer group may have of its own.',
  }),
  groupConsumerMaxSessionTimeoutMs: int('group.consumer.max.session.timeout.ms', 60_000, {
    atLeast: 1,
    documentation: 'Longest session timeout that a consumer group may have of its own.',
  }),
  groupConsumerHeartbeatIntervalMs: int('group.consumer.heartbeat.interval.ms', 5_000, {
    atLeast: 1,
    documentation: 'How often members of a consumer group are told to send heartbeats.',
  }),
  groupConsumerMinHeartbeatIntervalMs: int('group.consumer.min.heartbeat.interval.ms', 5_000, {
    atLeast: 1,
    documentation: 'Shortest heartbeat interval that a consumer group may have of its own.',
  }),
  groupConsumerMaxHeartbeatIntervalMs: int('group.consumer.max.heartbeat.interval.ms', 15_000, {
    atLeast: 1,
    documentation: 'Longest heartbeat interval that a consumer group may have of its own.',
  }),
  groupConsumerMaxSize: int('group.consumer.max.size', maxInt, {
    atLeast: 1,
    documentation: 'Most members of a consumer group.',
  }),
  groupConsumerAssignors: named(
    list('group.consumer.assignors', 'uniform,range', {
      items: [...assignors.keys()],
      documentation: 'Ways to divide partitions between the members of a consumer group; the first is the default.',
    }),
  ),
  groupConsumerMigrationPolicy: inAnyCase(
    oneOf('group.consumer.migration.policy', 'bidirectional', migrationPolicies, {
      documentation:
        'Whether a group with members turns from a classic into a consumer group (upgrade), back (downgrade), both or neither.',
    }),
  ),
  groupConsumerAssignmentIntervalMs: int('group.consumer.assignment.interval.ms', 1_000, {
    atLeast: 0,
    documentation: 'Least time between two assignments of a consumer group.',
  }),
  groupConsumerMinAssignmentIntervalMs: int('group.consumer.min.assignment.interval.ms', 0, {
    atLeast: 0,
    documentation: 'Shortest assignment interval that a consumer group may have of its own.',
  }),
  groupConsumerMaxAssignmentIntervalMs: int('group.consumer.max.assignment.interval.ms', 15_000, {
    atLeast: 0,
    documentation: 'Longest assignment interval that a consumer group may have of its own.',
  }),
  groupConsumerRegexRefreshIntervalMs: int('group.consumer.regex.refresh.interval.ms', 600_000, {
    atLeast: 10_000,
    documentation: 'How often regular expressions that members subscribe to are matched with the topics again.',
  }),
}

type Values = Readonly<
  Record<
    Exclude<keyof typeof consumerGroupDefinitions, 'groupConsumerAssignors' | 'groupConsumerMigrationPolicy'>,
    number
  >
>

/** What does not fit together (GroupCoordinatorConfig), in Kafka's words. */
export function consumerGroupProblems(values: Values): string[] {
  const problems: string[] = []
  const check = (holds: boolean, one: string, relation: string, other: string) => {
    if (!holds) problems.push(`group.consumer.${one} must be ${relation} group.consumer.${other}`)
  }
  const within = (value: number, least: number, most: number, name: string) => {
    check(most >= least, `max.${name}`, 'greater than or equal to', `min.${name}`)
    check(value >= least, name, 'greater than or equal to', `min.${name}`)
    check(value <= most, name, 'less than or equal to', `max.${name}`)
  }
  const { groupConsumerHeartbeatIntervalMs: heartbeat, groupConsumerSessionTimeoutMs: session } = values
  within(
    heartbeat,
    values.groupConsumerMinHeartbeatIntervalMs,
    values.groupConsumerMaxHeartbeatIntervalMs,
    'heartbeat.interval.ms',
  )
  within(
    session,
    values.groupConsumerMinSessionTimeoutMs,
    values.groupConsumerMaxSessionTimeoutMs,
    'session.timeout.ms',
  )
  check(heartbeat < session, 'heartbeat.interval.ms', 'less than', 'session.timeout.ms')
  within(
    values.groupConsumerAssignmentIntervalMs,
    values.groupConsumerMinAssignmentIntervalMs,
    values.groupConsumerMaxAssignmentIntervalMs,
    'assignment.interval.ms',
  )
  return problems
}

function named(definition: ConfigDefinition<readonly string[]>): ConfigDefinition<readonly ('uniform' | 'range')[]> {
  return {
    ...definition,
    parse(text) {
      const parsed = definition.parse(text)
      return parsed.ok ? { ok: true, value: parsed.value.map((name) => assignors.get(name)!) } : parsed
    },
  }
}

function inAnyCase<T>(definition: ConfigDefinition<T>): ConfigDefinition<T> {
  return { ...definition, parse: (text) => definition.parse(text.toLowerCase()) }
}
