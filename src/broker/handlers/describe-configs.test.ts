import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/apis/describe-configs.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleDescribeConfigs } from './describe-configs.ts'

const topic = 2
const broker = 4
const brokerLogger = 8
const clientMetrics = 16
const group = 32

interface Asked extends Partial<Omit<DescribeConfigsRequest, 'resources'>> {
  readonly keys?: readonly string[] | null
}

async function describeConfigs(
  cluster: AdministeredCluster,
  resourceType: number,
  resourceName: string,
  { keys = null, ...options }: Asked = {},
): Promise<DescribeConfigsResponse['results'][number]> {
  const response = await handleDescribeConfigs(cluster.context(4), {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    includeSynonyms: false,
    includeDocumentation: false,
    ...options,
  })
  assert.equal(response?.results.length, 1)
  return response.results[0]!
}

test('a topic is described with what was set on it, on the broker, and by default', async () => {
  const cluster = await AdministeredCluster.start({ settings: { 'message.max.bytes': '999' } })
  await cluster.create('orders', 1, { 'segment.bytes': '2000000', 'retention.ms': '5' })
  const result = await describeConfigs(cluster, topic, 'orders')
  assert.deepEqual([result.errorCode, result.resourceType, result.resourceName], [ErrorCode.NONE, topic, 'orders'])
  const found = new Map(result.configs.map((config) => [config.name, config]))
  assert.deepEqual(found.get('segment.bytes'), {
    name: 'segment.bytes',
    value: '2000000',
    readOnly: false,
    configSource: 1,
    isSensitive: false,
    synonyms: [],
    configType: 3,
    documentation: null,
  })
  assert.deepEqual([found.get('max.message.bytes')!.value, found.get('max.message.bytes')!.configSource], ['999', 4])
  assert.equal(found.get('flush.policy')!.configSource, 5)
  assert.equal(found.get('retention.ms')!.value, '5')
})

test('synonyms and documentation come when asked for', async () => {
  const cluster = await AdministeredCluster.start()
  await cluster.create('orders', 1, { 'segment.bytes': '2000000' })
  const asked = { keys: ['segment.bytes'], includeSynonyms: true, includeDocumentation: true }
  const [config] = (await describeConfigs(cluster, topic, 'orders', asked)).configs
  assert.deepEqual(config!.synonyms, [
    { name: 'segment.bytes', value: '2000000', source: 1 },
    { name: 'log.segment.bytes', value: '1073741824', source: 5 },
  ])
  assert.match(config!.documentation!, /segment/)
})

for (const [what, keys, expected] of [
  ['only the keys that were asked for', ['compression.type', 'no.such'], ['compression.type']],
  ['all for an empty list of keys', [], null],
] as const) {
  test(`there are ${what}`, async () => {
    const cluster = await AdministeredCluster.start()
    await cluster.create('orders')
    const { configs } = await describeConfigs(cluster, topic, 'orders', { keys })
    if (expected === null) assert.ok(configs.length > 10)
    else
      assert.deepEqual(
        configs.map(({ name }) => name),
        expected,
      )
  })
}

test('this broker describes itself, read only', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [3], settings: { 'num.partitions': '9' } })
  const { configs } = await describeConfigs(cluster, broker, '3')
  const found = configs.find(({ name }) => name === 'num.partitions')!
  assert.deepEqual([found.value, found.configSource, found.readOnly, found.configType], ['9', 4, true, 3])
})

test('nothing was set for all brokers, for loggers or for client metrics', async () => {
  const cluster = await AdministeredCluster.start()
  for (const [type, name] of [
    [broker, ''],
    [brokerLogger, '1'],
    [clientMetrics, 'm'],
  ] as const) {
    const { errorCode, configs } = await describeConfigs(cluster, type, name)
    assert.deepEqual([errorCode, configs], [ErrorCode.NONE, []])
  }
})

test('a group is described with what was set on it, whether it exists or not', async () => {
  const cluster = await AdministeredCluster.start({ settings: { 'group.consumer.heartbeat.interval.ms': '6000' } })
  const change = {
    kind: 'edit' as const,
    edits: [{ kind: 'set' as const, name: 'consumer.session.timeout.ms', value: '46000' }],
  }
  assert.equal(await cluster.context(4).groupConfigs.alter('g', change, { validateOnly: false }), null)
  const shown = async (name: string) =>
    (await describeConfigs(cluster, group, name)).configs.map((config) => [
      config.name,
      config.value,
      config.configSource,
    ])
  const byBroker = ['consumer.heartbeat.interval.ms', '6000', 4]
  const byDefault = ['consumer.assignment.interval.ms', '1000', 5]
  assert.deepEqual(await shown('g'), [byDefault, byBroker, ['consumer.session.timeout.ms', '46000', 8]])
  assert.deepEqual(await shown('other'), [byDefault, byBroker, ['consumer.session.timeout.ms', '45000', 5]])
})

describe('a resource is refused', () => {
  for (const { what, type, name, error } of [
    { what: 'a topic that is not there', type: topic, name: 'a', error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { what: 'a topic with a bad name', type: topic, name: 'a b', error: ErrorCode.INVALID_TOPIC_EXCEPTION },
    { what: 'another broker', type: broker, name: '2', error: ErrorCode.INVALID_REQUEST },
    { what: 'a broker that is no number', type: broker, name: 'x', error: ErrorCode.INVALID_REQUEST },
    { what: 'the loggers of no broker', type: brokerLogger, name: '', error: ErrorCode.INVALID_REQUEST },
    { what: 'the loggers of another broker', type: brokerLogger, name: '2', error: ErrorCode.INVALID_REQUEST },
    { what: 'client metrics without a name', type: clientMetrics, name: '', error: ErrorCode.INVALID_REQUEST },
    { what: 'a group without a name', type: group, name: '', error: ErrorCode.INVALID_REQUEST },
    { what: 'a type that does not exist', type: 3, name: 'x', error: ErrorCode.INVALID_REQUEST },
  ]) {
    test(what, async () => {
      const result = await describeConfigs(await AdministeredCluster.start(), type, name)
      assert.deepEqual([result.errorCode, result.configs], [error, []])
      assert.ok(result.errorMessage)
    })
  }
})
