// Cutting a log where it ends inside a batch: what the checkpoints promise afterwards is there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { seededRandom } from '../io/random.sim.ts'
import { decodeOffsetCheckpoint } from './checkpoint-file.ts'
import { appended, batchOf, openDirectory, openOrders, smallConfig } from './partition-log.contract.ts'

test('a cut inside a batch lowers the checkpoints to where the batch began: it goes as a whole', async () => {
  for (const segmentBytes of [1 << 20, 100]) {
    const disk = new SimulatedDisk()
    const config = { ...smallConfig, segmentBytes }
    const directory = await openDirectory({ disk, path: '/data' })
    const log = await openOrders(directory, config)
    directory.useHighWatermarks(() => [['orders-0', log.durableOffset]])
    for (const values of [['a', 'b'], ['c', 'd', 'e'], ['f']]) await appended(log, batchOf(values))
    await directory.checkpoint()
    await log.truncateTo(4)
    assert.equal(log.logEndOffset, 2)
    for (const name of ['recovery-point', 'replication']) {
      const bytes = await disk.readFile(`/data/${name}-offset-checkpoint`)
      assert.equal(decodeOffsetCheckpoint(bytes!).get('orders-0'), 2, name)
    }
    const found = disk.crash(seededRandom(1))
    const reopened = await openOrders(await openDirectory({ disk: found, path: '/data' }), config)
    assert.equal(reopened.fault, null)
    assert.equal(reopened.logEndOffset, 2)
  }
})

test('a start inside the batch that is cut away moves back with the end', async () => {
  const directory = await openDirectory({ disk: new SimulatedDisk(), path: '/data' })
  const log = await openOrders(directory)
  await appended(log, batchOf(['a', 'b']))
  await appended(log, batchOf(['c', 'd', 'e']))
  await log.advanceStartTo(4)
  await log.truncateTo(4)
  assert.equal(log.logEndOffset, 2)
  assert.equal(log.logStartOffset, 2)
})

test('a log that finds no room for the word that it will be cut stays as it is, and is cut when there is room', async () => {
  for (const cut of ['truncateTo', 'restartAt'] as const) {
    const disk = new SimulatedDisk()
    const directory = await openDirectory({ disk, path: '/data' })
    const log = await openOrders(directory)
    for (const value of ['a', 'b', 'c']) await appended(log, batchOf([value]))
    disk.capacityBytes = disk.usedBytes
    await assert.rejects(log[cut](1), /ENOSPC/)
    assert.deepEqual([log.fault, log.logEndOffset, log.durableOffset, log.logStartOffset], [null, 3, 3, 0])
    disk.capacityBytes = Infinity
    await log[cut](1)
    assert.deepEqual([log.fault, log.logEndOffset, log.durableOffset], [null, 1, 1])
    assert.equal(await appended(log, batchOf(['d'])), 1)
    const reopened = await openOrders(await openDirectory({ disk: disk.crash(seededRandom(1)), path: '/data' }))
    assert.deepEqual([reopened.fault, reopened.logEndOffset], [null, 2])
  }
})
