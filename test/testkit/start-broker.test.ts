// `startBroker` as a test file uses it: KafkaJS against a broker in the same process.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker, type StartBrokerOptions } from '../../src/testkit/index.ts'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { run } from '../support/processes.ts'
import { waitFor, within } from '../support/wait-for.ts'

/** A client that gives up at once, so that a test may take its broker away. */
const impatient = { retry: { retries: 0, initialRetryTime: 1 } }

async function send(bootstrap: string, topic: string, values: readonly string[]): Promise<void> {
  const producer = kafkaJs(bootstrap).producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ key: 'k', value })) })
  await producer.disconnect()
}

async function topicsOf(bootstrap: string): Promise<string[]> {
  const admin = kafkaJs(bootstrap).admin()
  await admin.connect()
  const topics = await admin.listTopics()
  await admin.disconnect()
  return topics.filter((topic) => !topic.startsWith('__'))
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'odradek-testkit-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

test('a group consumes what a producer sent', async (t) => {
  await using broker = await startBroker()
  await send(broker.bootstrapServers, 'orders', ['a', 'b', 'c'])
  const member = await Member.join(t, kafkaJs(broker.bootstrapServers), { groupId: 'g', topic: 'orders' })
  await member.until(3)
  assert.deepEqual(member.values, ['a', 'b', 'c'])
  await member.leave()
})

test('settings go by their Kafka names', async () => {
  await using broker = await startBroker({ settings: { 'num.partitions': 3 } })
  await send(broker.bootstrapServers, 'orders', ['a'])
  const admin = kafkaJs(broker.bootstrapServers).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
  await admin.disconnect()
  assert.equal(topics[0]?.partitions.length, 3)
})

test('says where it is: a free port of its own, on loopback', async () => {
  await using one = await startBroker()
  await using two = await startBroker()
  assert.notEqual(one.port, two.port)
  assert.notEqual(one.clusterId, two.clusterId)
  assert.equal(one.bootstrapServers, `127.0.0.1:${one.port}`)
})

test('listens where it is told to, and names an address that clients can use', async () => {
  const { port } = await startAndStop()
  await using broker = await startBroker({ host: '0.0.0.0', port })
  assert.equal(broker.bootstrapServers, `127.0.0.1:${port}`)
  assert.deepEqual(await topicsOf(broker.bootstrapServers), [])
})

async function startAndStop(): Promise<{ port: number }> {
  const broker = await startBroker()
  await broker.stop()
  return broker
}

test('two brokers side by side share nothing', async () => {
  await using one = await startBroker()
  await using two = await startBroker()
  await Promise.all([send(one.bootstrapServers, 'here', ['a']), send(two.bootstrapServers, 'there', ['b'])])
  assert.deepEqual(await topicsOf(one.bootstrapServers), ['here'])
  assert.deepEqual(await topicsOf(two.bootstrapServers), ['there'])
})

test('with a data folder, records and committed offsets are there after a restart', async (t) => {
  await using folder = await temporaryFolder()
  const data = folder.path
  const first = await startBroker({ data })
  await send(first.bootstrapServers, 'orders', ['a', 'b'])
  const member = await Member.join(t, kafkaJs(first.bootstrapServers), { groupId: 'g', topic: 'orders' })
  await member.until(2)
  await member.leave()
  await first.stop()

  await using second = await startBroker({ data })
  assert.equal(second.clusterId, first.clusterId)
  await send(second.bootstrapServers, 'orders', ['c'])
  const again = await Member.join(t, kafkaJs(second.bootstrapServers), { groupId: 'g', topic: 'orders' })
  await again.until(1)
  assert.deepEqual(again.values, ['c'])
  await again.leave()
})

const refused: { what: string; options: StartBrokerOptions; reason: RegExp }[] = [
  {
    what: 'a setting nobody knows',
    options: { settings: { 'num.partition': 3 } },
    reason: /unknown setting 'num\.partition'; did you mean 'num\.partitions'\?/,
  },
  { what: 'a value out of bounds', options: { settings: { 'num.partitions': 0 } }, reason: /num\.partitions/ },
  {
    what: 'a folder by its Kafka name',
    options: { settings: { 'log.dirs': '/data' } },
    reason: /startBroker\(\{ data \}\)/,
  },
  { what: 'a host that is not here', options: { host: '192.0.2.1' }, reason: /does not have that address/ },
]

for (const { what, options, reason } of refused) {
  test(`rejects ${what}, with the reason`, async () => {
    await assert.rejects(startBroker(options), { message: reason })
  })
}

test('rejects a port that is taken, and leaves it to who has it', async () => {
  await using broker = await startBroker()
  await assert.rejects(startBroker({ port: broker.port }), { message: /another program listens there/ })
  assert.deepEqual(await topicsOf(broker.bootstrapServers), [])
})

test('rejects a data folder that another broker uses', async () => {
  await using folder = await temporaryFolder()
  await using broker = await startBroker({ data: folder.path })
  await assert.rejects(startBroker({ data: folder.path }), { message: /in use by another broker/ })
  assert.deepEqual(await topicsOf(broker.bootstrapServers), [])
})

test('may be stopped twice, and at the same time', async () => {
  const broker = await startBroker()
  await Promise.all([broker.stop(), broker.stop()])
  await broker.stop()
})

test('frees its port as it stops', async () => {
  const { port } = await startAndStop()
  await using again = await startBroker({ port })
  assert.equal(again.port, port)
})

test('stops at the end of an `await using` block', async () => {
  let port: number
  {
    await using broker = await startBroker()
    port = broker.port
  }
  await using again = await startBroker({ port })
  assert.equal(again.port, port)
})

test('stops at once under a consumer that waits for records', async (t) => {
  await using broker = await startBroker()
  await send(broker.bootstrapServers, 'orders', ['a'])
  const kafka = kafkaJs(broker.bootstrapServers, impatient)
  const member = await Member.join(t, kafka, { groupId: 'g', topic: 'orders', maxWaitTimeInMs: 60_000 })
  await member.until(1)
  await within('the broker to stop', broker.stop(), 5_000)
})

test('stops at once under a member that waits for the others to join', async (t) => {
  await using broker = await startBroker()
  await send(broker.bootstrapServers, 'orders', ['a'])
  const kafka = kafkaJs(broker.bootstrapServers, impatient)
  const slow = { groupId: 'g', topic: 'orders', heartbeatInterval: 60_000, sessionTimeout: 120_000 }
  await Member.join(t, kafka, { ...slow, maxWaitTimeInMs: 60_000 })
  const waiting = kafka.consumer({ ...slow, retry: { retries: 0, restartOnFailure: async () => false } })
  t.after(() => waiting.disconnect())
  await waiting.connect()
  await waiting.subscribe({ topic: 'orders' })
  const running = waiting.run({ eachMessage: async () => {} })
  running.catch(() => {}) // what the broker's end does to a client is not the subject
  const admin = kafka.admin()
  await admin.connect()
  t.after(() => admin.disconnect())
  await waitFor('the rebalance to begin', async () => {
    const { groups } = await admin.describeGroups(['g'])
    return groups[0]?.state === 'PreparingRebalance'
  })
  await within('the broker to stop', broker.stop(), 5_000)
})

test('stops under clients that neither read nor close', async (t) => {
  await using broker = await startBroker()
  const socket = connect({ port: broker.port, host: broker.host, allowHalfOpen: true })
  t.after(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  await within('the broker to stop', broker.stop(), 5_000)
})

test('a process that started and stopped a broker has nothing left open and ends by itself', async () => {
  const finished = await run(process.execPath, [join(import.meta.dirname, 'open-handles.ts')], { timeoutMs: 20_000 })
  const { before, after } = JSON.parse(finished.stdout)
  assert.deepEqual(after, before)
})

test('a broker that stopped gives its memory back', async () => {
  const file = join(import.meta.dirname, 'memory-held.ts')
  const finished = await run(process.execPath, ['--expose-gc', file], { timeoutMs: 30_000 })
  const { before, running, stopped } = JSON.parse(finished.stdout)
  assert.ok(running - before > 30_000_000, `${running - before} bytes while it runs`)
  assert.ok(stopped - before < 5_000_000, `${stopped - before} bytes after it stopped`)
})
