// What a topic's configs come to: what was set on the topic, else on the broker, else Kafka's default.

import { brokerDefinition, type BrokerSettings } from './broker-settings.ts'
import { type ConfigDefinition, valueOf } from './config-definition.ts'
import { honouredTopicDefinitions, type TopicDefinition, topicDefinitions } from './topic-definitions.ts'

type ValueOf<D> = D extends ConfigDefinition<infer T> ? T : never

/** A topic's effective configs, typed. */
export type TopicSettings = {
  readonly [Field in keyof typeof honouredTopicDefinitions]: ValueOf<(typeof honouredTopicDefinitions)[Field]>
} & {
  /** `cleanup.policy` holds `compact`: every record needs a key. */
  readonly compacted: boolean
}

type TopicConfigs = ReadonlyMap<string, string>

const cache = new WeakMap<BrokerSettings, WeakMap<TopicConfigs, TopicSettings>>()

/** Worked out once per image of a topic's configs: cheap enough for every produce. */
export function topicSettings(topic: { readonly configs: TopicConfigs }, broker: BrokerSettings): TopicSettings {
  let ofBroker = cache.get(broker)
  if (ofBroker === undefined) cache.set(broker, (ofBroker = new WeakMap()))
  let settings = ofBroker.get(topic.configs)
  if (settings === undefined) ofBroker.set(topic.configs, (settings = resolve(topic.configs, broker)))
  return settings
}

function resolve(configs: TopicConfigs, broker: BrokerSettings): TopicSettings {
  const values: Record<string, unknown> = {}
  for (const [field, definition] of Object.entries<TopicDefinition>(honouredTopicDefinitions)) {
    values[field] = valueOf(definition, effectiveText(definition, configs, broker))
  }
  const settings = values as Omit<TopicSettings, 'compacted'>
  return { ...settings, compacted: settings.cleanupPolicy.includes('compact') }
}

/** The text in force for one config; null when neither set nor given a default. */
export function effectiveText(
  definition: TopicDefinition,
  configs: TopicConfigs,
  broker: BrokerSettings,
): string | null {
  return configs.get(definition.name) ?? brokerDefaultText(definition, broker) ?? definition.defaultText
}

/** The topic config's default as this broker was given it, in the topic config's unit; null when it was given none. */
function brokerDefaultText(definition: TopicDefinition, broker: BrokerSettings): string | null {
  for (const { name, factor } of definition.synonyms) {
    const text = broker.given.get(name)
    if (text === undefined) continue
    if (factor === 1) return text
    const value = Number(text)
    return String(value < 0 ? value : value * factor)
  }
  return null
}

/** The fields of a partition log's config (storage's `LogConfig`), in bytes and milliseconds. */
export interface LogSettings {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly flushPolicy: 'fsync' | 'page-cache'
  readonly producerIdExpirationMs: number
  readonly deletes: boolean
  readonly compacts: boolean
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly fileDeleteDelayMs: number
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly deleteRetentionMs: number
  readonly budgetPolicy: 'delete' | 'refuse' | 'exempt'
  readonly budgetWeight: number
}

/** An internal topic is exempt from the disk budget: without it nothing else goes on. */
export function logConfigFor(
  topic: { readonly configs: TopicConfigs; readonly internal: boolean },
  broker: BrokerSettings,
): LogSettings {
  const settings = topicSettings(topic, broker)
  return {
    segmentBytes: settings.internalSegmentBytes ?? settings.segmentBytes,
    // As in Kafka (LogConfig.maxSegmentMs): what must be compacted in time must not wait in an active segment.
    segmentMs: settings.compacted ? Math.min(settings.segmentMs, settings.maxCompactionLagMs) : settings.segmentMs,
    segmentJitterMs: settings.segmentJitterMs,
    segmentIndexBytes: settings.segmentIndexBytes,
    indexIntervalBytes: settings.indexIntervalBytes,
    flushPolicy: settings.flushPolicy,
    producerIdExpirationMs: broker.producerIdExpirationMs,
    deletes: settings.cleanupPolicy.includes('delete'),
    compacts: settings.compacted,
    retentionMs: unlimitedIfNegative(settings.retentionMs),
    retentionBytes: unlimitedIfNegative(settings.retentionBytes),
    fileDeleteDelayMs: settings.fileDeleteDelayMs,
    minCleanableDirtyRatio: settings.minCleanableDirtyRatio,
    minCompactionLagMs: settings.minCompactionLagMs,
    maxCompactionLagMs: settings.maxCompactionLagMs >= Number.MAX_SAFE_INTEGER ? Infinity : settings.maxCompactionLagMs,
    deleteRetentionMs: settings.deleteRetentionMs,
    budgetPolicy: budgetPolicyOf(topic.internal, settings),
    budgetWeight: settings.diskBudgetWeight,
  }
}

/** A topic that is only compacted promises the last record of each key: the oldest segments hold some of those. */
function budgetPolicyOf(
  internal: boolean,
  { cleanupPolicy, compacted, diskBudgetPolicy }: TopicSettings,
): LogSettings['budgetPolicy'] {
  if (internal) return 'exempt'
  return compacted && !cleanupPolicy.includes('delete') ? 'refuse' : diskBudgetPolicy
}

function unlimitedIfNegative(limit: number): number {
  return limit < 0 ? Infinity : limit
}

/** What Kafka says where the broker has no tiered storage (LogConfig.validateRemoteStorageOnlyIfSystemEnabled). */
const noTieredStorage =
  'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'

/** What is wrong with configs that a client wants to set on a topic, in Kafka's words; null when nothing is. */
export function topicConfigProblem(configs: ReadonlyMap<string, string | null>): string | null {
  const withoutValue = [...configs].filter(([, text]) => text === null).map(([name]) => name)
  if (withoutValue.length > 0) return `Null value not supported for topic configs: ${withoutValue.join(',')}`
  for (const [name, text] of configs) {
    const definition = topicDefinitions.get(name)
    if (definition === undefined) return `Unknown topic config name: ${name}`
    const parsed = definition.parse(text!)
    if (!parsed.ok) return parsed.problem
  }
  if (configs.get('remote.storage.enable')?.trim().toLowerCase() === 'true') return noTieredStorage
  return compactionLagProblem(configs)
}

function compactionLagProblem(configs: ReadonlyMap<string, string | null>): string | null {
  const least = Number(configs.get('min.compaction.lag.ms') ?? 0)
  const most = Number(configs.get('max.compaction.lag.ms') ?? Number.MAX_SAFE_INTEGER)
  if (least <= most) return null
  return `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`
}

export type ConfigSource = 'topic' | 'group' | 'dynamicBroker' | 'dynamicDefaultBroker' | 'staticBroker' | 'default'

/** One source of a config's value, as DescribeConfigs lists them (KIP-226). */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string
  readonly source: ConfigSource
}

/**
 * Where a topic config's value could come from, the winner first. As in Kafka, defaults that only a second synonym gives
 * (`log.roll.hours` for `segment.ms`) are not listed.
 */
export function topicConfigSynonyms(
  definition: TopicDefinition,
  configs: TopicConfigs,
  broker: BrokerSettings,
): ConfigSynonym[] {
  const fromBroker = definition.synonyms.flatMap(({ name }) => brokerConfigSynonyms(name, broker))
  const firstListed = fromBroker.findIndex(({ name }) => name === definition.synonyms[0]?.name)
  const synonyms = firstListed < 0 ? [] : fromBroker.slice(firstListed)
  const own = configs.get(definition.name)
  return own === undefined ? synonyms : [{ name: definition.name, value: own, source: 'topic' }, ...synonyms]
}

/** Where a broker setting's value could come from, the winner first. */
export function brokerConfigSynonyms(name: string, broker: BrokerSettings): ConfigSynonym[] {
  const synonyms: ConfigSynonym[] = []
  const given = broker.given.get(name)
  if (given !== undefined) synonyms.push({ name, value: given, source: 'staticBroker' })
  const defaultText = brokerDefinition(name)?.defaultText ?? null
  if (defaultText !== null) synonyms.push({ name, value: defaultText, source: 'default' })
  return synonyms
}
