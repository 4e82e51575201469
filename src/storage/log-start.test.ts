// The start of a log that was moved: who is told that it has moved may rely on it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { seededRandom } from '../io/random.sim.ts'
import { appended, batchOf, openDirectory, openOrders } from './partition-log.contract.ts'

const path = '/data'

test('a start inside a segment is known after every crash, also to who asked for it while it was moving', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = new SimulatedDisk()
    const log = await openOrders(await openDirectory({ disk, path }))
    await appended(log, batchOf(['a', 'b', 'c', 'd']))
    await log.sync()
    const first = log.advanceStartTo(3)
    // The same again, and less: both are answered with a start of 3.
    await Promise.race([log.advanceStartTo(3), log.advanceStartTo(1)])
    const found = disk.crash(seededRandom(seed))
    await first.catch(() => undefined)
    const reopened = await openOrders(await openDirectory({ disk: found, path }))
    assert.equal(reopened.logStartOffset, 3, `seed ${seed}`)
  }
})

test('a start that could not be made durable is a fault of every call that asked for it', async () => {
  const disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path }))
  await appended(log, batchOf(['a', 'b']))
  await log.sync()
  disk.failWhen({ path: 'log-start-offset-checkpoint', times: Infinity })
  const outcomes = await Promise.allSettled([log.advanceStartTo(1), log.advanceStartTo(1)])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.ok(log.fault)
})
