import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { ClusterViewOfStore } from './cluster-view.ts'
import { creationsPrefix, keyPrefix, partitionsPrefix } from './keys.ts'
import { type MetaStore, UnknownOutcome } from './meta-store.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'
import { type NewTopic, TopicAdmin, type TopicCreation } from './topic-admin.ts'

const validateOnly = false

async function create(topics: TopicAdmin, topic: NewTopic): Promise<TopicCreation> {
  return (await topics.create([topic], { validateOnly }))[0]!
}

test('a created topic is in the image, with a leader for each partition', async () => {
  const cluster = await SmallCluster.start()
  const created = await create(cluster.topics, newTopic('orders', { partitions: 3 }))
  assert.ok(created.ok)
  const topic = cluster.topic('orders')
  assert.equal(topic?.id, created.id)
  assert.deepEqual(
    topic?.partitions,
    [0, 1, 2].map((index) => ({
      index,
      revision: cluster.view.image.revision,
      replicas: [1],
      isr: [1],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
      adding: [],
      removing: [],
      failed: [],
    })),
  )
})

test('creation is answered when the new partitions are served', async () => {
  let serve = () => {}
  const served = new Promise<void>((resolve) => {
    serve = resolve
  })
  const cluster = await SmallCluster.start({ served: () => served })
  let answered = false
  const creation = create(cluster.topics, newTopic('orders')).then(() => (answered = true))
  await cluster.clock.settle()
  assert.deepEqual([cluster.topic('orders') !== undefined, answered], [true, false])
  serve()
  await creation
})

test('what is not said has the defaults of the broker', async () => {
  const cluster = await SmallCluster.start({
    brokers: [1, 2, 3],
    settings: { 'num.partitions': '4', 'default.replication.factor': '2' },
  })
  const created = await create(cluster.topics, newTopic('orders'))
  assert.ok(created.ok)
  assert.deepEqual([created.partitions, created.replicationFactor], [4, 2])
  assert.ok(cluster.topic('orders')!.partitions.every(({ isr }) => isr.length === 2))
})

test('a manual assignment is kept as it is', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2, 3] })
  const assignments = [
    { partitionIndex: 0, brokerIds: [3, 1] },
    { partitionIndex: 1, brokerIds: [2, 3] },
  ]
  assert.ok((await create(cluster.topics, newTopic('orders', { assignments }))).ok)
  assert.deepEqual(
    cluster.topic('orders')!.partitions.map(({ replicas, leader }) => [replicas, leader]),
    [
      [[3, 1], 3],
      [[2, 3], 2],
    ],
  )
})

describe('a topic is refused', () => {
  const assignments = [{ partitionIndex: 0, brokerIds: [1] }]
  const cases: { what: string; topic: Partial<NewTopic> & { name?: string }; error: ErrorCode; message: RegExp }[] = [
    { what: 'with a bad name', topic: { name: 'a b' }, error: ErrorCode.INVALID_TOPIC_EXCEPTION, message: /invalid/ },
    { what: 'when it exists', topic: { name: 'there.is' }, error: ErrorCode.TOPIC_ALREADY_EXISTS, message: /exists/ },
    {
      what: 'when its name collides',
      topic: { name: 'there_is' },
      error: ErrorCode.INVALID_TOPIC_EXCEPTION,
      message: /collides with existing topic: there\.is/,
    },
    { what: 'without partitions', topic: { partitions: 0 }, error: ErrorCode.INVALID_PARTITIONS, message: /non-pos/ },
    {
      what: 'with a negative number of partitions',
      topic: { partitions: -2 },
      error: ErrorCode.INVALID_PARTITIONS,
      message: /non-positive/,
    },
    {
      what: 'without replicas',
      topic: { replicationFactor: 0 },
      error: ErrorCode.INVALID_REPLICATION_FACTOR,
      message: /larger than 0/,
    },
    {
      what: 'with more replicas than brokers',
      topic: { replicationFactor: 2 },
      error: ErrorCode.INVALID_REPLICATION_FACTOR,
      message: /only 1 broker\(s\) are registered/,
    },
    {
      what: 'with an assignment and a number of partitions',
      topic: { assignments, partitions: 1 },
      error: ErrorCode.INVALID_REQUEST,
      message: /numPartitions was not set to -1/,
    },
    {
      what: 'with an assignment and a number of replicas',
      topic: { assignments, replicationFactor: 1 },
      error: ErrorCode.INVALID_REQUEST,
      message: /replication factor was not set to -1/,
    },
    {
      what: 'with an assignment to a broker that is not there',
      topic: { assignments: [{ partitionIndex: 0, brokerIds: [7] }] },
      error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      message: /broker 7/,
    },
    {
      what: 'with an unknown config',
      topic: { configs: new Map([['retention', '1']]) },
      error: ErrorCode.INVALID_CONFIG,
      message: /Unknown topic config name: retention/,
    },
    {
      what: 'with a bad value of a config',
      topic: { configs: new Map([['retention.ms', '-2']]) },
      error: ErrorCode.INVALID_CONFIG,
      message: /Invalid value -2 for configuration retention.ms: Value must be at least -1/,
    },
    {
      what: 'with a config without a value',
      topic: { configs: new Map([['retention.ms', null]]) },
      error: ErrorCode.INVALID_CONFIG,
      message: /Null value not supported for topic configs: retention.ms/,
    },
  ]
  for (const { what, topic, error, message } of cases) {
    for (const validateOnly of [false, true]) {
      test(`${what}${validateOnly ? ', when only validated' : ''}`, async () => {
        const cluster = await SmallCluster.start()
        await create(cluster.topics, newTopic('there.is'))
        const { revision } = cluster.view.image
        const [refused] = await cluster.topics.create([newTopic('orders', topic)], { validateOnly })
        assert.ok(refused !== undefined && !refused.ok)
        assert.equal(refused.error, error)
        assert.match(refused.message, message)
        assert.equal((await cluster.store.list('')).revision, revision, 'nothing was written')
      })
    }
  }
})

test('a name that comes twice in a request is refused each time, the others are created', async () => {
  const cluster = await SmallCluster.start()
  const topics = ['a', 'b', 'a'].map((name) => newTopic(name))
  const results = await cluster.topics.create(topics, { validateOnly })
  assert.deepEqual(
    results.map((result) => (result.ok ? 'ok' : result.error)),
    [ErrorCode.INVALID_REQUEST, 'ok', ErrorCode.INVALID_REQUEST],
  )
})

test('a request for more than 10,000 partitions is refused', async () => {
  const cluster = await SmallCluster.start()
  const topics = [newTopic('a', { partitions: 10_000 }), newTopic('b', { partitions: 1 })]
  const results = await cluster.topics.create(topics, { validateOnly })
  assert.ok(results.every((result) => !result.ok && result.error === ErrorCode.POLICY_VIOLATION))
})

test('validation alone creates nothing', async () => {
  const cluster = await SmallCluster.start()
  const [result] = await cluster.topics.create([newTopic('orders')], { validateOnly: true })
  assert.deepEqual([result!.ok, cluster.topic('orders')], [true, undefined])
})

test('of two creations at the same time one wins', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const results = await Promise.all([
    create(cluster.topics, newTopic('orders', { partitions: 2 })),
    create(cluster.admin(2), newTopic('orders', { partitions: 2 })),
  ])
  assert.equal(results.filter((result) => result.ok).length, 1)
  assert.ok(results.some((result) => !result.ok && result.error === ErrorCode.TOPIC_ALREADY_EXISTS))
  assert.equal((await cluster.store.list(partitionsPrefix)).entries.length, 2)
})

test('names that collide cannot be created at the same time', async () => {
  const cluster = await SmallCluster.start()
  const results = await cluster.topics.create([newTopic('a.b'), newTopic('a_b')], { validateOnly })
  assert.deepEqual(
    results.map((result) => result.ok),
    [true, false],
  )
})

describe('a topic of many partitions', () => {
  test('appears at once', async () => {
    const cluster = await SmallCluster.start()
    const seen: number[] = []
    cluster.view.subscribe(({ after }) => seen.push(after.topicsByName.get('big')?.partitions.length ?? 0))
    assert.ok((await create(cluster.topics, newTopic('big', { partitions: 1000 }))).ok)
    assert.deepEqual([...new Set(seen)], [1000])
    assert.deepEqual((await cluster.store.list(creationsPrefix)).entries, [])
  })

  test('leaves nothing behind when another broker was first', async () => {
    const cluster = await SmallCluster.start({ brokers: [1, 2] })
    const results = await Promise.all([
      create(cluster.topics, newTopic('big', { partitions: 200 })),
      create(cluster.admin(2), newTopic('big', { partitions: 200 })),
    ])
    assert.equal(results.filter((result) => result.ok).length, 1)
    assert.equal((await cluster.store.list(partitionsPrefix)).entries.length, 200)
    assert.deepEqual((await cluster.store.list(creationsPrefix)).entries, [])
  })

  test('is there after a crash as a whole or not at all, and leaves no litter', async () => {
    let whole = 0
    for (let step = 1; step <= 8; step++) {
      const disk = new SimulatedDisk()
      const cluster = await SmallCluster.start({ disk })
      disk.haltAt(step)
      await create(cluster.topics, newTopic('big', { partitions: 200 })).catch(() => undefined)
      const found = await SmallCluster.start({ disk: disk.crash(cluster.random) })
      const partitions = found.topic('big')?.partitions.length ?? 0
      assert.equal((await found.store.list(partitionsPrefix)).entries.length, partitions, `step ${step}`)
      assert.deepEqual((await found.store.list(creationsPrefix)).entries, [])
      if (partitions === 200) whole++
      else assert.equal(partitions, 0)
    }
    assert.ok(whole > 0 && whole < 8, `${whole} of 8 crashes came too late`)
  })
})

describe('ensure', () => {
  test('shares one creation among all who ask at the same time', async () => {
    const cluster = await SmallCluster.start()
    const { revision } = cluster.view.image
    const topics = await Promise.all(Array.from({ length: 10 }, () => cluster.topics.ensure('orders')))
    assert.equal(new Set(topics).size, 1)
    assert.equal(cluster.view.image.revision, revision + 1)
  })

  test('keeps whoever asks later waiting until the new partitions are served', async () => {
    let serve = () => {}
    const served = new Promise<void>((resolve) => {
      serve = resolve
    })
    const cluster = await SmallCluster.start({ served: () => served })
    const first = cluster.topics.ensure('orders')
    await cluster.clock.settle()
    assert.ok(cluster.topic('orders'))
    let answered = false
    const second = cluster.topics.ensure('orders').finally(() => (answered = true))
    await cluster.clock.settle()
    assert.equal(answered, false)
    serve()
    assert.equal(await second, await first)
  })

  test('gives the topic that another broker has just created', async () => {
    const cluster = await SmallCluster.start({ brokers: [1, 2] })
    const [mine, other] = await Promise.all([cluster.topics.ensure('a'), cluster.admin(2).ensure('a')])
    assert.ok(!('ok' in mine))
    assert.deepEqual(mine, other)
  })

  test('refuses what may not be created', async () => {
    const cluster = await SmallCluster.start()
    const refused = await cluster.topics.ensure('a b')
    assert.ok('ok' in refused && refused.error === ErrorCode.INVALID_TOPIC_EXCEPTION)
    const internal = await cluster.topics.ensure('__transaction_state')
    assert.ok('ok' in internal && internal.error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('makes __consumer_offsets by its own settings, on as many brokers as there are', async () => {
    const cluster = await SmallCluster.start({
      brokers: [1, 2],
      settings: {
        'offsets.topic.num.partitions': '7',
        'offsets.topic.segment.bytes': '2000000',
        'num.partitions': '3',
      },
    })
    const topic = await cluster.topics.ensure('__consumer_offsets')
    assert.ok(!('ok' in topic))
    assert.equal(topic.internal, true)
    assert.deepEqual([topic.partitions.length, topic.partitions[0]!.replicas.length], [7, 2])
    assert.deepEqual(Object.fromEntries(topic.configs), {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': '2000000',
    })
  })
})

describe('a deleted topic', () => {
  test('is gone with everything it had, and its name is free', async () => {
    const cluster = await SmallCluster.start()
    const before = (await cluster.store.list(keyPrefix)).entries.map(({ key }) => key)
    const configs = new Map([['retention.ms', '1000']])
    const created = await create(cluster.topics, newTopic('orders', { partitions: 150, configs }))
    assert.ok(created.ok)
    assert.deepEqual(await cluster.topics.delete(created.id!), { ok: true, name: 'orders', id: created.id })
    assert.equal(cluster.topic('orders'), undefined)
    assert.deepEqual(
      (await cluster.store.list(keyPrefix)).entries.map(({ key }) => key),
      before,
    )
    const again = await create(cluster.topics, newTopic('orders'))
    assert.ok(again.ok && again.id !== created.id)
    assert.equal(cluster.topic('orders')!.configs.size, 0)
  })

  test('is deleted once', async () => {
    const cluster = await SmallCluster.start()
    const created = await create(cluster.topics, newTopic('orders'))
    assert.ok(created.ok)
    const results = await Promise.all([cluster.topics.delete(created.id!), cluster.topics.delete(created.id!)])
    assert.deepEqual(
      results.map((result) => (result.ok ? 'ok' : result.error)),
      ['ok', ErrorCode.UNKNOWN_TOPIC_ID],
    )
  })

  test('does not take a new topic of its name along', async () => {
    const cluster = await SmallCluster.start({ brokers: [1, 2] })
    const created = await create(cluster.topics, newTopic('orders'))
    assert.ok(created.ok)
    const [deleted, again] = await Promise.all([
      cluster.topics.delete(created.id!).then(() => create(cluster.topics, newTopic('orders'))),
      cluster.admin(2).delete(created.id!),
    ])
    assert.ok(deleted.ok)
    assert.ok(!again.ok)
    assert.equal(cluster.topic('orders')?.id, deleted.id)
  })
})

test('a topic that was created and deleted before its creator knew does not come back', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const { store, view, settings, clock, random } = cluster
  const seen = new Set<string>()
  const lossy: MetaStore = {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    compareAndSwapMany: (fence, items) => store.compareAndSwapMany(fence, items),
    watch: (prefix, from, handler) => store.watch(prefix, from, handler),
    lease: (ttlMs) => store.lease(ttlMs),
    close: () => store.close(),
    // The answer to the first creation is lost, and somebody deletes the topic before its creator looks.
    async transact(guards, writes) {
      const result = await store.transact(guards, writes)
      const id = cluster.topic('orders')?.id
      if (id === undefined || seen.size > 0) return result
      seen.add(id)
      assert.ok((await cluster.admin(2).delete(id)).ok)
      throw new UnknownOutcome('the answer was lost')
    },
  }
  const membership = cluster.membershipOf(1)
  const topics = new TopicAdmin({
    store: lossy,
    view,
    settings,
    membership,
    brokerId: 1,
    clock,
    random,
    served: async () => {},
  })
  const created = await create(topics, newTopic('orders'))
  assert.equal(seen.size, 1)
  assert.deepEqual(created.ok || created.error, ErrorCode.NOT_CONTROLLER)
  assert.equal(cluster.topic('orders'), undefined)
})

test('a broker that lost its registration changes nothing, even if it does not know yet', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const created = await create(cluster.topics, newTopic('there'))
  assert.ok(created.ok)
  const { store, settings, random } = cluster
  const view = await ClusterViewOfStore.open({ store, onFault: (error) => assert.fail(String(error)) })
  view.close()
  const stale = new TopicAdmin({
    store,
    view,
    settings,
    clock: cluster.clock,
    random,
    brokerId: 2,
    membership: { valid: () => true },
    served: async () => {},
  })
  await cluster.brokers.get(2)!.membership.stop()
  for (const topics of [cluster.admin(2), stale]) {
    const refused = await create(topics, newTopic('orders', { replicationFactor: 1 }))
    assert.ok(!refused.ok && refused.error === ErrorCode.NOT_CONTROLLER)
    const deleted = await topics.delete(created.id!)
    assert.ok(!deleted.ok && deleted.error === ErrorCode.NOT_CONTROLLER)
  }
  assert.deepEqual([...cluster.view.image.topicsByName.keys()], ['there'])
})

test('topics survive a restart of the broker', async () => {
  const disk = new MemoryDisk()
  const cluster = await SmallCluster.start({ disk })
  const configs = new Map([['retention.ms', '1000']])
  await create(cluster.topics, newTopic('orders', { partitions: 2, configs }))
  const before = cluster.topic('orders')
  await cluster.stop()
  const restarted = await SmallCluster.start({ disk })
  const after = restarted.topic('orders')
  assert.equal(after?.id, before?.id)
  assert.deepEqual(after?.configs, configs)
})
