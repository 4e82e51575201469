// `odradek start --brokers 3` as its users meet it: three processes and their supervisor.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ClusterProcess, type ClusterOptions } from '../support/cluster-process.ts'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { run } from '../support/processes.ts'
import { waitFor } from '../support/wait-for.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')

/** KafkaJS's own way to go on, in smaller steps. */
const retry = { initialRetryTime: 20, maxRetryTime: 200, retries: 200 }

async function started(t: TestContext, options: ClusterOptions = {}): Promise<ClusterProcess> {
  const cluster = await ClusterProcess.start({ settings: { 'offsets.topic.num.partitions': '3' }, ...options })
  t.after(async () => {
    // A test that ended it itself has nothing left to stop.
    await cluster.stop().catch(() => {})
  })
  return cluster
}

const client = (cluster: ClusterProcess, brokers = cluster.addresses) =>
  // A broker that is frozen answers never.
  kafkaJs('', { brokers: [...brokers], retry, requestTimeout: 1000 })

interface Placed {
  readonly leader: number
  readonly isr: readonly number[]
}

async function placesOf(cluster: ClusterProcess, topic: string, asked = cluster.addresses): Promise<Placed[]> {
  const admin = client(cluster, asked).admin()
  await admin.connect()
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0]!.partitions
  } finally {
    await admin.disconnect()
  }
}

async function createTopic(cluster: ClusterProcess, topic: string, partitions = 1): Promise<void> {
  const admin = client(cluster).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
  await admin.disconnect()
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('three brokers replicate, stop together, and find everything in sync when they start again', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'odradek-brokers-'))
  t.after(() => rm(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  const first = await started(t, { data })
  await createTopic(first, 'orders', 3)
  const producer = client(first).producer()
  await producer.connect()
  await producer.send({ topic: 'orders', acks: -1, messages: ['a', 'b', 'c'].map((value) => ({ key: value, value })) })
  await producer.disconnect()
  assert.deepEqual(new Set((await placesOf(first, 'orders')).map(({ leader }) => leader)), new Set([1, 2, 3]))
  const pids = [1, 2, 3].map((id) => first.pidOf(id))
  await first.stop()
  // Their folders are free before the last of their processes is gone.
  await waitFor('the brokers to end', () => !pids.some(isRunning))
  for (const id of [1, 2, 3]) assert.ok(existsSync(join(data, `broker-${id}/.kafka_cleanshutdown`)))
  const second = await started(t, { data })
  await waitFor('all replicas', async () => (await placesOf(second, 'orders')).every(({ isr }) => isr.length === 3))
  const member = await Member.join(t, client(second), { groupId: 'g', topic: 'orders' })
  await member.until(3)
  assert.deepEqual(new Set(member.values), new Set(['a', 'b', 'c']))
  await member.leave()
  await second.stop()
})

test('nothing acknowledged is lost by kill -9 of leaders under load, and the killed are started again', async (t) => {
  const cluster = await started(t)
  await createTopic(cluster, 'orders')
  const producer = client(cluster).producer({ maxInFlightRequests: 1 })
  await producer.connect()
  const acknowledged: string[] = []
  const gaps: number[] = []
  const load = { over: false }
  const sending = (async () => {
    for (let n = 0; !load.over; n++) {
      await producer.send({ topic: 'orders', acks: -1, messages: [{ key: 'k', value: String(n) }] })
      acknowledged.push(String(n))
    }
  })()
  for (let round = 0; round < 3; round++) {
    const enough = acknowledged.length + 50
    await waitFor('acknowledgements', () => acknowledged.length >= enough)
    const leader = (await placesOf(cluster, 'orders'))[0]!.leader
    const pid = cluster.pidOf(leader)
    const killedAt = performance.now()
    cluster.kill(leader)
    const before = acknowledged.length
    await waitFor('the producer to go on', () => acknowledged.length > before + 1)
    gaps.push(performance.now() - killedAt)
    await cluster.back(leader, pid)
    await waitFor('all replicas', async () => (await placesOf(cluster, 'orders'))[0]!.isr.length === 3)
  }
  load.over = true
  await sending
  await producer.disconnect()
  t.diagnostic(
    `from kill -9 of the leader to the next acknowledgement: ${gaps.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  )
  const member = await Member.join(t, client(cluster), { groupId: 'g', topic: 'orders' })
  await waitFor('all records', () => member.values.includes(acknowledged.at(-1)!))
  const seen = [...new Set(member.values)]
  assert.deepEqual(
    acknowledged.filter((value) => !seen.includes(value)),
    [],
  )
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => Number(a) - Number(b)),
  )
  await member.leave()
})

test('when the supervisor is killed its brokers end, and the next start has all that was acknowledged', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'odradek-brokers-'))
  t.after(() => rm(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  const first = await started(t, { data })
  const producer = client(first).producer()
  await producer.connect()
  await producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'a' }] })
  await producer.disconnect()
  const pids = [1, 2, 3].map((id) => first.pidOf(id))
  await first.killSupervisor()
  const second = await started(t, { data })
  // Their folders are free before the last of their processes is gone.
  await waitFor('the brokers to end', () => !pids.some(isRunning))
  const member = await Member.join(t, client(second), { groupId: 'g', topic: 'orders' })
  await member.until(1)
  assert.deepEqual(member.values, ['a'])
  await member.leave()
})

test('odradek cluster says who leads, and why a partition lacks a replica', async (t) => {
  const settings = { 'offsets.topic.num.partitions': '1', 'broker.session.timeout.ms': '2000' }
  const cluster = await started(t, { settings })
  await createTopic(cluster, 'orders', 3)
  const ask = (...flags: string[]) =>
    run(process.execPath, [main, 'cluster', '--bootstrap', cluster.without(3).join(), ...flags], { anyCode: true })
  const sound = await ask()
  assert.equal(sound.code, 0, sound.stderr)
  assert.match(sound.stdout, /^cluster \S{22}, broker \d is the controller\n/)
  assert.match(sound.stdout, /broker 2 {2}127\.0\.0\.1:\d+ {2}leads 1 {2}of 3\n/)
  assert.match(sound.stdout, /3 partitions of 1 topic: each has its leader and all of its replicas\n$/)
  // One that is dead would be back at once.
  process.kill(cluster.pidOf(3), 'SIGSTOP')
  const inSync = async (count: number) => {
    return (await placesOf(cluster, 'orders', cluster.without(3))).every(({ isr }) => isr.length === count)
  }
  await waitFor('a broker to be missed', () => inSync(2))
  const missed = await ask()
  assert.equal(missed.code, 1)
  assert.match(missed.stdout, /broker 3 .* away/)
  assert.match(missed.stdout, /orders, 3 partitions: 2 of 3 in sync: broker 3 is not there/)
  process.kill(cluster.pidOf(3), 'SIGCONT')
  await waitFor('all replicas', () => inSync(3))
  const report = JSON.parse((await ask('--json')).stdout) as { underReplicated: unknown[]; partitions: number }
  assert.deepEqual([report.underReplicated, report.partitions], [[], 3])
})

test('odradek cluster says what is wrong with its command line, and when nobody answers', async () => {
  const ask = (bootstrap: string) =>
    run(process.execPath, [main, 'cluster', '--bootstrap', bootstrap], { anyCode: true })
  const [wrong, nobody] = await Promise.all([ask('here'), ask('127.0.0.1:1')])
  assert.deepEqual([wrong.code, nobody.code], [2, 3])
  assert.match(wrong.stderr, /--bootstrap takes host:port/)
  assert.match(nobody.stderr, /127\.0\.0\.1:1 cannot be asked: ECONNREFUSED/)
})

test('several brokers do not take the folder of one, nor one the folder of several', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'odradek-brokers-'))
  t.after(() => rm(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  const several = await started(t, { data, brokers: 2 })
  await several.stop()
  const one = await run(process.execPath, [main, 'start', '--port', '0', '--data', data], { anyCode: true })
  assert.equal(one.code, 1)
  assert.match(one.stderr, /data folder of several brokers; start them with --brokers 2/)
  const numbered = await run(process.execPath, [main, 'start', '--brokers', '2', '--broker-id', '7'], { anyCode: true })
  assert.equal(numbered.code, 2)
})
