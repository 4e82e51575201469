// Other people's clients and tools against three brokers: kcat, and Apache Kafka's for whoever runs a cluster.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Admin } from 'kafkajs'
import { after, before, describe, test } from 'node:test'
import { ClusterProcess } from '../support/cluster-process.ts'
import { ConfigResourceTypes, kafkaJs } from '../support/kafkajs-client.ts'
import { kafkaTool, kcat, withoutKafkaTools, withoutKcat } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

let cluster: ClusterProcess
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odradek-tools-'))
  cluster = await ClusterProcess.start({
    settings: { 'offsets.topic.num.partitions': '1', 'broker.session.timeout.ms': '2000' },
  })
})
after(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Of brokers that are not frozen: one that is never answers. */
async function withAdmin<T>(work: (admin: Admin) => Promise<T>, asked = cluster.addresses): Promise<T> {
  const admin = kafkaJs('', { brokers: [...asked], requestTimeout: 1000 }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

async function createTopic(topic: string, assignment: readonly (readonly number[])[]): Promise<void> {
  const replicaAssignment = assignment.map((replicas, partition) => ({ partition, replicas: [...replicas] }))
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, replicaAssignment }] }))
}

function isrOf(topic: string, asked = cluster.addresses): Promise<readonly number[]> {
  return withAdmin(async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0]!.partitions[0]!.isr
  }, asked)
}

/** Nothing is heard of the broker until `work` is done; it begins when the cluster counts on the broker no longer. */
async function whileAway(brokerId: number, work: (others: readonly string[]) => Promise<void>): Promise<void> {
  const pid = cluster.pidOf(brokerId)
  const others = cluster.without(brokerId)
  process.kill(pid, 'SIGSTOP')
  try {
    await waitFor('a broker to be missed', () =>
      withAdmin(async (admin) => (await admin.describeCluster()).brokers.length === 2, others),
    )
    await work(others)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

test('kcat writes with acks=all to a leader it has to find, and reads it back', { skip: withoutKcat() }, async () => {
  await createTopic('kcat', [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ])
  const lines = Array.from({ length: 300 }, (_, n) => `${n}`)
  // Every broker is asked alone: each knows the others.
  const [first, second] = cluster.addresses
  await kcat(['-b', first!, '-P', '-t', 'kcat', '-X', 'acks=all', '-X', 'enable.idempotence=true'], {
    input: lines.join('\n'),
  })
  const { stdout } = await kcat(['-b', second!, '-C', '-t', 'kcat', '-o', 'beginning', '-e', '-q'])
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .toSorted((a, b) => Number(a) - Number(b)),
    lines,
  )
})

describe("Apache Kafka's tools", { skip: withoutKafkaTools() }, () => {
  const tool = (name: string, args: readonly string[], asked = cluster.addresses) => {
    return kafkaTool(name, ['--bootstrap-server', asked.join(), ...args])
  }

  void test('kafka-topics shows what is under-replicated, kafka-leader-election gives a leadership back', async () => {
    await createTopic('elected', [[3, 1, 2]])
    await whileAway(3, async (others) => {
      const missing = await tool(
        'topics',
        ['--describe', '--under-replicated-partitions', '--topic', 'elected'],
        others,
      )
      assert.match(missing.stdout, /Topic: elected\s+Partition: 0\s+Leader: [12]\s+Replicas: 3,1,2\s+Isr: [12],[12]/)
    })
    await waitFor('the broker to be in sync', async () => (await isrOf('elected')).length === 3)
    const preferred = ['--election-type', 'preferred', '--topic', 'elected', '--partition', '0']
    const elected = await tool('leader-election', preferred)
    assert.match(elected.stdout, /Successfully completed leader election \(PREFERRED\) for partitions elected-0/)
    const { stdout } = await tool('topics', ['--describe', '--topic', 'elected'])
    assert.match(stdout, /Leader: 3\s+Replicas: 3,1,2\s+Isr: /)
  })

  void test('kafka-reassign-partitions throttles a move, kafka-configs shows it, and --verify takes it back', async () => {
    await createTopic('throttled', [[1, 2]])
    const file = join(folder, 'throttled.json')
    const partitions = [{ topic: 'throttled', partition: 0, replicas: [3, 2] }]
    await writeFile(file, JSON.stringify({ version: 1, partitions }))
    const plan = ['--reassignment-json-file', file]
    const executed = await tool('reassign-partitions', ['--execute', '--throttle', '1000000', ...plan])
    assert.match(executed.stdout, /The inter-broker throttle limit was set to 1000000 B\/s/)
    const configsOf = async (type: string, name: string) =>
      (await tool('configs', ['--describe', '--entity-type', type, '--entity-name', name])).stdout
    const ofBroker = await configsOf('brokers', '3')
    assert.match(ofBroker, /leader\.replication\.throttled\.rate=1000000 /)
    assert.match(ofBroker, /follower\.replication\.throttled\.rate=1000000 /)
    const ofTopic = await configsOf('topics', 'throttled')
    assert.match(ofTopic, /leader\.replication\.throttled\.replicas=0:1,0:2 /)
    assert.match(ofTopic, /follower\.replication\.throttled\.replicas=0:3 /)
    await waitFor('the move', async () => (await isrOf('throttled')).toSorted((a, b) => a - b).join() === '2,3')
    const verified = await tool('reassign-partitions', ['--verify', ...plan])
    assert.match(verified.stdout, /Clearing broker-level throttles on brokers 1,2,3/)
    const left = await withAdmin(async (admin) => {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: 'throttled' }]
      return (await admin.describeConfigs({ resources, includeSynonyms: false })).resources[0]!.configEntries
    })
    const values = left.filter(({ configName }) => configName.endsWith('throttled.replicas'))
    assert.deepEqual(
      values.map(({ configValue }) => configValue),
      ['', ''],
    )
  })

  void test('kafka-cluster lists the brokers, and forgets none that is there', async () => {
    const bootstrap = ['--bootstrap-server', cluster.addresses.join()]
    const listed = await kafkaTool('cluster', ['list-endpoints', ...bootstrap])
    for (const id of [1, 2, 3]) assert.match(listed.stdout, new RegExp(`^${id} +127\\.0\\.0\\.1 .*unfenced`, 'm'))
    const unregister = (id: string) => kafkaTool('cluster', ['unregister', ...bootstrap, '--id', id], { anyCode: true })
    assert.match(inspect(await unregister('2')), /Broker 2 is running: stop it first/)
    assert.match(inspect(await unregister('9')), /BrokerIdNotRegisteredException/)
  })

  void test('kafka-reassign-partitions executes, verifies and cancels', async () => {
    await createTopic('moved', [[1, 2]])
    const producer = kafkaJs('', { brokers: [...cluster.addresses] }).producer()
    await producer.connect()
    await producer.send({ topic: 'moved', acks: -1, messages: [{ value: 'a' }] })
    await producer.disconnect()
    const plan = async (replicas: number[]): Promise<string> => {
      const file = join(folder, `plan-${replicas.join('-')}.json`)
      await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic: 'moved', partition: 0, replicas }] }))
      return file
    }
    const there = await plan([3, 2])
    const executed = await tool('reassign-partitions', ['--execute', '--reassignment-json-file', there])
    assert.match(executed.stdout, /Successfully started partition reassignment for moved-0/)
    await waitFor('the move', async () => (await isrOf('moved')).toSorted((a, b) => a - b).join() === '2,3')
    const verified = await tool('reassign-partitions', ['--verify', '--reassignment-json-file', there])
    assert.match(verified.stdout, /Reassignment of partition moved-0 is completed/)

    // A move to a broker that is away cannot end: there is time to cancel it. The tool itself refuses to begin one.
    await whileAway(1, async (others) => {
      const back = ['--reassignment-json-file', await plan([1, 2])]
      await withAdmin((admin) => {
        const topics = [{ topic: 'moved', partitionAssignment: [{ partition: 0, replicas: [1, 2] }] }]
        return admin.alterPartitionReassignments({ topics })
      }, others)
      const under = await tool('reassign-partitions', ['--verify', ...back], others)
      assert.match(under.stdout, /Reassignment of partition moved-0 is still in progress/)
      // Throttles are asked of each broker, the one that is away too.
      const cancelled = await tool('reassign-partitions', ['--cancel', '--preserve-throttles', ...back], others)
      assert.match(cancelled.stdout, /Successfully cancelled partition reassignment for: moved-0/)
    })
    const { stdout } = await tool('topics', ['--describe', '--topic', 'moved'])
    // In the order that the move had made of them, as in Kafka.
    assert.match(stdout, /Replicas: 2,3\s+Isr: /)
  })
})
