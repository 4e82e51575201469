// The configs of a topic or broker as tools see them: value, where it comes from, what it may be.

import { brokerDefinition, type BrokerSettings, honouredBrokerDefinitions } from './broker-settings.ts'
import type { ConfigType } from './config-definition.ts'
import { type DynamicBrokerConfigs, dynamicBrokerDefinitions } from './dynamic-broker-definitions.ts'
import { groupConfigSynonyms } from './group-config.ts'
import { groupDefinitions } from './group-definitions.ts'
import { shownText } from './shown-text.ts'
import {
  brokerConfigSynonyms,
  type ConfigSource,
  type ConfigSynonym,
  effectiveText,
  topicConfigSynonyms,
} from './topic-config.ts'
import { topicDefinitions } from './topic-definitions.ts'

export interface DescribedConfig {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
  /** Winner first. */
  readonly synonyms: readonly ConfigSynonym[]
  readonly type: ConfigType
  readonly documentation: string
  readonly readOnly: boolean
}

/** By name: what this broker acts on, and whatever else was set on the topic. */
export function describeTopicConfigs(configs: ReadonlyMap<string, string>, broker: BrokerSettings): DescribedConfig[] {
  const described: DescribedConfig[] = []
  for (const definition of topicDefinitions.values()) {
    if (definition.internal || (!definition.honoured && !configs.has(definition.name))) continue
    const synonyms = topicConfigSynonyms(definition, configs, broker)
    described.push({
      name: definition.name,
      value: effectiveText(definition, configs, broker),
      source: synonyms[0]?.source ?? 'default',
      synonyms,
      type: definition.type,
      documentation: definition.documentation,
      readOnly: false,
    })
  }
  return described
}

/** With values as they are understood, however they were written: DescribeConfigs shows them so, CreateTopics as they came. */
export function asUnderstood(described: readonly DescribedConfig[]): DescribedConfig[] {
  return described.map((config) => {
    const definition = topicDefinitions.get(config.name)
    if (definition === undefined || config.value === null) return config
    const synonyms = config.synonyms.map((synonym) =>
      synonym.source === 'topic' ? { ...synonym, value: shownText(definition, synonym.value) } : synonym,
    )
    return { ...config, value: shownText(definition, config.value), synonyms }
  })
}

/** What was set while brokers ran, on one of them or on all; by name. */
export function describeDynamicConfigs({ own, defaults }: DynamicBrokerConfigs): DescribedConfig[] {
  const described: DescribedConfig[] = []
  for (const { name, type, documentation } of dynamicBrokerDefinitions.values()) {
    const synonyms: ConfigSynonym[] = []
    const onBroker = own.get(name)
    if (onBroker !== undefined) synonyms.push({ name, value: onBroker, source: 'dynamicBroker' })
    const onAll = defaults.get(name)
    if (onAll !== undefined) synonyms.push({ name, value: onAll, source: 'dynamicDefaultBroker' })
    const [winner] = synonyms
    if (winner === undefined) continue
    const { value, source } = winner
    described.push({ name, value, source, synonyms, type, documentation, readOnly: false })
  }
  return described
}

/** By name: what this broker acts on, and whatever else was set on the group. */
export function describeGroupConfigs(configs: ReadonlyMap<string, string>, broker: BrokerSettings): DescribedConfig[] {
  const described: DescribedConfig[] = []
  for (const definition of groupDefinitions.values()) {
    const { name, type, documentation, honoured } = definition
    if (!honoured && !configs.has(name)) continue
    const synonyms = groupConfigSynonyms(name, configs, broker).map((synonym) =>
      synonym.source === 'group' ? { ...synonym, value: shownText(definition, synonym.value) } : synonym,
    )
    const [winner] = synonyms
    described.push({
      name,
      value: winner?.value ?? null,
      source: winner?.source ?? 'default',
      synonyms,
      type,
      documentation,
      readOnly: false,
    })
  }
  return described
}

/** By name: what this broker acts on, and what was set of the rest. None can be changed while it runs. */
export function describeBrokerConfigs(broker: BrokerSettings): DescribedConfig[] {
  const names = new Set(honouredBrokerDefinitions.map((definition) => definition.name))
  for (const name of broker.given.keys()) names.add(name)
  const described: DescribedConfig[] = []
  for (const name of [...names].sort((a, b) => (a < b ? -1 : 1))) {
    const definition = brokerDefinition(name)
    if (definition === undefined) continue
    const synonyms = brokerConfigSynonyms(name, broker)
    described.push({
      name,
      value: synonyms[0]?.value ?? null,
      source: synonyms[0]?.source ?? 'default',
      synonyms,
      type: definition.type,
      documentation: definition.documentation,
      readOnly: true,
    })
  }
  return described
}
