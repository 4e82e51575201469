import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/apis/create-topics.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleCreateTopics } from './create-topics.ts'

type Topic = CreateTopicsRequest['topics'][number]

async function create(
  cluster: AdministeredCluster,
  topics: readonly (Partial<Topic> & { readonly name: string })[],
  options: Partial<CreateTopicsRequest> = {},
): Promise<CreateTopicsResponse['topics']> {
  const request: CreateTopicsRequest = {
    topics: topics.map((topic) => ({
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
      ...topic,
    })),
    timeoutMs: 60_000,
    validateOnly: false,
    ...options,
  }
  const response = await handleCreateTopics(cluster.context(7), request)
  assert.ok(response !== null)
  return response.topics
}

test('what was created is answered: id, numbers and configs with their sources', async () => {
  const cluster = await AdministeredCluster.start({ settings: { 'message.max.bytes': '999' } })
  const configs = [{ name: 'segment.bytes', value: '2000000' }]
  const [topic] = await create(cluster, [{ name: 'orders', numPartitions: 4, configs }])
  assert.deepEqual(
    [topic!.errorCode, topic!.errorMessage, topic!.numPartitions, topic!.replicationFactor],
    [ErrorCode.NONE, null, 4, 1],
  )
  assert.equal(topic!.topicId, cluster.cluster.topic('orders')!.id)
  const config = (name: string) => topic!.configs!.find((entry) => entry.name === name)
  const common = { readOnly: false, isSensitive: false }
  assert.deepEqual(config('segment.bytes'), { name: 'segment.bytes', value: '2000000', configSource: 1, ...common })
  assert.deepEqual(config('max.message.bytes'), { name: 'max.message.bytes', value: '999', configSource: 4, ...common })
  assert.equal(config('min.insync.replicas')!.configSource, 5)
})

test('each topic has its own error, and the others are created', async () => {
  const cluster = await AdministeredCluster.start()
  const topics = await create(cluster, [{ name: 'a b' }, { name: 'good' }, { name: 'x', replicationFactor: 3 }])
  assert.deepEqual(
    topics.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['a b', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['good', ErrorCode.NONE],
      ['x', ErrorCode.INVALID_REPLICATION_FACTOR],
    ],
  )
  assert.deepEqual(topics[0], {
    name: 'a b',
    topicId: ZERO_UUID,
    errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION,
    errorMessage: topics[0]!.errorMessage,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  })
  assert.match(topics[0].errorMessage!, /invalid/)
})

test('a name that comes twice is refused and answered once', async () => {
  const cluster = await AdministeredCluster.start()
  const topics = await create(cluster, [{ name: 'a' }, { name: 'a' }])
  assert.deepEqual(
    topics.map(({ name, errorCode }) => [name, errorCode]),
    [['a', ErrorCode.INVALID_REQUEST]],
  )
})

test('the metadata log cannot be created as a topic', async () => {
  const cluster = await AdministeredCluster.start()
  const [topic] = await create(cluster, [{ name: '__cluster_metadata' }])
  assert.equal(topic!.errorCode, ErrorCode.INVALID_REQUEST)
  assert.equal(cluster.cluster.topic('__cluster_metadata'), undefined)
})

test('validation answers as creation, and creates nothing', async () => {
  const cluster = await AdministeredCluster.start()
  const [topic] = await create(cluster, [{ name: 'a', numPartitions: 2 }], { validateOnly: true })
  assert.deepEqual([topic!.errorCode, topic!.numPartitions, topic!.topicId], [ErrorCode.NONE, 2, ZERO_UUID])
  assert.equal(cluster.cluster.topic('a'), undefined)
})

test('a creation that takes longer than the client waits is answered in time', async () => {
  const cluster = await AdministeredCluster.start({ served: () => new Promise(() => {}) })
  const answer = create(cluster, [{ name: 'a' }], { timeoutMs: 1000 })
  await cluster.cluster.clock.advance(1000)
  assert.equal((await answer)[0]!.errorCode, ErrorCode.REQUEST_TIMED_OUT)
})
