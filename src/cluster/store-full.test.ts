import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'

test('without room on the disk topics are not changed, and whoever asked is told; with room they are', async () => {
  const disk = new SimulatedDisk()
  const cluster = await SmallCluster.start({ disk })
  const orders = (await cluster.topics.create([newTopic('orders')], { validateOnly: false }))[0]!
  assert.ok(orders.ok)
  disk.capacityBytes = disk.usedBytes

  const create = () => cluster.topics.create([newTopic('clicks')], { validateOnly: false })
  const alter = () =>
    cluster.topicConfigs.alter(
      'orders',
      { kind: 'replace', configs: new Map([['retention.ms', '1000']]) },
      { validateOnly: false },
    )
  const storageError = ErrorCode.KAFKA_STORAGE_ERROR
  const [created] = await create()
  assert.ok(!created!.ok && created!.error === storageError)
  assert.equal((await alter())?.error, storageError)
  const ensured = await cluster.topics.ensure('clicks')
  assert.ok('error' in ensured && ensured.error === storageError)
  const kept = await cluster.topics.delete(orders.id!)
  assert.ok(!kept.ok && kept.error === storageError)
  assert.ok(cluster.topic('orders') !== undefined)
  assert.equal(cluster.topic('clicks'), undefined)

  disk.capacityBytes = Infinity
  assert.equal(await alter(), null)
  assert.ok((await create())[0]!.ok)
  assert.ok((await cluster.topics.delete(orders.id!)).ok)
  assert.equal(cluster.topic('orders'), undefined)
})
