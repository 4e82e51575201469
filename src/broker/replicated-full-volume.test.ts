// What a full volume means for a partition with several replicas.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { recordsOf } from '../records/record.ts'
import { batchesOf, type ReplicatedBroker, World } from './replicated-brokers.sim.ts'

async function valuesOf({ partition }: ReplicatedBroker): Promise<string[]> {
  const batches = await batchesOf(partition, partition.logEndOffset)
  return batches.flatMap((batch) => [...recordsOf(batch)].map(({ value }) => Buffer.from(value!).toString()))
}

const isr = (world: World): number[] => world.image.isr.toSorted((one, other) => one - other)

describe('a volume that is full', () => {
  test('at the leader hands the partition to another in the ISR, and takes part again when there is room', async () => {
    const world = await World.start()
    const one = world.brokers.get(1)!
    world.append(one, 'a')
    await world.until(() => world.settled())
    one.room.volumeFull = true
    assert.equal(world.append(one, 'refused'), null)
    await world.until(() => world.leader?.id === 2, 200)
    assert.deepEqual([isr(world), world.image.failed], [[2, 3], [1]])
    world.append(world.leader!, 'b')
    await world.until(() => world.leader!.partition.highWatermark === 2, 200)
    await world.run(5000)
    assert.deepEqual([isr(world), world.image.failed], [[2, 3], [1]])
    one.room.volumeFull = false
    await world.until(() => world.settled() && isr(world).length === 3)
    assert.deepEqual(world.image.failed, [])
    assert.deepEqual(await valuesOf(one), ['a', 'b'])
  })

  test('at a follower takes it out of the ISR at once: nobody waits for it', async () => {
    const world = await World.start()
    const [one, three] = [world.brokers.get(1)!, world.brokers.get(3)!]
    three.room.volumeFull = true
    world.append(one, 'a')
    await world.until(() => one.partition.highWatermark === 1, 200)
    assert.deepEqual([isr(world), world.image.failed], [[1, 2], [3]])
    three.room.volumeFull = false
    await world.until(() => world.settled() && isr(world).length === 3)
  })

  test('leaves the partition with the last that is in sync: it refuses, and is read', async () => {
    const world = await World.start({ brokers: 2 })
    const one = world.brokers.get(1)!
    world.append(one, 'a')
    await world.until(() => world.settled())
    world.crash(2, false)
    await world.bury(2)
    await world.until(() => isr(world).length === 1)
    one.room.volumeFull = true
    await world.run(5000)
    assert.equal(world.append(one, 'refused'), null)
    assert.deepEqual([world.leader?.id, world.image.failed], [1, []])
    assert.deepEqual(await valuesOf(one), ['a'])
    one.room.volumeFull = false
    assert.equal(world.append(one, 'b'), 2)
  })

  test('of one that was the last in sync hands the partition on as soon as another is', async () => {
    const world = await World.start({ brokers: 2 })
    const one = world.brokers.get(1)!
    world.append(one, 'a')
    await world.until(() => world.settled())
    world.crash(2, false)
    await world.bury(2)
    await world.until(() => isr(world).length === 1)
    one.room.volumeFull = true
    await world.boot(2)
    await world.until(() => world.leader?.id === 2)
    assert.deepEqual([isr(world), world.image.failed], [[2], [1]])
  })
})
