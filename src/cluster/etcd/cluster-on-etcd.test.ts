// What stands on the metadata store, on etcd: membership, the view, the administration of topics.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EtcdState } from '../../io/etcd-state.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { MemoryDisk } from '../../io/disk.memory.ts'
import { claimClusterId } from '../cluster-identity.ts'
import { ClusterViewOfStore } from '../cluster-view.ts'
import type { ConfigChange } from '../config-change.ts'
import { openFolderMemory } from '../folder-memory.ts'
import { Membership } from '../membership.ts'
import { absent, put, succeed } from '../meta-store.contract.ts'
import { brokerSettings } from '../settings/broker-settings.ts'
import { newTopic } from '../small-cluster.sim.ts'
import { TopicAdmin } from '../topic-admin.ts'
import { TopicConfigs } from '../topic-configs.ts'
import { SimulatedEtcdWithStores } from './simulated-store.sim.ts'

async function join(world: SimulatedEtcdWithStores, brokerId: number) {
  const { store, door } = await world.connect()
  const { random } = world
  const faults: unknown[] = []
  await claimClusterId(store, 'Some-cluster-id-of-22c')
  const view = await ClusterViewOfStore.open({
    store,
    remote: { clock: world.clock },
    onFault: (error) => faults.push(error),
  })
  const { clock } = world
  const settings = brokerSettings({})
  const directoryId = `folder-${brokerId}`
  const disk = new MemoryDisk()
  await disk.makeFolder('/data')
  const folder = await openFolderMemory({ disk, path: '/data', place: 'here', directoryId, wasClean: true })
  const membership = new Membership({
    store,
    view,
    brokerId,
    rack: null,
    settings,
    folder,
    clock,
    random,
    logger: silentLogger,
  })
  await world.whileTimePasses(membership.start([{ listener: 'PLAINTEXT', host: `broker-${brokerId}`, port: 9092 }]))
  const administration = { store, view, clock, settings, membership, brokerId, random }
  const topics = new TopicAdmin({ ...administration, served: async () => {} })
  return { store, door, view, membership, topics, administration, faults }
}

test('brokers on one etcd see each other, and what one of them changes', async () => {
  const world = new SimulatedEtcdWithStores()
  const first = await join(world, 1)
  const second = await join(world, 2)
  assert.deepEqual([...second.view.image.brokers.keys()], [1, 2])
  assert.equal(second.view.image.controllerId, 1)
  const [created] = await first.topics.create([newTopic('orders', { partitions: 300, replicationFactor: 2 })], {
    validateOnly: false,
  })
  assert.ok(created?.ok === true)
  await second.view.reached(first.view.image.revision)
  assert.equal(second.view.image.topicsByName.get('orders')?.partitions.length, 300)
})

test('a broker that is cut off from etcd fences itself before another takes its office', async () => {
  const world = new SimulatedEtcdWithStores()
  const first = await join(world, 1)
  const second = await join(world, 2)
  const { epoch } = first.membership
  first.door.cut = true
  let fencedAt = 0
  await world.clock.advanceUntil(() => {
    if (fencedAt === 0 && !first.membership.valid()) fencedAt = world.clock.monotonic()
    return second.view.image.controllerId === 2
  })
  assert.ok(fencedAt > 0 && fencedAt < world.clock.monotonic())
  assert.deepEqual([...second.view.image.brokers.keys()], [2])
  first.door.cut = false
  await world.clock.advanceUntil(() => first.membership.valid())
  assert.ok(first.membership.epoch > epoch, 'it comes back as another incarnation')
  assert.equal(first.view.image.controllerId, 2)
})

test('a broker that leaves makes room at once', async () => {
  const world = new SimulatedEtcdWithStores()
  const first = await join(world, 1)
  const second = await join(world, 2)
  await first.membership.stop()
  await world.clock.settle()
  assert.deepEqual([[...second.view.image.brokers.keys()], second.view.image.controllerId], [[2], 2])
})

test('a view whose history is lost while etcd is out of reach shows what is there once it is back', async () => {
  const world = new SimulatedEtcdWithStores()
  const first = await join(world, 1)
  const second = await join(world, 2)
  first.door.cut = true
  await world.clock.advance(2_000)
  const created = await second.topics.create([newTopic('orders')], { validateOnly: false })
  assert.equal(created[0]?.ok, true)
  world.etcd.compact()
  const [frozen, alsoFrozen] = world.etcd.endpoints
  world.etcd.freeze(frozen!)
  world.etcd.freeze(alsoFrozen!)
  first.door.cut = false
  await world.clock.advance(30_000)
  assert.equal(first.view.image.topicsByName.has('orders'), false)
  world.etcd.thaw(frozen!)
  await world.clock.advance(10_000)
  assert.equal(first.view.image.topicsByName.has('orders'), true)
})

for (const { what, clusterId } of [
  { what: 'another cluster', clusterId: '2002' },
  { what: 'an older state of it, restored from a backup', clusterId: '1001' },
]) {
  test(`a broker that finds ${what} where its etcd was stops: no topic counts as deleted`, async () => {
    const world = new SimulatedEtcdWithStores()
    const { topics, view, faults } = await join(world, 1)
    const created = await topics.create([newTopic('orders')], { validateOnly: false })
    assert.equal(created[0]?.ok, true)
    world.etcd.replace(new EtcdState(clusterId))
    await world.clock.advance(30_000)
    assert.equal(faults.length, 1)
    assert.match(String(faults[0]), /not the one/)
    assert.ok(view.image.topicsByName.has('orders'))
  })
}

test('what was read is waited for, although others wrote to the same etcd meanwhile', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store: stranger } = await world.connect({ namespace: '/strangers' })
  const { topics, administration } = await join(world, 1)
  await topics.create([newTopic('orders')], { validateOnly: false })
  const configs = new TopicConfigs(administration)
  const change: ConfigChange = { kind: 'replace', configs: new Map([['segment.bytes', '1048576']]) }
  assert.equal(await configs.alter('orders', change, { validateOnly: false }), null)
  await succeed(stranger.transact([absent('a')], [put('a')]))
  const begun = world.clock.monotonic()
  // There is nothing to write: the view must be as far as what was read, and nobody tells it of the stranger's write.
  assert.equal(await world.whileTimePasses(configs.alter('orders', change, { validateOnly: false })), null)
  assert.ok(world.clock.monotonic() - begun < 2000)
})
