import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleAlterConfigs } from './alter-configs.ts'
import { handleDescribeConfigs } from './describe-configs.ts'
import { handleIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { resourceType } from './resource-type.ts'

const [set, remove, append, subtract] = [0, 1, 2, 3]

interface Resource {
  readonly type?: number
  readonly name: string
  readonly edits: readonly (readonly [name: string, operation: number, value?: string | null])[]
}

async function edit(cluster: AdministeredCluster, resources: readonly Resource[], validateOnly = false) {
  const response = await handleIncrementalAlterConfigs(cluster.context(1), {
    resources: resources.map(({ type = resourceType.topic, name, edits }) => ({
      resourceType: type,
      resourceName: name,
      configs: edits.map(([config, configOperation, value = null]) => ({ name: config, configOperation, value })),
    })),
    validateOnly,
  })
  return response!.responses
}

async function replace(
  cluster: AdministeredCluster,
  name: string,
  configs: Readonly<Record<string, string | null>>,
  { type = resourceType.topic, validateOnly = false }: { type?: number; validateOnly?: boolean } = {},
) {
  const asked = Object.entries(configs).map(([config, value]) => ({ name: config, value }))
  const resources = [{ resourceType: type, resourceName: name, configs: asked }]
  const response = await handleAlterConfigs(cluster.context(2), { resources, validateOnly })
  return response!.responses[0]!
}

/** What is set on the topic, in the image. */
function configsOf(cluster: AdministeredCluster, topic = 'orders'): Record<string, string> {
  return Object.fromEntries(cluster.cluster.topic(topic)!.configs)
}

async function withTopics(configs: Record<string, string> = {}): Promise<AdministeredCluster> {
  const cluster = await AdministeredCluster.start()
  await cluster.create('orders', 1, configs)
  await cluster.create('other')
  return cluster
}

test('configs of a topic are set, removed, and edited as lists; the others stay', async () => {
  const cluster = await withTopics({ 'segment.bytes': '2000000', 'retention.ms': '5', 'cleanup.policy': 'delete' })
  const answers = await edit(cluster, [
    {
      name: 'orders',
      edits: [
        ['max.message.bytes', set, '9'],
        ['retention.ms', remove],
        ['cleanup.policy', append, 'compact'],
      ],
    },
    { name: 'other', edits: [['cleanup.policy', subtract, 'delete']] },
  ])
  const done = { errorCode: ErrorCode.NONE, errorMessage: null, resourceType: 2 }
  assert.deepEqual(answers, [
    { ...done, resourceName: 'orders' },
    { ...done, resourceName: 'other' },
  ])
  assert.deepEqual(configsOf(cluster), {
    'segment.bytes': '2000000',
    'max.message.bytes': '9',
    'cleanup.policy': 'delete,compact',
  })
  assert.deepEqual(configsOf(cluster, 'other'), { 'cleanup.policy': '' })
})

test('AlterConfigs replaces all that was set', async () => {
  const cluster = await withTopics({ 'segment.bytes': '2000000', 'retention.ms': '5' })
  assert.equal((await replace(cluster, 'orders', { 'retention.ms': '6' })).errorCode, ErrorCode.NONE)
  assert.deepEqual(configsOf(cluster), { 'retention.ms': '6' })
  assert.equal((await replace(cluster, 'orders', {})).errorCode, ErrorCode.NONE)
  assert.deepEqual(configsOf(cluster), {})
})

test('what was changed is described as set on the topic, in the form it is understood', async () => {
  const cluster = await withTopics()
  await edit(cluster, [{ name: 'orders', edits: [['cleanup.policy', set, ' compact , delete,compact']] }])
  const response = await handleDescribeConfigs(cluster.context(4), {
    resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: ['cleanup.policy', 'retention.ms'] }],
    includeSynonyms: true,
    includeDocumentation: false,
  })
  const [policy, retention] = response!.results[0]!.configs
  assert.deepEqual([policy!.value, policy!.configSource], ['compact,delete', 1])
  assert.deepEqual(policy!.synonyms, [
    { name: 'cleanup.policy', value: 'compact,delete', source: 1 },
    { name: 'log.cleanup.policy', value: 'delete', source: 5 },
  ])
  assert.deepEqual([retention!.value, retention!.configSource], ['604800000', 5])
})

test('with validateOnly nothing changes, and what would be refused is', async () => {
  const cluster = await withTopics({ 'retention.ms': '5' })
  const before = cluster.cluster.view.image
  const [good] = await edit(cluster, [{ name: 'orders', edits: [['retention.ms', set, '6']] }], true)
  const [bad] = await edit(cluster, [{ name: 'orders', edits: [['retention.ms', set, 'x']] }], true)
  assert.deepEqual([good!.errorCode, bad!.errorCode], [ErrorCode.NONE, ErrorCode.INVALID_CONFIG])
  const whole = await replace(cluster, 'orders', {}, { validateOnly: true })
  assert.equal(whole.errorCode, ErrorCode.NONE)
  assert.equal(cluster.cluster.view.image, before)
})

describe('a change is refused', () => {
  const { INVALID_CONFIG, INVALID_REQUEST, INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode
  for (const { what, name = 'orders', edits, error, words } of [
    {
      what: 'of an unknown config',
      edits: [['x', set, '1']],
      error: INVALID_CONFIG,
      words: 'Unknown topic config name: x',
    },
    {
      what: 'to a bad value, the good beside it too',
      edits: [
        ['retention.ms', set, '9'],
        ['max.message.bytes', set, 'many'],
      ],
      error: INVALID_CONFIG,
      words: 'Invalid value many for configuration max.message.bytes: Not a number of type INT',
    },
    {
      what: 'to null',
      edits: [
        ['retention.ms', set, null],
        ['cleanup.policy', append],
      ],
      error: INVALID_REQUEST,
      words: 'Null value not supported for : retention.ms, cleanup.policy',
    },
    {
      what: 'of a config twice',
      edits: [
        ['retention.ms', set, '1'],
        ['retention.ms', remove],
      ],
      error: INVALID_REQUEST,
      words: 'Error due to duplicate config keys',
    },
    {
      what: 'of a number as a list',
      edits: [['retention.ms', append, '1']],
      error: INVALID_CONFIG,
      words: "Can't APPEND to key retention.ms because its type is not LIST.",
    },
    {
      what: 'by an unknown operation',
      edits: [['retention.ms', 4, '1']],
      error: INVALID_REQUEST,
      words: 'Unknown operations type 4',
    },
    {
      what: 'of a topic that is not there',
      name: 'nowhere',
      edits: [['retention.ms', set, '1']],
      error: UNKNOWN_TOPIC_OR_PARTITION,
      words: "The topic 'nowhere' does not exist.",
    },
    {
      what: 'of no topic',
      name: '',
      edits: [],
      error: INVALID_REQUEST,
      words: 'Default topic resources are not allowed.',
    },
    { what: 'of a bad name', name: 'a b', edits: [], error: INVALID_TOPIC_EXCEPTION, words: /is invalid/ },
  ] as const) {
    test(what, async () => {
      const cluster = await withTopics({ 'segment.bytes': '2000000' })
      const [answer] = await edit(cluster, [{ name, edits }])
      assert.equal(answer!.errorCode, error)
      if (typeof words === 'string') assert.equal(answer!.errorMessage, words)
      else assert.match(answer!.errorMessage!, words)
      assert.deepEqual(configsOf(cluster), { 'segment.bytes': '2000000' })
    })
  }

  test('of a resource that comes twice, and of no other', async () => {
    const cluster = await withTopics()
    const answers = await edit(cluster, [
      { name: 'orders', edits: [['retention.ms', set, '1']] },
      { name: 'other', edits: [['retention.ms', set, '2']] },
      { name: 'orders', edits: [['retention.ms', set, '3']] },
    ])
    assert.deepEqual(
      answers.map(({ resourceName, errorCode }) => [resourceName, errorCode]),
      [
        ['orders', INVALID_REQUEST],
        ['other', ErrorCode.NONE],
        ['orders', INVALID_REQUEST],
      ],
    )
    assert.deepEqual([configsOf(cluster), configsOf(cluster, 'other')], [{}, { 'retention.ms': '2' }])
  })

  test('to null by AlterConfigs', async () => {
    const cluster = await withTopics()
    const answer = await replace(cluster, 'orders', { 'retention.ms': null })
    assert.deepEqual(
      [answer.errorCode, answer.errorMessage],
      [INVALID_REQUEST, 'Null value not supported for : retention.ms'],
    )
  })
})

describe('what is no topic', () => {
  const { broker, brokerLogger, clientMetrics, group } = resourceType
  const { INVALID_CONFIG, INVALID_REQUEST, NONE } = ErrorCode
  const one: Resource['edits'] = [['a', set, 'b']]
  for (const { what, type, name, edits = one, error } of [
    { what: 'this broker', type: broker, name: '1', error: INVALID_REQUEST },
    { what: 'all brokers', type: broker, name: '', error: INVALID_REQUEST },
    { what: 'this broker, nothing set', type: broker, name: '1', edits: [['a', remove]], error: NONE },
    { what: 'another broker', type: broker, name: '2', edits: [], error: INVALID_REQUEST },
    { what: 'a broker that is no number', type: broker, name: 'x', edits: [], error: INVALID_REQUEST },
    { what: 'a logger', type: brokerLogger, name: '1', error: INVALID_CONFIG },
    { what: 'a logger as a list', type: brokerLogger, name: '1', edits: [['a', append, 'b']], error: INVALID_REQUEST },
    { what: 'no logger', type: brokerLogger, name: '1', edits: [], error: NONE },
    { what: 'a logger of another broker', type: brokerLogger, name: '2', error: INVALID_REQUEST },
    { what: 'a group', type: group, name: 'g', error: INVALID_CONFIG },
    { what: 'a group, nothing set', type: group, name: 'g', edits: [['a', remove]], error: NONE },
    { what: 'no group', type: group, name: '', error: INVALID_REQUEST },
    { what: 'client metrics', type: clientMetrics, name: 'm', error: INVALID_REQUEST },
    { what: 'client metrics, nothing set', type: clientMetrics, name: 'm', edits: [], error: NONE },
    { what: 'a type that does not exist', type: 3, name: 'x', edits: [], error: INVALID_REQUEST },
  ] as const) {
    test(`${what} is answered as Kafka answers what cannot be changed`, async () => {
      const [answer] = await edit(await AdministeredCluster.start(), [{ type, name, edits }])
      assert.deepEqual([answer!.errorCode, answer!.errorMessage === null], [error, error === NONE])
    })
  }

  for (const { what, edits, error, message } of [
    {
      what: 'an unknown one',
      edits: [['consumer.sessions', set, '1']],
      error: INVALID_CONFIG,
      message: 'Unknown group config name: consumer.sessions',
    },
    {
      what: "one outside of the broker's bounds",
      edits: [['consumer.session.timeout.ms', set, '60001']],
      error: INVALID_CONFIG,
      message: 'consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms',
    },
    {
      what: 'one as a list',
      edits: [['consumer.session.timeout.ms', append, '1']],
      error: INVALID_CONFIG,
      message: "Can't APPEND to key consumer.session.timeout.ms because its type is not LIST.",
    },
  ] as const) {
    test(`of the configs of a group, ${what} is refused in Kafka's words`, async () => {
      const [answer] = await edit(await AdministeredCluster.start(), [{ type: group, name: 'g', edits }])
      assert.deepEqual([answer!.errorCode, answer!.errorMessage], [error, message])
    })
  }

  test('the configs of a group are set one by one or all at once, and validated without being set', async () => {
    const cluster = await AdministeredCluster.start()
    const own = () => Object.fromEntries(cluster.context(1).cluster.image.configs.get('group/g') ?? [])
    const { groupConfigs } = cluster.context(1)
    const [session, heartbeat] = ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms']
    const replacing = { kind: 'replace' as const, configs: new Map([[heartbeat, '7000']]) }
    const edits: Resource['edits'] = [[session, set, '50000']]
    assert.equal((await edit(cluster, [{ type: group, name: 'g', edits }]))[0]!.errorCode, NONE)
    assert.deepEqual(own(), { [session]: '50000' })
    assert.equal(await groupConfigs.alter('g', replacing, { validateOnly: true }), null)
    assert.deepEqual(own(), { [session]: '50000' })
    assert.equal(await groupConfigs.alter('g', replacing, { validateOnly: false }), null)
    assert.deepEqual(own(), { [heartbeat]: '7000' })
    assert.equal((await edit(cluster, [{ type: group, name: 'g', edits: [[heartbeat, remove]] }]))[0]!.errorCode, NONE)
    assert.deepEqual(own(), {})
  })

  test('a broker says which settings it cannot change', async () => {
    const edits = [
      ['num.partitions', set, '2'],
      ['node.id', set, '3'],
    ] as const
    const [answer] = await edit(await AdministeredCluster.start(), [{ type: broker, name: '1', edits }])
    assert.match(answer!.errorMessage!, /^Cannot update these configs dynamically: \[num\.partitions, node\.id\]/)
  })

  test('the rates of replication are set on a broker or on all, shown as such, and removed again', async () => {
    const cluster = await AdministeredCluster.start()
    const rate = 'leader.replication.throttled.rate'
    const change = async (name: string, ...edits: Resource['edits']) => {
      const [answer] = await edit(cluster, [{ type: broker, name, edits }])
      assert.equal(answer!.errorMessage, null)
    }
    const shown = async (name: string) => {
      const resources = [{ resourceType: broker, resourceName: name, configurationKeys: [rate] }]
      const asked = { resources, includeSynonyms: true, includeDocumentation: false }
      const response = await handleDescribeConfigs(cluster.context(4), asked)
      return response!.results[0]!.configs.map(({ value, configSource, readOnly, synonyms }) => {
        return [value, configSource, readOnly, synonyms.map((synonym) => [synonym.value, synonym.source])]
      })
    }
    assert.deepEqual(await shown('1'), [])
    await change('', [rate, set, '5000'])
    assert.deepEqual(await shown('1'), [['5000', 3, false, [['5000', 3]]]])
    await change('1', [rate, set, '7000'], ['follower.replication.throttled.rate', set, '1'])
    const both = [
      ['7000', 2],
      ['5000', 3],
    ]
    assert.deepEqual(await shown('1'), [['7000', 2, false, both]])
    assert.deepEqual(await shown(''), [['5000', 3, false, [['5000', 3]]]])
    assert.equal(cluster.cluster.view.image.configs.get('broker/1')!.get('follower.replication.throttled.rate'), '1')
    // As kafka-reassign-partitions --verify does at the end.
    await change('1', [rate, remove], ['replica.alter.log.dirs.io.max.bytes.per.second', remove])
    assert.deepEqual(await shown('1'), [['5000', 3, false, [['5000', 3]]]])
    assert.equal((await replace(cluster, '1', {}, { type: broker })).errorCode, NONE)
    assert.equal(cluster.cluster.view.image.configs.get('broker/1')!.size, 0)
  })

  for (const { what, edits, error } of [
    { what: 'below zero', edits: [['leader.replication.throttled.rate', set, '-1']], error: INVALID_REQUEST },
    { what: 'that is no number', edits: [['leader.replication.throttled.rate', set, 'x']], error: INVALID_REQUEST },
    { what: 'as a list', edits: [['leader.replication.throttled.rate', append, '1']], error: INVALID_CONFIG },
  ] as const) {
    test(`a rate ${what} is refused, and nothing of its request is set`, async () => {
      const cluster = await AdministeredCluster.start()
      const good = ['follower.replication.throttled.rate', set, '1'] as const
      const [answer] = await edit(cluster, [{ type: broker, name: '1', edits: [good, ...edits] }])
      assert.equal(answer!.errorCode, error)
      assert.equal(cluster.cluster.view.image.configs.size, 0)
    })
  }

  test('log levels are unknown to AlterConfigs', async () => {
    const answer = await replace(await AdministeredCluster.start(), '1', {}, { type: brokerLogger })
    assert.deepEqual([answer.errorCode, answer.errorMessage], [INVALID_REQUEST, 'Unknown resource type 8'])
  })
})
