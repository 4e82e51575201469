// The configs of a topic or broker as tools see them: value, where it comes from, what it may be.

import { brokerDefinition, type BrokerSettings, honouredBrokerDefinitions } from './broker-settings.ts'
import type { ConfigType } from './config-definition.ts'
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
