import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { ConfigChange } from './config-change.ts'
import { configKey } from './keys.ts'
import type { MetaStore } from './meta-store.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'
import { TopicConfigs } from './topic-configs.ts'

const validateOnly = false

function setting(name: string, value: string): ConfigChange {
  return { kind: 'edit', edits: [{ kind: 'set', name, value }] }
}

function configsOf(cluster: SmallCluster): Record<string, string> {
  return Object.fromEntries(cluster.topic('orders')!.configs)
}

async function withOrders(disk = new MemoryDisk()): Promise<SmallCluster> {
  const cluster = await SmallCluster.start({ disk })
  await cluster.topics.create([newTopic('orders')], { validateOnly })
  return cluster
}

test('a change is in the image when it is answered, and outlives the process', async () => {
  const disk = new MemoryDisk()
  const cluster = await withOrders(disk)
  assert.equal(await cluster.topicConfigs.alter('orders', setting('retention.ms', '5'), { validateOnly }), null)
  assert.deepEqual(configsOf(cluster), { 'retention.ms': '5' })
  await cluster.stop()
  const again = await SmallCluster.start({ disk, brokers: [] })
  assert.deepEqual(configsOf(again), { 'retention.ms': '5' })
})

test('changes of one topic at the same time are all made', async () => {
  const cluster = await withOrders()
  const names = ['retention.ms', 'retention.bytes', 'segment.ms', 'max.message.bytes', 'flush.ms']
  const changes = names.map((name) => cluster.topicConfigs.alter('orders', setting(name, '7'), { validateOnly }))
  assert.deepEqual(new Set(await Promise.all(changes)), new Set([null]))
  assert.deepEqual(configsOf(cluster), Object.fromEntries(names.map((name) => [name, '7'])))
})

test('a change that changes nothing writes nothing', async () => {
  const cluster = await withOrders()
  await cluster.topicConfigs.alter('orders', setting('retention.ms', '5'), { validateOnly })
  const { revision } = cluster.view.image
  assert.equal(await cluster.topicConfigs.alter('orders', setting('retention.ms', '5'), { validateOnly }), null)
  assert.equal(cluster.view.image.revision, revision)
})

test('what is set on a topic can all be taken back, and goes with the topic', async () => {
  const cluster = await withOrders()
  await cluster.topicConfigs.alter('orders', setting('retention.ms', '5'), { validateOnly })
  await cluster.topicConfigs.alter('orders', { kind: 'replace', configs: new Map() }, { validateOnly })
  assert.deepEqual(configsOf(cluster), {})
  await cluster.topics.delete(cluster.topic('orders')!.id)
  assert.equal((await cluster.store.get(configKey('topic', 'orders'))).entry, null)
})

test('configs are checked as a whole: two good ones may not go together', async () => {
  const cluster = await withOrders()
  const { topicConfigs } = cluster
  assert.equal(await topicConfigs.alter('orders', setting('min.compaction.lag.ms', '9'), { validateOnly }), null)
  const refused = await topicConfigs.alter('orders', setting('max.compaction.lag.ms', '8'), { validateOnly })
  assert.equal(refused?.error, ErrorCode.INVALID_CONFIG)
  assert.deepEqual(configsOf(cluster), { 'min.compaction.lag.ms': '9' })
})

test('a change meant for a topic does not reach one created anew under its name', async () => {
  const cluster = await withOrders()
  const { store, view } = cluster
  let reads = 0
  // Between reading and writing the topic is deleted and created again.
  const slow: Pick<MetaStore, 'get' | 'transact'> = {
    get: (key) => store.get(key),
    async transact(guards, writes) {
      reads++
      if (reads === 1) {
        await cluster.topics.delete(cluster.topic('orders')!.id)
        await cluster.topics.create([newTopic('orders', { configs: new Map([['flush.ms', '3']]) })], { validateOnly })
      }
      return store.transact(guards, writes)
    },
  }
  const admin = new TopicConfigs({ store: slow as MetaStore, view, brokerId: 1, membership: cluster.membershipOf(1) })
  assert.equal(await admin.alter('orders', setting('retention.ms', '5'), { validateOnly }), null)
  // Seen as it is now, it was changed as it is now.
  assert.equal(reads, 2)
  assert.deepEqual(configsOf(cluster), { 'flush.ms': '3', 'retention.ms': '5' })
})

test('a broker that is not part of the cluster changes nothing', async () => {
  const cluster = await withOrders()
  const { store, view } = cluster
  const stranger = new TopicConfigs({ store, view, brokerId: 9, membership: { valid: () => true } })
  const refused = await stranger.alter('orders', setting('retention.ms', '5'), { validateOnly })
  assert.equal(refused?.error, ErrorCode.NOT_CONTROLLER)
  // One whose registration ended after it looked.
  const late: Pick<MetaStore, 'get' | 'transact'> = {
    get: (key) => store.get(key),
    async transact(guards, writes) {
      await cluster.brokers.get(1)!.membership.stop()
      return store.transact(guards, writes)
    },
  }
  const admin = new TopicConfigs({ store: late as MetaStore, view, brokerId: 1, membership: { valid: () => true } })
  const fenced = await admin.alter('orders', setting('retention.ms', '5'), { validateOnly })
  assert.equal(fenced?.error, ErrorCode.NOT_CONTROLLER)
  assert.deepEqual(configsOf(cluster), {})
})
