import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeDocument } from '../../cluster/documents.ts'
import { partitionKey } from '../../cluster/keys.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { MetadataRequest, MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleMetadata } from './metadata.ts'

interface Asked extends Partial<Omit<MetadataRequest, 'topics'>> {
  readonly names?: readonly string[]
  readonly ids?: readonly string[]
  readonly topics?: MetadataRequest['topics']
}

async function ask(
  cluster: AdministeredCluster,
  { names, ids, ...rest }: Asked = {},
  apiVersion = 13,
  listener = 'PLAINTEXT',
): Promise<MetadataResponse> {
  const topics = [
    ...(names ?? []).map((name) => ({ name, topicId: ZERO_UUID })),
    ...(ids ?? []).map((topicId) => ({ name: null, topicId })),
  ]
  const request: MetadataRequest = {
    topics: names === undefined && ids === undefined ? null : topics,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
    ...rest,
  }
  const response = await handleMetadata(cluster.context(apiVersion, listener), request)
  assert.ok(response !== null)
  return response
}

const codesOf = ({ topics }: MetadataResponse) => topics.map(({ name, errorCode }) => [name, errorCode])

test('the answer names the cluster, its controller and its brokers', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
  const response = await ask(cluster)
  assert.equal(response.clusterId, 'Some-cluster-id-of-22c')
  assert.equal(response.controllerId, 1)
  assert.deepEqual(response.brokers, [
    { nodeId: 1, host: 'broker-1', port: 9092, rack: null },
    { nodeId: 2, host: 'broker-2', port: 9092, rack: null },
  ])
})

test('a topic comes with its partitions and their leaders', async () => {
  const cluster = await AdministeredCluster.start()
  const id = await cluster.create('orders', 2)
  const partition = { errorCode: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] }
  assert.deepEqual((await ask(cluster, { names: ['orders'] })).topics, [
    {
      errorCode: ErrorCode.NONE,
      name: 'orders',
      topicId: id,
      isInternal: false,
      partitions: [0, 1].map((partitionIndex) => ({ ...partition, partitionIndex })),
      topicAuthorizedOperations: -2_147_483_648,
    },
  ])
})

describe('which topics are answered', () => {
  const cases: { what: string; asked: Asked; version: number; names: string[] }[] = [
    { what: 'null asks for all', asked: {}, version: 1, names: ['a', 'b'] },
    { what: 'an empty list asks for none', asked: { names: [] }, version: 1, names: [] },
    { what: 'in v0 an empty list asks for all', asked: { names: [] }, version: 0, names: ['a', 'b'] },
    { what: 'a name that comes twice is answered once', asked: { names: ['a', 'a'] }, version: 9, names: ['a'] },
  ]
  for (const { what, asked, version, names } of cases) {
    test(what, async () => {
      const cluster = await AdministeredCluster.start()
      await cluster.create('a')
      await cluster.create('b')
      assert.deepEqual(
        (await ask(cluster, asked, version)).topics.map(({ name }) => name),
        names,
      )
    })
  }
})

describe('topics by id', () => {
  test('are found', async () => {
    const cluster = await AdministeredCluster.start()
    const id = await cluster.create('a')
    assert.deepEqual(codesOf(await ask(cluster, { ids: [id] }, 12)), [['a', ErrorCode.NONE]])
  })

  test('that are unknown are said to be so, without a name, and are not created', async () => {
    const cluster = await AdministeredCluster.start()
    const response = await ask(cluster, { ids: ['Some-topic-id-of-22-ch'], allowAutoTopicCreation: true }, 12)
    assert.deepEqual(codesOf(response), [[null, ErrorCode.UNKNOWN_TOPIC_ID]])
    assert.equal(response.topics[0]!.topicId, 'Some-topic-id-of-22-ch')
  })

  test('are malformed before v12', async () => {
    const cluster = await AdministeredCluster.start()
    const id = await cluster.create('a')
    const response = await ask(cluster, { ids: [id] }, 11)
    // Below v12 a topic's name cannot be null: Kafka answers an empty one, and nothing of the cluster.
    assert.deepEqual(codesOf(response), [['', ErrorCode.INVALID_REQUEST]])
    assert.deepEqual([response.brokers, response.clusterId, response.controllerId], [[], null, -1])
  })
})

describe('a topic that is not there', () => {
  test('is unknown, or its name is invalid, when nobody may create it', async () => {
    const cluster = await AdministeredCluster.start({ settings: { 'auto.create.topics.enable': 'false' } })
    const response = await ask(cluster, { names: ['a', 'b c'], allowAutoTopicCreation: true })
    assert.deepEqual(codesOf(response), [
      ['a', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ['b c', ErrorCode.INVALID_TOPIC_EXCEPTION],
    ])
    assert.equal((await ask(cluster)).topics.length, 0)
  })

  test('is not created when the client does not want it', async () => {
    const cluster = await AdministeredCluster.start()
    assert.deepEqual(codesOf(await ask(cluster, { names: ['a'] })), [['a', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]])
  })

  test('is created, and answered with its leaders', async () => {
    const cluster = await AdministeredCluster.start({ settings: { 'num.partitions': '3' } })
    const { topics } = await ask(cluster, { names: ['a'], allowAutoTopicCreation: true })
    assert.equal(topics[0]!.errorCode, ErrorCode.NONE)
    assert.deepEqual(
      topics[0]!.partitions.map(({ leaderId, errorCode }) => [leaderId, errorCode]),
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    )
  })

  test('is refused for the reason for which it cannot be created', async () => {
    const cluster = await AdministeredCluster.start({ settings: { 'default.replication.factor': '3' } })
    const response = await ask(cluster, { names: ['a', 'b c', '__transaction_state'], allowAutoTopicCreation: true })
    assert.deepEqual(codesOf(response), [
      ['a', ErrorCode.INVALID_REPLICATION_FACTOR],
      ['b c', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['__transaction_state', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
  })

  test('whose creation takes too long is answered as one to ask for again', async () => {
    const cluster = await AdministeredCluster.start({ served: () => new Promise(() => {}) })
    const answer = ask(cluster, { names: ['a'], allowAutoTopicCreation: true })
    await cluster.cluster.clock.advance(15_000)
    assert.deepEqual(codesOf(await answer), [['a', ErrorCode.LEADER_NOT_AVAILABLE]])
  })

  test('of the broker itself is created by its own settings', async () => {
    const cluster = await AdministeredCluster.start({ settings: { 'offsets.topic.num.partitions': '5' } })
    const { topics } = await ask(cluster, { names: ['__consumer_offsets'], allowAutoTopicCreation: true })
    assert.deepEqual([topics[0]!.isInternal, topics[0]!.partitions.length], [true, 5])
  })
})

describe('a partition whose leader is gone', () => {
  async function withoutLeader(): Promise<AdministeredCluster> {
    const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
    const id = await cluster.create('orders')
    const document = { replicas: [2, 1], isr: [2], leader: 2, leaderEpoch: 3, partitionEpoch: 3 }
    await cluster.cluster.store.transact(
      [{ key: 'never', modRevision: 0 }],
      [{ kind: 'put', key: partitionKey(id, 0), value: encodeDocument(document) }],
    )
    assert.equal((await ask(cluster)).topics[0]!.partitions[0]!.leaderId, 2)
    await cluster.cluster.brokers.get(2)!.membership.stop()
    await cluster.cluster.clock.settle()
    return cluster
  }

  test('has no leader, and its replicas there are offline', async () => {
    const { topics } = await ask(await withoutLeader())
    assert.deepEqual(topics[0]!.partitions, [
      {
        errorCode: ErrorCode.LEADER_NOT_AVAILABLE,
        partitionIndex: 0,
        leaderId: -1,
        leaderEpoch: 4,
        replicaNodes: [2, 1],
        isrNodes: [2],
        offlineReplicas: [2],
      },
    ])
  })

  test('in v0 names only brokers that the answer lists', async () => {
    const { topics } = await ask(await withoutLeader(), {}, 0)
    const { errorCode, replicaNodes, isrNodes } = topics[0]!.partitions[0]!
    assert.deepEqual([errorCode, replicaNodes, isrNodes], [ErrorCode.LEADER_NOT_AVAILABLE, [1], []])
  })
})

test('on a listener where no broker has an address there is nobody to reach', async () => {
  const cluster = await AdministeredCluster.start()
  await cluster.create('orders')
  const { brokers, topics } = await ask(cluster, {}, 13, 'OTHER')
  assert.deepEqual(brokers, [])
  assert.equal(topics[0]!.partitions[0]!.errorCode, ErrorCode.LEADER_NOT_AVAILABLE)
  assert.equal((await ask(cluster)).topics[0]!.partitions[0]!.errorCode, ErrorCode.NONE)
})

test('authorized operations are all, for those who ask', async () => {
  const cluster = await AdministeredCluster.start()
  await cluster.create('orders')
  const response = await ask(
    cluster,
    { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true },
    10,
  )
  // As Kafka 4 answers without an authorizer.
  assert.deepEqual([response.clusterAuthorizedOperations, response.topics[0]!.topicAuthorizedOperations], [8096, 3576])
  assert.equal((await ask(cluster)).topics[0]!.topicAuthorizedOperations, -2_147_483_648)
})

test('an answer is made anew only for topics that changed', async () => {
  const cluster = await AdministeredCluster.start()
  await cluster.create('a', 100)
  const first = (await ask(cluster, { names: ['a'] })).topics[0]
  await cluster.create('b')
  assert.equal((await ask(cluster, { names: ['a'] })).topics[0], first)
})

test('a broker that is not part of the cluster creates no topic that is asked for, and lets the client ask again', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
  await cluster.cluster.brokers.get(1)!.membership.stop()
  const response = await ask(cluster, { names: ['orders'], allowAutoTopicCreation: true })
  assert.deepEqual(codesOf(response), [['orders', ErrorCode.LEADER_NOT_AVAILABLE]])
})
