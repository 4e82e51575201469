import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brokerDefinition, brokerSettings } from './broker-settings.ts'
import { valueOf } from './config-definition.ts'
import { describeBrokerConfigs, describeTopicConfigs } from './described-configs.ts'
import { logConfigFor, topicConfigProblem, topicSettings } from './topic-config.ts'
import { topicDefinitions } from './topic-definitions.ts'

const none = { configs: new Map<string, string>() }

test('the defaults of a topic are those of its broker', () => {
  for (const definition of topicDefinitions.values()) {
    const [synonym] = definition.synonyms
    if (synonym === undefined) continue
    const onBroker = brokerDefinition(synonym.name)
    assert.ok(onBroker, `${definition.name}: ${synonym.name}`)
    if (onBroker.defaultText !== null)
      assert.deepEqual(valueOf(onBroker, null), valueOf(definition, null), definition.name)
  }
})

test('every definition accepts its own default', () => {
  for (const definition of topicDefinitions.values()) {
    if (definition.defaultText === null || definition.name.endsWith('throttled.replicas')) continue
    assert.equal(definition.parse(definition.defaultText).ok, true, definition.name)
  }
})

test('what is set on the topic wins over the broker, which wins over the default', () => {
  const broker = brokerSettings({ 'log.segment.bytes': '2000000', 'message.max.bytes': '5' })
  const topic = { configs: new Map([['segment.bytes', '3000000']]) }
  const { segmentBytes, maxMessageBytes, minInsyncReplicas } = topicSettings(topic, broker)
  assert.deepEqual([segmentBytes, maxMessageBytes, minInsyncReplicas], [3_000_000, 5, 1])
})

test('a broker setting in other units counts, the finer one first', () => {
  assert.equal(topicSettings(none, brokerSettings({ 'log.roll.hours': '2' })).segmentMs, 7_200_000)
  const both = brokerSettings({ 'log.roll.hours': '2', 'log.roll.ms': '5' })
  assert.equal(topicSettings(none, both).segmentMs, 5)
})

test('the settings of a topic are worked out once per image', () => {
  const broker = brokerSettings()
  assert.equal(topicSettings(none, broker), topicSettings({ configs: none.configs }, broker))
  assert.notEqual(topicSettings(none, broker), topicSettings(none, brokerSettings()))
})

test('a topic is compacted when its cleanup policy says so', () => {
  const compacted = (policy: string) =>
    topicSettings({ configs: new Map([['cleanup.policy', policy]]) }, brokerSettings())
  assert.equal(compacted('compact').compacted, true)
  assert.equal(compacted('delete, compact').compacted, true)
  assert.equal(compacted('delete').compacted, false)
})

test('a log gets its settings in bytes and milliseconds', () => {
  const configs = new Map([
    ['flush.policy', 'page-cache'],
    ['internal.segment.bytes', '1000'],
  ])
  assert.deepEqual(logConfigFor({ configs, internal: false }, brokerSettings({ 'producer.id.expiration.ms': '77' })), {
    segmentBytes: 1000,
    segmentMs: 604_800_000,
    segmentJitterMs: 0,
    segmentIndexBytes: 10_485_760,
    indexIntervalBytes: 4096,
    flushPolicy: 'page-cache',
    producerIdExpirationMs: 77,
    deletes: true,
    compacts: false,
    retentionMs: 604_800_000,
    retentionBytes: Infinity,
    fileDeleteDelayMs: 60_000,
    minCleanableDirtyRatio: 0.5,
    minCompactionLagMs: 0,
    maxCompactionLagMs: Infinity,
    deleteRetentionMs: 86_400_000,
    budgetPolicy: 'delete',
    budgetWeight: 1,
  })
})

test('without a limit of retention nothing is too old or too much', () => {
  const configs = new Map([['retention.ms', '-1']])
  const { retentionMs, retentionBytes } = logConfigFor({ configs, internal: false }, brokerSettings())
  assert.deepEqual([retentionMs, retentionBytes], [Infinity, Infinity])
})

test('a compacted log rolls in time for max.compaction.lag.ms', () => {
  const configs = new Map([
    ['cleanup.policy', 'compact'],
    ['max.compaction.lag.ms', '60000'],
  ])
  assert.equal(logConfigFor({ configs, internal: false }, brokerSettings()).segmentMs, 60_000)
})

test('an internal topic is exempt from the disk budget', () => {
  const configs = new Map([['disk.budget.policy', 'refuse']])
  const policyOf = (internal: boolean) => logConfigFor({ configs, internal }, brokerSettings()).budgetPolicy
  assert.deepEqual([policyOf(false), policyOf(true)], ['refuse', 'exempt'])
})

test('a topic that is only compacted loses no key to the disk budget', () => {
  const policyOf = (cleanupPolicy: string) =>
    logConfigFor({ configs: new Map([['cleanup.policy', cleanupPolicy]]), internal: false }, brokerSettings())
      .budgetPolicy
  assert.deepEqual(['delete', 'compact', 'compact,delete'].map(policyOf), ['delete', 'refuse', 'delete'])
})

describe('configs for a topic', () => {
  for (const configs of [
    { 'retention.ms': '-1' },
    { 'retention.ms': '9223372036854775807' },
    { 'cleanup.policy': 'compact,delete' },
    { 'min.cleanable.dirty.ratio': '0.01' },
    { 'leader.replication.throttled.replicas': '0:1,1:2' },
    { 'leader.replication.throttled.replicas': '*' },
    { 'flush.policy': 'fsync', 'compression.type': 'zstd', preallocate: 'true' },
    { 'min.compaction.lag.ms': '5', 'max.compaction.lag.ms': '5' },
  ] as Record<string, string>[]) {
    test(`may be ${JSON.stringify(configs)}`, () => {
      assert.equal(topicConfigProblem(new Map(Object.entries(configs))), null)
    })
  }

  test('may have no cleanup policy: all records stay', () => {
    assert.equal(topicConfigProblem(new Map([['cleanup.policy', '']])), null)
    assert.deepEqual(
      topicSettings({ configs: new Map([['cleanup.policy', '']]) }, brokerSettings({})).cleanupPolicy,
      [],
    )
  })

  for (const { configs, problem } of [
    { configs: { 'retention.sm': '1' }, problem: /Unknown topic config name: retention.sm/ },
    { configs: { 'segment.bytes': '1048575' }, problem: /at least 1048576/ },
    { configs: { 'min.cleanable.dirty.ratio': '1.1' }, problem: /no more than 1/ },
    { configs: { 'min.cleanable.dirty.ratio': 'x' }, problem: /Not a number of type DOUBLE/ },
    { configs: { 'remote.storage.enable': 'true' }, problem: /Tiered Storage functionality is disabled/ },
    { configs: { 'cleanup.policy': 'drop' }, problem: /must be one of: compact, delete/ },
    { configs: { 'retention.ms': '9223372036854775808' }, problem: /Not a number of type LONG/ },
    { configs: { 'leader.replication.throttled.replicas': '0' }, problem: /partition:broker/ },
    { configs: { 'min.compaction.lag.ms': '6', 'max.compaction.lag.ms': '5' }, problem: /conflict topic config/ },
    { configs: { 'segment.ms': null }, problem: /Null value not supported/ },
  ] as { configs: Record<string, string | null>; problem: RegExp }[]) {
    test(`must not be ${JSON.stringify(configs)}`, () => {
      assert.match(topicConfigProblem(new Map(Object.entries(configs))) ?? 'accepted', problem)
    })
  }
})

describe('described configs', () => {
  const broker = brokerSettings({ 'log.segment.bytes': '2000000', 'log.roll.hours': '1', 'num.io.threads': '8' })
  const configs = new Map([
    ['segment.bytes', '3000000'],
    ['flush.ms', '1000'],
  ])
  const described = new Map(describeTopicConfigs(configs, broker).map((config) => [config.name, config]))

  test('name every source, the winner first', () => {
    const { value, source, synonyms } = described.get('segment.bytes')!
    assert.deepEqual([value, source], ['3000000', 'topic'])
    assert.deepEqual(synonyms, [
      { name: 'segment.bytes', value: '3000000', source: 'topic' },
      { name: 'log.segment.bytes', value: '2000000', source: 'staticBroker' },
      { name: 'log.segment.bytes', value: '1073741824', source: 'default' },
    ])
  })

  test('have the broker as source of what it was given, else the default', () => {
    assert.equal(described.get('max.message.bytes')!.source, 'default')
    const [config] = describeTopicConfigs(new Map(), brokerSettings({ 'compression.type': 'gzip' }))
    assert.equal(config!.name, 'cleanup.policy')
    const compression = describeTopicConfigs(new Map(), brokerSettings({ 'compression.type': 'gzip' })).find(
      ({ name }) => name === 'compression.type',
    )
    assert.deepEqual([compression!.value, compression!.source], ['gzip', 'staticBroker'])
  })

  test('list no source that only a second name gives, as Kafka', () => {
    const { value, source, synonyms } = described.get('segment.ms')!
    assert.deepEqual([value, source, synonyms], ['3600000', 'default', []])
  })

  test('show what was set although it has no effect, and nothing else without effect', () => {
    assert.equal(described.get('flush.ms')!.value, '1000')
    assert.equal(described.has('flush.messages'), false)
    assert.equal(described.has('internal.segment.bytes'), false)
  })

  test('of the broker are in order of name and cannot be changed', () => {
    const ofBroker = describeBrokerConfigs(broker)
    const names = ofBroker.map(({ name }) => name)
    assert.deepEqual(
      names,
      names.toSorted((a, b) => (a < b ? -1 : 1)),
    )
    assert.ok(ofBroker.every(({ readOnly }) => readOnly))
    const hours = ofBroker.find(({ name }) => name === 'log.roll.hours')!
    assert.deepEqual([hours.value, hours.source], ['1', 'staticBroker'])
    assert.equal(names.includes('num.io.threads'), false)
  })
})
