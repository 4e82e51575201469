// What the configs of a group come to: its own, within the bounds of this broker, else the broker's.

import type { BrokerSettings } from './broker-settings.ts'
import { valueOf } from './config-definition.ts'
import { consumerGroupTimes, groupDefinitions, type GroupTimeDefinition } from './group-definitions.ts'
import { brokerConfigSynonyms, type ConfigSynonym } from './topic-config.ts'

/** Milliseconds. */
export type ConsumerGroupTimes = { readonly [Field in keyof typeof consumerGroupTimes]: number }

type Configs = ReadonlyMap<string, string>

/**
 * Bounds may have changed since the group's configs were set, and differ from broker to broker: what lies outside of them counts as the
 * nearest that does not (GroupConfig.evaluate). The broker's own value is within them.
 */
export function effectiveGroupTimes(own: Configs | undefined, broker: BrokerSettings): ConsumerGroupTimes {
  const effective = (definition: GroupTimeDefinition) => {
    const text = own?.get(definition.name)
    if (text === undefined) return definition.brokerValue(broker)
    return Math.max(definition.least(broker), Math.min(valueOf(definition, text), definition.most(broker)))
  }
  return {
    sessionTimeoutMs: effective(consumerGroupTimes.sessionTimeoutMs),
    heartbeatIntervalMs: effective(consumerGroupTimes.heartbeatIntervalMs),
    assignmentIntervalMs: effective(consumerGroupTimes.assignmentIntervalMs),
  }
}

/** What is wrong with the configs that a group would have, all in all, in Kafka's words; null when nothing is. */
export function groupConfigProblem(configs: Configs, broker: BrokerSettings): string | null {
  for (const [name, text] of configs) {
    const definition = groupDefinitions.get(name)
    if (definition === undefined) return `Unknown group config name: ${name}`
    const parsed = definition.parse(text)
    if (!parsed.ok) return parsed.problem
  }
  const { heartbeatIntervalMs, sessionTimeoutMs, assignmentIntervalMs } = consumerGroupTimes
  for (const definition of [heartbeatIntervalMs, sessionTimeoutMs, assignmentIntervalMs]) {
    const problem = boundsProblem(definition, configs, broker)
    if (problem !== null) return problem
  }
  const times = effectiveGroupTimes(configs, broker)
  if (times.sessionTimeoutMs > times.heartbeatIntervalMs) return null
  return `${sessionTimeoutMs.name} must be greater than ${heartbeatIntervalMs.name}`
}

function boundsProblem(definition: GroupTimeDefinition, configs: Configs, broker: BrokerSettings): string | null {
  const { name } = definition
  const text = configs.get(name)
  if (text === undefined) return null
  const value = valueOf(definition, text)
  const bound = (which: 'min' | 'max') => name.replace('consumer.', `group.consumer.${which}.`)
  if (value < definition.least(broker)) return `${name} must be greater than or equal to ${bound('min')}`
  if (value > definition.most(broker)) return `${name} must be less than or equal to ${bound('max')}`
  return null
}

/** Where the value of a group's config could come from, the winner first. */
export function groupConfigSynonyms(name: string, own: Configs, broker: BrokerSettings): ConfigSynonym[] {
  const time = Object.values<GroupTimeDefinition>(consumerGroupTimes).find((each) => each.name === name)
  const synonyms: ConfigSynonym[] = []
  const value = own.get(name)
  if (value !== undefined) synonyms.push({ name, value, source: 'group' })
  if (time !== undefined) return [...synonyms, ...brokerConfigSynonyms(time.synonym, broker)]
  const defaultText = groupDefinitions.get(name)?.defaultText ?? null
  if (defaultText !== null) synonyms.push({ name, value: defaultText, source: 'default' })
  return synonyms
}
