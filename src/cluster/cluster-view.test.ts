import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ClusterViewOfStore, emptyImage, initialChange } from './cluster-view.ts'
import { encodeDocument } from './documents.ts'
import type { ClusterImage, ImageChange } from './image.ts'
import { brokerKey, configKey, keyPrefix, partitionKey, producerIdBlockKey, topicKey } from './keys.ts'
import { succeed } from './meta-store.contract.ts'
import type { MetaStore, MetaWrite, WatchHandler } from './meta-store.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'

const validateOnly = false

async function viewOf(store: MetaStore): Promise<ClusterViewOfStore> {
  return ClusterViewOfStore.open({ store, onFault: (error) => assert.fail(String(error)) })
}

async function change(cluster: SmallCluster, ...writes: MetaWrite[]): Promise<number> {
  return succeed(cluster.store.transact([{ key: 'never', modRevision: 0 }], writes))
}

test('the image shows the cluster, its brokers with their epochs, and the controller', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const { image } = cluster.view
  assert.equal(image.clusterId, 'Some-cluster-id-of-22c')
  assert.equal(image.controllerId, 1)
  assert.deepEqual(image.brokers.get(2), {
    id: 2,
    epoch: cluster.brokers.get(2)!.membership.epoch,
    endpoints: [{ listener: 'PLAINTEXT', host: 'broker-2', port: 9092 }],
    rack: null,
    directoryId: image.brokers.get(2)!.directoryId,
    leaving: false,
  })
  await cluster.brokers.get(1)!.membership.stop()
  assert.deepEqual([...cluster.view.image.brokers.keys()], [2])
})

test('a listener is told what changed, and the image before is as it was', async () => {
  const cluster = await SmallCluster.start()
  const changes: ImageChange[] = []
  cluster.view.subscribe((change) => changes.push(change))
  const before = cluster.view.image
  await cluster.topics.create([newTopic('orders')], { validateOnly })
  const { id } = cluster.topic('orders')!
  assert.equal(changes.length, 1)
  assert.deepEqual([...changes[0]!.topicIds], [id])
  assert.equal(changes[0]!.before, before)
  assert.equal(changes[0]!.after, cluster.view.image)
  assert.deepEqual([before.topicsByName.size, before.topicsById.size], [0, 0])
  await cluster.topics.delete(id)
  assert.deepEqual([...changes[1]!.topicIds], [id])
  assert.equal(changes[1]!.after.topicsById.size, 0)
})

test('what a change does not touch is shared between the images', async () => {
  const cluster = await SmallCluster.start()
  await cluster.topics.create([newTopic('a', { partitions: 2 }), newTopic('b')], { validateOnly })
  const before = cluster.view.image
  const a = cluster.topic('a')!
  const moved = { replicas: [1], isr: [1], leader: -1, leaderEpoch: 1, partitionEpoch: 1 }
  const revision = await change(cluster, { kind: 'put', key: partitionKey(a.id, 1), value: encodeDocument(moved) })
  const after = cluster.view.image
  const shown = { index: 1, revision, ...moved, adding: [], removing: [], failed: [] }
  assert.deepEqual(after.topicsByName.get('a')!.partitions[1], shown)
  assert.equal(after.topicsByName.get('a')!.partitions[0], a.partitions[0])
  assert.equal(after.topicsByName.get('a')!.configs, a.configs)
  assert.equal(after.topicsByName.get('b'), before.topicsByName.get('b'))
  assert.equal(after.brokers, before.brokers)
  assert.equal(after.topicsByName.get('a'), after.topicsById.get(a.id))
})

test('a partition under reassignment shows what comes and what goes', async () => {
  const cluster = await SmallCluster.start()
  await cluster.topics.create([newTopic('a')], { validateOnly })
  const [partition] = cluster.topic('a')!.partitions
  const under = { replicas: [2, 1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 1, adding: [2], removing: [1] }
  const key = partitionKey(cluster.topic('a')!.id, 0)
  const revision = await change(cluster, { kind: 'put', key, value: encodeDocument(under) })
  assert.deepEqual(cluster.topic('a')!.partitions[0], { ...partition, ...under, revision })
})

test('brokers that are gone are still known, with their last epoch and place', async () => {
  const cluster = await SmallCluster.start()
  const endpoints = [{ listener: 'PLAINTEXT', host: 'broker-7', port: 9092 }]
  const document = { incarnation: 'third', directoryId: 'folder', endpoints, rack: 'a' }
  const revision = await change(cluster, { kind: 'put', key: brokerKey(7), value: encodeDocument(document) })
  assert.deepEqual(cluster.view.image.knownBrokers.get(7), { id: 7, lastEpoch: revision, ...document })
  assert.equal(cluster.view.image.brokers.has(7), false)
})

test('configs of topics are on the topic, others by their resource', async () => {
  const cluster = await SmallCluster.start()
  await cluster.topics.create([newTopic('a')], { validateOnly })
  const value = encodeDocument({ entries: { x: '1' } })
  await change(
    cluster,
    { kind: 'put', key: configKey('topic', 'a'), value },
    { kind: 'put', key: configKey('broker', ''), value },
    { kind: 'put', key: configKey('group', 'my/group'), value },
  )
  const expected = new Map([['x', '1']])
  assert.deepEqual(cluster.topic('a')!.configs, expected)
  assert.deepEqual(
    cluster.view.image.configs,
    new Map([
      ['broker/', expected],
      ['group/my/group', expected],
    ]),
  )
})

test('a topic is not shown before all its partitions are there', async () => {
  const cluster = await SmallCluster.start()
  const part = encodeDocument({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 })
  const id = 'Some-topic-id-of-22-ch'
  const document = encodeDocument({ id, partitionCount: 2 })
  await change(
    cluster,
    { kind: 'put', key: topicKey('a'), value: document },
    { kind: 'put', key: partitionKey(id, 1), value: part },
  )
  assert.equal(cluster.topic('a'), undefined)
  await change(cluster, { kind: 'put', key: partitionKey(id, 0), value: part })
  assert.equal(cluster.topic('a')?.partitions.length, 2)
})

test('reached waits for the revision, and changes that show nothing count', async () => {
  const cluster = await SmallCluster.start()
  const listened: ImageChange[] = []
  cluster.view.subscribe((change) => listened.push(change))
  const { revision } = cluster.view.image
  const reached = cluster.view.reached(revision + 1)
  await change(cluster, { kind: 'put', key: producerIdBlockKey, value: encodeDocument({ next: 1 }) })
  await reached
  assert.equal(cluster.view.image.revision, revision + 1)
  assert.equal(listened.length, 0)
})

test('whoever waits when the view closes is told', async () => {
  const cluster = await SmallCluster.start()
  const reached = cluster.view.reached(1_000_000)
  cluster.view.close()
  await assert.rejects(reached, /closed/)
  await assert.rejects(cluster.view.reached(1_000_000), /closed/)
})

test('a listener that ended its subscription is told nothing', async () => {
  const cluster = await SmallCluster.start()
  const end = cluster.view.subscribe(() => assert.fail('told'))
  end()
  await cluster.topics.create([newTopic('a')], { validateOnly })
})

test('the initial change names every topic', async () => {
  const cluster = await SmallCluster.start()
  await cluster.topics.create([newTopic('a'), newTopic('b')], { validateOnly })
  const { before, topicIds } = initialChange(cluster.view.image)
  assert.equal(before, emptyImage)
  assert.equal(topicIds.size, 2)
})

test('after its history is lost the view lists again, and names all that may have changed', async () => {
  const cluster = await SmallCluster.start()
  await cluster.topics.create([newTopic('old')], { validateOnly })
  const handlers: WatchHandler[] = []
  const store: MetaStore = {
    get: (key) => cluster.store.get(key),
    list: (prefix) => cluster.store.list(prefix),
    transact: (guards, writes) => cluster.store.transact(guards, writes),
    compareAndSwapMany: (fence, items) => cluster.store.compareAndSwapMany(fence, items),
    lease: (ttlMs) => cluster.store.lease(ttlMs),
    close: () => cluster.store.close(),
    watch(_prefix, _from, handler) {
      handlers.push(handler)
      return { close() {} }
    },
  }
  const view = await viewOf(store)
  const changes: ImageChange[] = []
  view.subscribe((change) => changes.push(change))
  const old = cluster.topic('old')!
  await cluster.topics.create([newTopic('new')], { validateOnly })
  await cluster.topics.delete(old.id)
  handlers[0]!.reset('forgotten')
  await view.reached(cluster.view.image.revision)
  assert.deepEqual(sorted(view.image), sorted(cluster.view.image))
  assert.deepEqual(changes[0]!.topicIds, new Set([old.id, cluster.topic('new')!.id]))
  assert.equal(handlers.length, 2)
})

test('an image that followed every change is the image of who comes late', async () => {
  const names = ['a', 'b', 'c.d']
  const step = fc.record({
    what: fc.constantFrom('create', 'delete', 'config', 'join', 'leave'),
    name: fc.constantFrom(...names),
    partitions: fc.integer({ min: 1, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const cluster = await SmallCluster.start()
      for (const { what, name, partitions } of steps) {
        const topic = cluster.topic(name)
        if (what === 'create') await cluster.topics.create([newTopic(name, { partitions })], { validateOnly })
        if (what === 'delete' && topic !== undefined) await cluster.topics.delete(topic.id)
        if (what === 'config' && topic !== undefined) {
          const value = encodeDocument({ entries: { 'segment.bytes': String(1_048_576 + partitions) } })
          await change(cluster, { kind: 'put', key: configKey('topic', name), value })
        }
        const second = cluster.view.image.brokers.has(2)
        if (what === 'join' && !second) await cluster.join(2)
        if (what === 'leave' && second) await cluster.brokers.get(2)!.membership.stop()
      }
      const late = await viewOf(cluster.store)
      assert.deepEqual(sorted(late.image), sorted(cluster.view.image))
    }),
    { numRuns: 50 },
  )
})

/** Maps compare by content, whatever their order; arrays do not. */
function sorted(image: ClusterImage): unknown {
  const { topicsByName, topicsById, brokers, ...rest } = image
  return { ...rest, topicsByName: new Map(topicsByName), topicsById: new Map(topicsById), brokers: new Map(brokers) }
}

test('10,000 partitions are listed, and a change of one is followed, without delay', async () => {
  const cluster = await SmallCluster.start()
  for (let i = 0; i < 10; i++) {
    const topics = Array.from({ length: 10 }, (_, j) => newTopic(`topic-${i}-${j}`, { partitions: 100 }))
    await cluster.topics.create(topics, { validateOnly })
  }
  const view = await viewOf(cluster.store)
  assert.equal(view.image.topicsById.size, 100)
  const { id } = cluster.topic('topic-3-4')!
  const started = performance.now()
  for (let epoch = 1; epoch <= 100; epoch++) {
    const moved = { replicas: [1], isr: [1], leader: 1, leaderEpoch: epoch, partitionEpoch: epoch }
    await change(cluster, { kind: 'put', key: partitionKey(id, 7), value: encodeDocument(moved) })
  }
  assert.equal(view.image.topicsById.get(id)!.partitions[7]!.leaderEpoch, 100)
  assert.ok(performance.now() - started < 2000, 'a change costs less than 20 ms')
  assert.ok((await cluster.store.list(keyPrefix)).entries.length > 10_000)
})

test('what a watch did not tell is found when the view is compared with the store, and nothing else is told', async () => {
  const cluster = await SmallCluster.start()
  await cluster.topics.create([newTopic('a'), newTopic('b')], { validateOnly })
  const { store } = cluster
  let deaf = true
  const forgetful: MetaStore = {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    transact: (guards, writes) => store.transact(guards, writes),
    compareAndSwapMany: (fence, items) => store.compareAndSwapMany(fence, items),
    lease: (ttlMs) => store.lease(ttlMs),
    close: async () => {},
    watch: (prefix, from, handler) =>
      store.watch(prefix, from, { ...handler, events: (...args) => deaf || handler.events(...args) }),
  }
  const view = await viewOf(forgetful)
  const changes: ImageChange[] = []
  view.subscribe((change) => changes.push(change))
  const before = view.image
  const { id } = cluster.topic('a')!
  await cluster.topics.delete(id)
  assert.equal(view.image, before)
  await view.recheck()
  assert.deepEqual(
    changes.map(({ topicIds }) => [...topicIds]),
    [[id]],
  )
  assert.equal(view.image.topicsByName.get('b'), before.topicsByName.get('b'))
  await view.recheck()
  assert.equal(changes.length, 1)
  // And it is followed from there on.
  deaf = false
  await cluster.topics.create([newTopic('c')], { validateOnly })
  await view.reached(cluster.view.image.revision)
  assert.equal(view.image.topicsByName.has('c'), true)
})

/** The cluster's store, with its watches in the test's hands. */
function watchedBy(cluster: SmallCluster, handlers: Set<WatchHandler>): MetaStore {
  const { store } = cluster
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    transact: (guards, writes) => store.transact(guards, writes),
    compareAndSwapMany: (fence, items) => store.compareAndSwapMany(fence, items),
    lease: (ttlMs) => store.lease(ttlMs),
    close: async () => {},
    watch(_prefix, _from, handler) {
      handlers.add(handler)
      return { close: () => handlers.delete(handler) }
    },
  }
}

test('a view that is to list twice at the same time follows once afterwards', async () => {
  const cluster = await SmallCluster.start()
  const handlers = new Set<WatchHandler>()
  const view = await viewOf(watchedBy(cluster, handlers))
  const rechecked = view.recheck()
  for (const handler of handlers) handler.reset('forgotten')
  await Promise.all([rechecked, view.recheck()])
  assert.equal(handlers.size, 1)
})

test('what a listener throws when the view lists again stops the broker too', async () => {
  const cluster = await SmallCluster.start()
  const handlers = new Set<WatchHandler>()
  const faults: unknown[] = []
  const remote = { clock: cluster.clock }
  const view = await ClusterViewOfStore.open({
    store: watchedBy(cluster, handlers),
    remote,
    onFault: (error) => faults.push(error),
  })
  view.subscribe(() => {
    throw new Error('a bug')
  })
  await cluster.topics.create([newTopic('orders')], { validateOnly })
  await view.recheck()
  assert.match(String(faults[0]), /a bug/)
})
