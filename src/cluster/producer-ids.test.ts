import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { ProducerIds } from './producer-ids.ts'
import { SmallCluster } from './small-cluster.sim.ts'

test('ids count up from zero', async () => {
  const ids = new ProducerIds((await SmallCluster.start()).store)
  assert.deepEqual([await ids.nextId(), await ids.nextId(), await ids.nextId()], [0, 1, 2])
})

test('no id is given twice, by however many brokers at once and across restarts', async () => {
  const disk = new MemoryDisk()
  const given = new Set<number>()
  for (let start = 0; start < 2; start++) {
    const { store } = await SmallCluster.start({ disk })
    const brokers = [new ProducerIds(store), new ProducerIds(store), new ProducerIds(store)]
    const asked = brokers.flatMap((ids) => Array.from({ length: 1500 }, () => ids.nextId()))
    for (const id of await Promise.all(asked)) given.add(id)
    await store.close()
  }
  assert.equal(given.size, 9000)
})

test('the store is asked once for a thousand ids, before they are used up', async () => {
  const { store } = await SmallCluster.start()
  const ids = new ProducerIds(store)
  const { revision } = await store.list('')
  for (let i = 0; i < 850; i++) await ids.nextId()
  assert.equal((await store.list('')).revision, revision + 1)
  for (let i = 850; i < 1800; i++) await ids.nextId()
  assert.equal((await store.list('')).revision, revision + 2)
})

test('when the store fails, so does who needs a new block', async () => {
  const { store } = await SmallCluster.start()
  const ids = new ProducerIds(store)
  await ids.nextId()
  await store.close()
  for (let i = 1; i < 1000; i++) await ids.nextId()
  await assert.rejects(ids.nextId())
})
