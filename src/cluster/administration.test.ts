import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { BrokerAdmin } from './broker-admin.ts'
import { PartitionAdmin } from './partition-admin.ts'
import { ProducerIds } from './producer-ids.ts'
import { ResourceConfigs } from './resource-configs.ts'
import { SeveralBrokers } from './several-brokers.sim.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'
import { TopicConfigs } from './topic-configs.ts'
import { TopicGrowth } from './topic-growth.ts'

test('without room on the disk topics are not changed, and whoever asked is told; with room they are', async () => {
  const disk = new SimulatedDisk()
  const cluster = await SmallCluster.start({ disk })
  const orders = (await cluster.topics.create([newTopic('orders')], { validateOnly: false }))[0]!
  assert.ok(orders.ok)
  disk.capacityBytes = disk.usedBytes

  const create = () => cluster.topics.create([newTopic('clicks')], { validateOnly: false })
  const alter = () =>
    cluster.topicConfigs.alter(
      'orders',
      { kind: 'replace', configs: new Map([['retention.ms', '1000']]) },
      { validateOnly: false },
    )
  const storageError = ErrorCode.KAFKA_STORAGE_ERROR
  const [created] = await create()
  assert.ok(!created!.ok && created!.error === storageError)
  assert.equal((await alter())?.error, storageError)
  const ensured = await cluster.topics.ensure('clicks')
  assert.ok('error' in ensured && ensured.error === storageError)
  const kept = await cluster.topics.delete(orders.id!)
  assert.ok(!kept.ok && kept.error === storageError)
  assert.ok(cluster.topic('orders') !== undefined)
  assert.equal(cluster.topic('clicks'), undefined)

  disk.capacityBytes = Infinity
  assert.equal(await alter(), null)
  assert.ok((await create())[0]!.ok)
  assert.ok((await cluster.topics.delete(orders.id!)).ok)
  assert.equal(cluster.topic('orders'), undefined)
})

/** Whatever an operator or a producer may ask of a broker, each as one question that answers its error, or null. */
async function questions() {
  const brokers = await SeveralBrokers.create()
  for (const id of [1, 2]) await brokers.start(id)
  const broker = brokers.running.get(2)!
  const orders = newTopic('orders', { partitions: 1, replicationFactor: 2 })
  const [created] = await brokers.finish(broker.topics.create([orders], { validateOnly: false }))
  assert.ok(created?.ok)
  const { store, view, membership } = broker
  const { settings, clock, random } = brokers
  const options = { store, view, membership, settings, clock, random, brokerId: 2, served: async () => {} }
  const growth = new TopicGrowth(options)
  const partitions = new PartitionAdmin(options)
  const configs = new TopicConfigs(options)
  const ids = new ProducerIds(options)
  const edits = [{ kind: 'set', name: 'retention.ms', value: '1000' } as const]
  const rates = [{ kind: 'set', name: 'leader.replication.throttled.rate', value: '5' } as const]
  const brokerConfigs = ResourceConfigs.ofBrokers(options)
  const index = 0
  const topic = 'orders'
  const errorOf = (answer: unknown) => (answer as { error?: ErrorCode } | null)?.error ?? null
  const ask = {
    create: async () => errorOf((await broker.topics.create([newTopic('clicks')], { validateOnly: false }))[0]),
    validate: async () => errorOf((await broker.topics.create([orders], { validateOnly: true }))[0]),
    ensure: async () => errorOf(await broker.topics.ensure('views')),
    deleteUnknown: async () => errorOf(await broker.topics.delete('AAAAAAAAAAAAAAAAAAAAAQ')),
    delete: async () => errorOf(await broker.topics.delete(created.id!)),
    grow: async () =>
      errorOf((await growth.grow([{ name: topic, count: 5, assignments: null }], { validateOnly: false }))[0]),
    alter: async () => errorOf(await configs.alter(topic, { kind: 'edit', edits }, { validateOnly: false })),
    reassign: async () =>
      errorOf(
        (await partitions.reassign([{ topic, index, replicas: [2, 1] }], { allowReplicationFactorChange: true }))[0],
      ),
    elect: async () => errorOf((await partitions.elect([{ topic, index }], 'preferred'))[0]),
    setRate: async () =>
      errorOf(await brokerConfigs.alter('2', { kind: 'edit', edits: rates }, { validateOnly: false })),
    unregister: async () => errorOf(await new BrokerAdmin(options).unregister(7)),
    producerId: async () => errorOf(await ids.nextId()),
  }
  return { brokers, broker, ask }
}

const names = Object.keys((await questions()).ask) as (keyof Awaited<ReturnType<typeof questions>>['ask'])[]

for (const name of names) {
  test(`a broker without a valid lease refuses to ${name}, and decides nothing by what it last saw`, async () => {
    const { brokers, broker, ask } = await questions()
    broker.store.cutOff()
    // Past the lease, before anybody could have told the broker.
    await brokers.clock.advance(9000 * 0.9)
    assert.equal(broker.membership.valid(), false)
    assert.equal(await brokers.finish(ask[name]()), ErrorCode.NOT_CONTROLLER)
  })

  test(`a broker whose store is away for a moment answers ${name} in a way that is tried again`, async () => {
    const { brokers, broker, ask } = await questions()
    broker.store.cutOff()
    assert.ok(broker.membership.valid())
    const error = await brokers.finish(ask[name]())
    // What is refused by rule is refused all the same.
    const byRule: Partial<Record<typeof name, ErrorCode>> = {
      validate: ErrorCode.TOPIC_ALREADY_EXISTS,
      deleteUnknown: ErrorCode.UNKNOWN_TOPIC_ID,
      elect: ErrorCode.ELECTION_NOT_NEEDED,
    }
    assert.equal(error, byRule[name] ?? ErrorCode.NOT_CONTROLLER)
  })
}

test('a lease that ends between the decision and the write keeps it from being written', async () => {
  const { brokers, broker, ask } = await questions()
  const { store, membership } = broker
  const get = store.get.bind(store)
  store.get = async (key) => {
    const found = await get(key)
    membership.valid = () => false
    return found
  }
  const { revision } = await brokers.store.list('')
  assert.equal(await brokers.finish(ask.alter()), ErrorCode.NOT_CONTROLLER)
  assert.equal((await brokers.store.list('')).revision, revision)
})
