// `startCluster` as a test file uses it: KafkaJS against three brokers in the same process, which die, come back and are cut off.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Kafka, Producer } from 'kafkajs'
import { type EmbeddedCluster, startCluster } from '../../src/testkit/index.ts'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { waitFor } from '../support/wait-for.ts'

/** One that goes on through a failover, in steps smaller than KafkaJS's own, and does not wait long for those who are silent. */
function client({ bootstrapServers }: EmbeddedCluster): Kafka {
  return kafkaJs('', {
    brokers: bootstrapServers.split(','),
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 200 },
    requestTimeout: 1000,
    connectionTimeout: 1000,
  })
}

async function createTopic(kafka: Kafka, topic: string, partitions = 1): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
  await admin.disconnect()
}

/** Sends one record after the other with acks=all, and keeps what was acknowledged. */
class Load {
  readonly acknowledged: string[] = []
  readonly #producer: Producer
  readonly #topic: string
  #stopping = false
  #running: Promise<void> = Promise.resolve()

  static async start(kafka: Kafka, topic: string): Promise<Load> {
    const producer = kafka.producer({ maxInFlightRequests: 1 })
    await producer.connect()
    const load = new Load(producer, topic)
    load.#running = load.#run()
    await load.more(10)
    return load
  }

  private constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
  }

  /** Resolves when so many more are acknowledged. */
  async more(count: number): Promise<void> {
    const enough = this.acknowledged.length + count
    await waitFor('acknowledgements', () => this.acknowledged.length >= enough)
  }

  async stop(): Promise<readonly string[]> {
    this.#stopping = true
    await this.#running
    await this.#producer.disconnect()
    return this.acknowledged
  }

  async #run(): Promise<void> {
    for (let n = 0; !this.#stopping; n++) {
      await this.#producer.send({ topic: this.#topic, acks: -1, messages: [{ key: 'k', value: String(n) }] })
      this.acknowledged.push(String(n))
    }
  }
}

/** A retry after a broker's death may write a record twice; none may be missing, and none comes before an earlier one did. */
function assertKept(seen: readonly (string | null)[], acknowledged: readonly string[]): void {
  const first = [...new Set(seen)]
  assert.deepEqual(
    acknowledged.filter((value) => !first.includes(value)),
    [],
    'acknowledged records are missing',
  )
  assert.deepEqual(
    first,
    first.toSorted((a, b) => Number(a) - Number(b)),
    'records are out of order',
  )
}

// Most of the time is spent waiting until a death is believed.
describe('startCluster', { concurrency: 4 }, () => {
  void test('three brokers keep each record three times', async (t) => {
    await using cluster = await startCluster()
    assert.deepEqual(
      cluster.brokers.map(({ id, state }) => `${id} ${state}`),
      ['1 running', '2 running', '3 running'],
    )
    const kafka = client(cluster)
    await createTopic(kafka, 'orders', 3)
    const admin = kafka.admin()
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
    const { clusterId, brokers } = await admin.describeCluster()
    await admin.disconnect()
    assert.deepEqual([clusterId, brokers.length], [cluster.clusterId, 3])
    const leaders = topics[0]!.partitions.map(({ leader, isr }) => [leader, isr.toSorted((a, b) => a - b)])
    assert.deepEqual(new Set(leaders.map(([leader]) => leader)), new Set([1, 2, 3]))
    for (const [, isr] of leaders) assert.deepEqual(isr, [1, 2, 3])
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: ['a', 'b', 'c', 'd'].map((value) => ({ key: value, value })) })
    await producer.disconnect()
    const member = await Member.join(t, kafka, { groupId: 'g', topic: 'orders' })
    await member.until(4)
    assert.deepEqual(new Set(member.values), new Set(['a', 'b', 'c', 'd']))
    await member.leave()
  })

  void test('nothing acknowledged is lost when the leader is killed, and the broker catches up when it is back', async (t) => {
    await using cluster = await startCluster()
    const kafka = client(cluster)
    await createTopic(kafka, 'orders')
    const load = await Load.start(kafka, 'orders')
    const leader = cluster.leaderOf('orders', 0)!
    await cluster.kill(leader)
    assert.equal(cluster.brokers[leader - 1]!.state, 'stopped')
    await load.more(20)
    assert.notEqual(cluster.leaderOf('orders', 0), leader)
    await cluster.restart(leader)
    await cluster.settled()
    const second = cluster.leaderOf('orders', 0)!
    await cluster.kill(second)
    await load.more(20)
    const acknowledged = await load.stop()
    const member = await Member.join(t, kafka, { groupId: 'g', topic: 'orders' })
    await waitFor('all records', () => member.values.includes(acknowledged.at(-1)!))
    assertKept(member.values, acknowledged)
    await member.leave()
  })

  void test('a group goes on where it was when its coordinator dies', async (t) => {
    const settings = { 'offsets.topic.num.partitions': 1, 'group.min.session.timeout.ms': 500 }
    await using cluster = await startCluster({ settings })
    const kafka = client(cluster)
    await createTopic(kafka, 'orders')
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', acks: -1, messages: [{ value: '0' }, { value: '1' }] })
    const member = await Member.join(t, kafka, {
      groupId: 'g',
      topic: 'orders',
      // KafkaJS asks a coordinator that is dead until it gives up, and joins as another member; this one is gone after its session.
      retry: { retries: 5 },
      sessionTimeout: 1500,
      run: { autoCommitThreshold: 1 },
    })
    await member.until(2)
    const coordinator = cluster.leaderOf('__consumer_offsets', 0)!
    await cluster.kill(coordinator)
    await waitFor('another coordinator', () => ![null, coordinator].includes(cluster.leaderOf('__consumer_offsets', 0)))
    await producer.send({ topic: 'orders', acks: -1, messages: [{ value: '2' }] })
    await producer.disconnect()
    await member.until(3)
    assert.deepEqual([...new Set(member.values)], ['0', '1', '2'])
    const admin = kafka.admin()
    await admin.connect()
    await waitFor('the commit', async () => {
      const [orders] = await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] })
      return orders?.partitions[0]?.offset === '3'
    })
    await admin.disconnect()
    await member.leave()
    const next = await Member.join(t, kafka, { groupId: 'g', topic: 'orders' })
    const last = kafka.producer()
    await last.connect()
    await last.send({ topic: 'orders', acks: -1, messages: [{ value: '3' }] })
    await last.disconnect()
    await next.until(1)
    assert.deepEqual(next.values, ['3'])
    await next.leave()
  })

  void test('a leader that is cut off is replaced, acknowledges nothing meanwhile, and follows when it is back', async (t) => {
    await using cluster = await startCluster()
    const kafka = client(cluster)
    await createTopic(kafka, 'orders')
    const load = await Load.start(kafka, 'orders')
    const leader = cluster.leaderOf('orders', 0)!
    cluster.isolate(leader)
    assert.equal(cluster.brokers[leader - 1]!.state, 'isolated')
    await load.more(20)
    assert.notEqual(cluster.leaderOf('orders', 0), leader)
    cluster.heal(leader)
    await cluster.settled()
    await load.more(5)
    const acknowledged = await load.stop()
    const member = await Member.join(t, kafka, { groupId: 'g', topic: 'orders' })
    await waitFor('all records', () => member.values.includes(acknowledged.at(-1)!))
    assertKept(member.values, acknowledged)
    await member.leave()
  })

  void test('a leader that falls silent is replaced, and learns of it when it is heard again', async () => {
    await using cluster = await startCluster()
    await createTopic(client(cluster), 'orders')
    const leader = cluster.leaderOf('orders', 0)!
    cluster.isolate(leader, { silently: true })
    await waitFor('another leader', () => ![null, leader].includes(cluster.leaderOf('orders', 0)))
    const others = cluster.brokers.filter(({ id }) => id !== leader)
    const producer = kafkaJs('', { brokers: others.map(({ host, port }) => `${host}:${port}`) }).producer()
    await producer.connect()
    await producer.send({ topic: 'orders', acks: -1, messages: [{ value: '0' }] })
    await producer.disconnect()
    cluster.heal(leader)
    await cluster.settled()
  })

  void test('a restart in order moves the leaderships before the broker goes: its clients hardly notice', async () => {
    await using cluster = await startCluster()
    const kafka = client(cluster)
    await createTopic(kafka, 'orders')
    const load = await Load.start(kafka, 'orders')
    const leader = cluster.leaderOf('orders', 0)!
    const before = performance.now()
    await cluster.restart(leader)
    await load.more(5)
    // Far less than the session of 2 s that a death takes.
    assert.ok(performance.now() - before < 1500)
    await cluster.settled()
    await load.stop()
  })

  void test('a folder keeps the records of all brokers for the next cluster', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'odradek-testkit-'))
    t.after(() => rm(data, { recursive: true, force: true }))
    const first = await startCluster({ data })
    const producer = client(first).producer()
    await producer.connect()
    await producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'a' }] })
    await producer.disconnect()
    await assert.rejects(startCluster({ data }), /in use/)
    await first.stop()
    await using second = await startCluster({ data })
    assert.equal(second.clusterId, first.clusterId)
    await second.settled()
    const member = await Member.join(t, client(second), { groupId: 'g', topic: 'orders' })
    await member.until(1)
    assert.deepEqual(member.values, ['a'])
    await member.leave()
  })

  void test('racks, settings and the number of brokers are as they were asked for', async () => {
    await using cluster = await startCluster({ brokers: 2, racks: ['a', 'b'], settings: { 'num.partitions': 2 } })
    const kafka = client(cluster)
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'made', acks: -1, messages: [{ value: '1' }] })
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    await admin.disconnect()
    assert.deepEqual(
      topics[0]!.partitions.map(({ replicas }) => replicas.length),
      [2, 2],
    )
    assert.equal(cluster.brokers.length, 2)
  })

  void test('what cannot be says why', async () => {
    await assert.rejects(startCluster({ settings: { 'log.dir': '/x' } }), /give startCluster\(\{ data \}\)/)
    await assert.rejects(startCluster({ settings: { 'num.partition': 1 } }), /did you mean 'num.partitions'/)
    await using cluster = await startCluster({ brokers: 1 })
    await assert.rejects(cluster.kill(2), /there is no broker 2/)
    assert.equal(cluster.leaderOf('nothing', 0), null)
  })
})
