import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { ProducerIds } from './producer-ids.ts'
import { SmallCluster } from './small-cluster.sim.ts'

function idsOf(cluster: SmallCluster): ProducerIds {
  const { store, clock } = cluster
  return new ProducerIds({ store, clock, membership: cluster.membershipOf(1) })
}

test('ids count up from zero', async () => {
  const ids = idsOf(await SmallCluster.start())
  assert.deepEqual([await ids.nextId(), await ids.nextId(), await ids.nextId()], [0, 1, 2])
})

test('no id is given twice, by however many brokers at once and across restarts', async () => {
  const disk = new MemoryDisk()
  const given = new Set<unknown>()
  for (let start = 0; start < 2; start++) {
    const cluster = await SmallCluster.start({ disk })
    const brokers = [idsOf(cluster), idsOf(cluster), idsOf(cluster)]
    const asked = brokers.flatMap((ids) => Array.from({ length: 1500 }, () => ids.nextId()))
    for (const id of await Promise.all(asked)) given.add(id)
    await cluster.stop()
  }
  assert.equal(given.size, 9000)
})

test('the store is asked once for a thousand ids, before they are used up', async () => {
  const cluster = await SmallCluster.start()
  const { store } = cluster
  const ids = idsOf(cluster)
  const { revision } = await store.list('')
  for (let i = 0; i < 850; i++) await ids.nextId()
  assert.equal((await store.list('')).revision, revision + 1)
  for (let i = 850; i < 1800; i++) await ids.nextId()
  assert.equal((await store.list('')).revision, revision + 2)
})

test('when the store is gone nobody gets an id, not even of a block that is begun', async () => {
  const cluster = await SmallCluster.start()
  const ids = idsOf(cluster)
  await ids.nextId()
  await cluster.stop()
  assert.equal(typeof (await ids.nextId()), 'object')
})
