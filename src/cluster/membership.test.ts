import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { encodeDocument, type PartitionDocument } from './documents.ts'
import { createdPartition, electedOnStart } from './elections.ts'
import { VolatileFolder } from './volatile-folder.sim.ts'
import { controllerKey, creationKey, liveKey, partitionKey } from './keys.ts'
import { BrokerIdTaken } from './membership.ts'
import { keys, succeed } from './meta-store.contract.ts'
import { partitionImage } from './partition-image.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'

const validateOnly = false

const partition: PartitionDocument = { replicas: [1, 2], isr: [1, 2], leader: 2, leaderEpoch: 4, partitionEpoch: 9 }

for (const { what, before, leads } of [
  { what: 'that it led itself', before: { ...partition, leader: 1 }, leads: true },
  { what: 'that nobody leads', before: { ...partition, leader: -1 }, leads: true },
  { what: 'that another leads', before: partition, leads: false },
  {
    what: 'that nobody leads and it is not in sync with',
    before: { ...partition, leader: -1, isr: [2] },
    leads: false,
  },
  { what: 'it holds no replica of', before: { ...partition, leader: -1, isr: [2], replicas: [2] }, leads: false },
]) {
  test(`a broker that comes back ${leads ? 'leads' : 'leaves alone'} a partition ${what}`, () => {
    const expected = { ...before, leader: 1, leaderEpoch: 5, partitionEpoch: 10 }
    assert.deepEqual(electedOnStart(partitionImage(before, 0, 1), 1), leads ? expected : null)
  })
}

test('the first living replica leads a new partition, and only the living are in sync', () => {
  const created = createdPartition([3, 1, 2], (id) => id !== 3)
  assert.deepEqual(created, { replicas: [3, 1, 2], isr: [1, 2], leader: 1, leaderEpoch: 0, partitionEpoch: 0 })
  assert.equal(
    createdPartition([3], () => false),
    null,
  )
})

test('every start is a new broker epoch and a new leader epoch', async () => {
  const disk = new MemoryDisk()
  const epochs: number[] = []
  const leaderEpochs: number[] = []
  for (let start = 0; start < 3; start++) {
    const cluster = await SmallCluster.start({ disk })
    if (start === 0) await cluster.topics.create([newTopic('orders', { partitions: 2 })], { validateOnly })
    epochs.push(cluster.brokers.get(1)!.membership.epoch)
    for (const { leader, leaderEpoch } of cluster.topic('orders')!.partitions) {
      assert.equal(leader, 1)
      leaderEpochs.push(leaderEpoch)
    }
    // The second time the process just ends.
    if (start !== 1) await cluster.brokers.get(1)!.membership.stop()
    await cluster.stop()
  }
  assert.ok(epochs[0]! < epochs[1]! && epochs[1]! < epochs[2]!)
  assert.deepEqual(leaderEpochs, [0, 0, 1, 1, 2, 2])
})

test('when start resolves, the view shows the broker and its leaderships', async () => {
  const disk = new MemoryDisk()
  const first = await SmallCluster.start({ disk })
  for (let i = 0; i < 5; i++) {
    await first.topics.create([newTopic(`t${i}`, { partitions: 2000 })], { validateOnly })
  }
  await first.stop()
  const { view } = await SmallCluster.start({ disk })
  assert.ok(view.image.brokers.has(1))
  for (const { partitions } of view.image.topicsById.values()) {
    assert.ok(partitions.every(({ leader, leaderEpoch }) => leader === 1 && leaderEpoch === 1))
  }
})

test('a clean stop deletes what the broker had registered', async () => {
  const cluster = await SmallCluster.start()
  assert.deepEqual(
    [await keys(cluster.store, liveKey(1)), await keys(cluster.store, controllerKey)],
    [[liveKey(1)], [controllerKey]],
  )
  const { membership } = cluster.brokers.get(1)!
  assert.equal(membership.valid(), true)
  await membership.stop()
  assert.equal(membership.valid(), false)
  assert.deepEqual([await keys(cluster.store, liveKey(1)), await keys(cluster.store, controllerKey)], [[], []])
})

test('a second broker with the same id is refused, and the first is not disturbed', async () => {
  const cluster = await SmallCluster.start()
  const joining = cluster.join(1, { folder: new VolatileFolder('another') })
  let refused: unknown = null
  joining.catch((error: unknown) => (refused = error))
  await cluster.clock.advanceUntil(() => refused !== null)
  assert.ok(refused instanceof BrokerIdTaken)
  assert.ok(cluster.view.image.brokers.has(1))
  assert.equal(cluster.view.image.controllerId, 1)
})

test('when the controller leaves, another broker takes its office', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2, 3] })
  assert.equal(cluster.view.image.controllerId, 1)
  const left = cluster.view.image.revision
  await cluster.brokers.get(1)!.membership.stop()
  await cluster.view.reached(left + 2)
  assert.ok([2, 3].includes(cluster.view.image.controllerId))
})

test('a broker that vanished keeps its place until its lease has run out', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const { membership, store } = cluster.brokers.get(2)!
  await store.close()
  assert.equal(membership.valid(), false)
  await cluster.clock.advance(8999)
  assert.ok(cluster.view.image.brokers.has(2))
  await cluster.clock.advanceUntil(() => !cluster.view.image.brokers.has(2), 1)
})

test('a new controller clears the partitions of a creation whose broker is gone, and no others', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const epoch = cluster.brokers.get(2)!.membership.epoch
  const value = encodeDocument(partition)
  for (const [id, brokerEpoch] of [
    ['abandoned', 1],
    ['underWay', epoch],
  ] as const) {
    await succeed(
      cluster.store.transact(
        [{ key: 'never', modRevision: 0 }],
        [
          { kind: 'put', key: creationKey(id), value: encodeDocument({ brokerId: 2, brokerEpoch }) },
          { kind: 'put', key: partitionKey(id, 0), value },
        ],
      ),
    )
  }
  const left = cluster.view.image.revision
  await cluster.brokers.get(1)!.membership.stop()
  await cluster.view.reached(left + 3)
  assert.deepEqual(await keys(cluster.store, creationKey('')), [creationKey('underWay')])
  assert.deepEqual(await keys(cluster.store, partitionKey('abandoned', 0)), [])
  assert.deepEqual(await keys(cluster.store, partitionKey('underWay', 0)), [partitionKey('underWay', 0)])
})
