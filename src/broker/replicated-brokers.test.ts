// Brokers that replicate to each other: the rules of replication as they show between whole brokers.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { noFaults } from '../cluster/meta-store.faulty.sim.ts'
import { baseOffsetOf, leaderEpochOf } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import { assertSame, batchesOf, World } from './replicated-brokers.sim.ts'
import type { ReplicatedBroker } from './replicated-brokers.sim.ts'

async function valuesOf({ partition }: ReplicatedBroker): Promise<string[]> {
  const batches = await batchesOf(partition, partition.logEndOffset)
  return batches.flatMap((batch) => [...recordsOf(batch)].map(({ value }) => Buffer.from(value!).toString()))
}

async function epochsOf({ partition }: ReplicatedBroker): Promise<string[]> {
  const batches = await batchesOf(partition, partition.logEndOffset)
  return batches.map((batch) => `${baseOffsetOf(batch)}:${leaderEpochOf(batch)}`)
}

const broker = (world: World, id: number) => world.brokers.get(id)!
const isr = (world: World) => world.image.isr.toSorted((one, other) => one - other)

describe('replication', () => {
  test('brings what the leader appends to every follower, and commits it when all have it', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    world.append(leader, 'a', 'b')
    assert.equal(leader.partition.highWatermark, 0)
    await world.until(() => world.settled())
    world.append(leader, 'c')
    await world.until(() => world.settled())
    for (const { partition } of world.alive) {
      assert.equal(partition.highWatermark, 3)
      await assertSame(leader.partition, partition, 3)
    }
    assert.deepEqual(isr(world), [1, 2, 3])
  })

  test('commits nothing that a member of the ISR does not have on its disk', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    world.append(leader, 'a')
    await world.until(() => world.settled())
    let release = () => {}
    broker(world, 3).disk.onOperation = ({ kind }) =>
      kind === 'sync' ? new Promise<void>((resolve) => (release = resolve)) : undefined
    world.append(leader, 'b')
    await world.run(300)
    assert.equal(broker(world, 3).partition.logEndOffset, 2, 'it is in its page cache')
    assert.equal(leader.partition.highWatermark, 1)
    broker(world, 3).disk.onOperation = null
    release()
    await world.until(() => world.settled())
    assert.equal(leader.partition.highWatermark, 2)
  })

  test('reaches a follower that was behind by many fetches', async () => {
    const world = await World.start({ settings: { 'replica.fetch.max.bytes': '2000' } })
    world.network.cut('broker-1', 'broker-3')
    await world.until(() => isr(world).length === 2)
    for (let i = 0; i < 300; i++) world.append(broker(world, 1), `value ${i} ${'x'.repeat(i)}`)
    await world.until(() => broker(world, 1).partition.highWatermark === 300)
    world.network.heal('broker-1', 'broker-3')
    await world.until(() => world.settled() && isr(world).length === 3)
    await assertSame(broker(world, 1).partition, broker(world, 3).partition, 300)
  })
})

describe('the ISR', () => {
  test('loses a follower that is cut off, and with it the wait; it is in again when it has caught up', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    world.append(leader, 'a')
    await world.until(() => world.settled())
    world.network.cut('broker-1', 'broker-3')
    world.append(leader, 'b')
    await world.run(900)
    assert.equal(leader.partition.highWatermark, 1, 'it may have it, or not')
    await world.until(() => leader.partition.highWatermark === 2, 1500)
    assert.deepEqual(isr(world), [1, 2])
    world.network.heal('broker-1', 'broker-3')
    await world.until(() => world.settled() && isr(world).length === 3)
  })

  test('is not changed by a leader without a valid lease; what its followers have is committed all the same', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    leader.leaseHolds = false
    world.append(leader, 'a')
    await world.until(() => leader.partition.highWatermark === 1)
    world.network.cut('broker-1', 'broker-3')
    world.append(leader, 'b')
    await world.run(5000)
    assert.equal(leader.partition.highWatermark, 1)
    assert.deepEqual(isr(world), [1, 2, 3])
    assert.equal(leader.partition.mayAnswerAlone, false)
    leader.leaseHolds = true
    await world.until(() => leader.partition.highWatermark === 2)
    assert.deepEqual(isr(world), [1, 2])
  })

  test('takes in nobody under an epoch that is not the one of its registration', async () => {
    const world = await World.start()
    world.network.cut('broker-1', 'broker-3')
    world.append(broker(world, 1), 'a')
    await world.until(() => isr(world).length === 2)
    world.crash(3, false)
    await world.bury(3)
    world.network.heal('broker-1', 'broker-3')
    await world.run(3000)
    assert.deepEqual(isr(world), [1, 2])
    await world.boot(3)
    await world.until(() => world.settled() && isr(world).length === 3)
  })

  for (const [what, faults] of [
    ['was lost on its way', { lostBefore: 100 }],
    ['will apply late', { late: 100, lateMsMax: 60_000 }],
  ] as const) {
    test(`that may or may not have changed, because the write ${what}, counts as it was and as it may be`, async () => {
      const world = await World.start()
      const leader = broker(world, 1)
      leader.store.faults = { ...noFaults, ...faults }
      world.network.cut('broker-1', 'broker-3')
      world.append(leader, 'a')
      await world.run(2500)
      assert.deepEqual([isr(world), leader.partition.highWatermark], [[1, 2, 3], 0])
      assert.ok(leader.keeper.pending > 0)
      leader.store.faults = noFaults
      await world.until(() => leader.partition.highWatermark === 1, 1000)
      assert.deepEqual(isr(world), [1, 2])
      // A write from before finds that its time is over.
      await world.run(60_000)
      assert.deepEqual(isr(world), [1, 2])
      world.network.heal('broker-1', 'broker-3')
      await world.until(() => world.settled() && isr(world).length === 3)
    })
  }

  test('that grew without a word of it counts whoever may be in it', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    world.network.cut('broker-1', 'broker-3')
    await world.run(10)
    world.append(leader, 'a')
    await world.until(() => isr(world).length === 2)
    leader.store.faults = { ...noFaults, lostAfter: 100, watchLagMsMax: 5000 }
    world.network.heal('broker-1', 'broker-3')
    await world.until(() => isr(world).length === 3)
    assert.deepEqual(leader.partition.isr.length, 2, 'the leader has not heard')
    world.network.cut('broker-1', 'broker-3')
    world.append(leader, 'b')
    await world.run(300)
    assert.equal(leader.partition.highWatermark, 1)
    leader.store.faults = noFaults
    await world.until(() => leader.partition.highWatermark === 2)
    assert.deepEqual(isr(world), [1, 2])
  })

  test('is changed by its leader alone: one that lost its place writes nothing', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    // Its registration is another's by now, and it has not heard of that.
    await world.bury(1)
    world.network.cut('broker-1', 'broker-3')
    const { revision } = world.image
    world.append(leader, 'a')
    await world.run(3000)
    assert.equal(world.image.revision, revision)
  })

  test('that is smaller than min.insync.replicas shows consumers nothing more', async () => {
    const world = await World.start({ brokers: 2, configs: { 'min.insync.replicas': '2' } })
    const leader = broker(world, 1)
    world.append(leader, 'a')
    await world.until(() => world.settled())
    world.crash(2, false)
    await world.bury(2)
    world.append(leader, 'b')
    await world.run(3000)
    assert.deepEqual([isr(world), leader.partition.highWatermark], [[1], 1])
    await world.boot(2)
    await world.until(() => world.settled())
    assert.equal(leader.partition.highWatermark, 2)
  })
})

describe('another leader', () => {
  test('has all that was committed, and the old one gives up what was not (KIP-101)', async () => {
    const world = await World.start()
    world.append(broker(world, 1), 'a', 'b')
    await world.until(() => world.settled())
    world.network.cut('broker-1', 'broker-2')
    world.network.cut('broker-1', 'broker-3')
    world.append(broker(world, 1), 'only here')
    await world.run(50)
    await world.elect(2)
    world.append(broker(world, 2), 'c', 'd')
    world.network.heal('broker-1', 'broker-2')
    world.network.heal('broker-1', 'broker-3')
    await world.until(() => world.settled())
    for (const one of world.alive) assert.deepEqual(await valuesOf(one), ['a', 'b', 'c', 'd'])
    assert.deepEqual(await epochsOf(broker(world, 1)), ['0:0', '2:1'])
  })

  test('tells who waits at the old one that it is not the leader', async () => {
    const world = await World.start()
    world.network.cut('broker-1', 'broker-2')
    const end = world.append(broker(world, 1), 'a')!
    const waiting = broker(world, 1).partition.committed(end)
    await world.elect(2)
    await assert.rejects(waiting, { reason: 'notLeader' })
  })

  test('knows the latest offset only when what came before its time is committed (KIP-207)', async () => {
    const world = await World.start()
    world.network.cut('broker-2', 'broker-3')
    world.append(broker(world, 1), 'a')
    await world.until(() => world.settled())
    await world.elect(2)
    const { partition } = broker(world, 2)
    world.network.cut('broker-2', 'broker-1')
    assert.equal(partition.latestIsKnown, partition.highWatermark >= 1)
    world.network.heal('broker-2', 'broker-1')
    world.network.heal('broker-2', 'broker-3')
    await world.until(() => world.settled())
    assert.equal(partition.latestIsKnown, true)
  })

  test('is followed at once by who waits for other partitions of it', async () => {
    const world = await World.start({ settings: { 'replica.fetch.wait.max.ms': '1000' } })
    await world.until(() => world.settled())
    await world.elect(2)
    world.append(broker(world, 2), 'a')
    await world.until(() => broker(world, 2).partition.highWatermark === 1, 200)
  })

  test('is followed soon though it hears of its election last', async () => {
    const world = await World.start({ settings: { 'replica.fetch.backoff.ms': '10000' } })
    await world.until(() => world.settled())
    broker(world, 2).store.faults = { ...noFaults, watchLagMsMax: 100 }
    for (let i = 0; i < 4; i++) {
      await world.elect(1)
      await world.until(() => world.settled())
      await world.elect(2)
      await world.until(() => world.leader?.id === 2)
      world.append(broker(world, 2), `${i}`)
      await world.until(() => world.settled(), 400)
    }
  })

  test('of several in a row: logs that parted twice agree again, epoch by epoch (KIP-279)', async () => {
    const world = await World.start({ brokers: 2 })
    const [one, two] = [broker(world, 1), broker(world, 2)]
    world.append(one, 'a')
    await world.until(() => world.settled())
    world.network.cut('broker-1', 'broker-2')
    const lead = async (id: number) =>
      world.decide(({ leaderEpoch }) => ({ leader: id, isr: [id], leaderEpoch: leaderEpoch + 1 }))
    // Unclean elections, one after the other, while none hears of the other.
    await lead(2)
    world.append(two, 'b at 2')
    world.append(two, 'c at 2')
    await lead(1)
    world.append(one, 'b at 1')
    await lead(2)
    world.append(two, 'd at 2')
    await lead(1)
    world.append(one, 'c at 1')
    await world.run(10)
    assert.deepEqual(await epochsOf(one), ['0:0', '1:2', '2:4'])
    assert.deepEqual(await epochsOf(two), ['0:0', '1:1', '2:1', '3:3'])
    world.network.heal('broker-1', 'broker-2')
    await world.until(() => world.settled() && isr(world).length === 2)
    for (const each of [one, two]) assert.deepEqual(await valuesOf(each), ['a', 'b at 1', 'c at 1'])
  })

  test('who restarted before it learned of the last high watermark keeps its records (KIP-101, scenario 1)', async () => {
    const world = await World.start({ brokers: 2 })
    world.append(broker(world, 1), 'a')
    await world.until(() => world.settled())
    world.append(broker(world, 1), 'b')
    await world.until(() => broker(world, 1).partition.highWatermark === 2)
    const two = broker(world, 2)
    assert.equal(two.partition.logEndOffset, 2)
    // It stopped properly, and stays in the ISR; then the leader dies.
    await two.fetchers.stop()
    await two.keeper.stop()
    await two.replicas.stop()
    await two.directory.close()
    world.crash(2, false)
    world.crash(1, true)
    await world.bury(1)
    await world.decide((image) => ({ isr: [2], leader: 2, leaderEpoch: image.leaderEpoch + 1 }))
    const again = await world.boot(2)
    assert.deepEqual(await valuesOf(again), ['a', 'b'])
    await world.boot(1)
    await world.until(() => world.settled())
    for (const each of world.alive) assert.deepEqual(await valuesOf(each), ['a', 'b'])
  })
})

describe('the start of a log', () => {
  test('moves at the followers when it moves at the leader, and DeleteRecords waits for them', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    for (const value of ['a', 'b', 'c']) world.append(leader, value)
    await world.until(() => world.settled())
    world.network.cut('broker-1', 'broker-3')
    let deleted = false
    const deleting = leader.partition.deleteRecords(2).then((result) => {
      deleted = true
      return result
    })
    await world.run(400)
    assert.equal(deleted, false)
    assert.equal(broker(world, 2).partition.logStartOffset, 2)
    world.network.heal('broker-1', 'broker-3')
    await world.until(() => deleted)
    assert.deepEqual(await deleting, { ok: true, lowWatermark: 2 })
    for (const { partition } of world.alive) assert.equal(partition.logStartOffset, 2)
  })

  test('is not waited for at a broker that is gone by now, though no other is left to say so', async () => {
    const world = await World.start({ brokers: 2 })
    const leader = broker(world, 1)
    world.append(leader, 'a', 'b')
    await world.until(() => world.settled())
    world.crash(2, false)
    const deleted = leader.partition.deleteRecords(1)
    await world.run(300)
    await world.bury(2)
    assert.deepEqual(await world.drive(deleted), { ok: true, lowWatermark: 1 })
  })

  test('that passed a follower’s end makes it begin anew there', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    world.append(leader, 'a', 'b')
    await world.until(() => world.settled())
    world.network.cut('broker-1', 'broker-3')
    world.crash(3, false)
    await world.bury(3)
    for (const value of ['c', 'd', 'e']) world.append(leader, value)
    await world.until(() => leader.partition.highWatermark === 5)
    const deleted = leader.partition.deleteRecords(4)
    await world.run(600)
    assert.deepEqual(await deleted, { ok: true, lowWatermark: 4 }, 'who is not there is not waited for')
    world.network.heal('broker-1', 'broker-3')
    const three = await world.boot(3)
    await world.until(() => world.settled() && isr(world).length === 3)
    assert.equal(three.partition.logStartOffset, 4)
    assert.deepEqual(await valuesOf(three), ['e'])
  })

  test('in the middle of a batch is where a follower begins anew, with the whole batch', async () => {
    const world = await World.start()
    const leader = broker(world, 1)
    world.append(leader, 'a')
    await world.until(() => world.settled())
    world.crash(3, false)
    await world.bury(3)
    world.append(leader, 'b', 'c', 'd', 'e')
    await world.until(() => leader.partition.highWatermark === 5)
    await world.drive(leader.partition.deleteRecords(3))
    const three = await world.boot(3)
    world.append(leader, 'f')
    await world.until(() => world.settled() && isr(world).length === 3)
    assert.equal(three.partition.logStartOffset, 3)
    await assertSame(leader.partition, three.partition, 6)
    const read = await three.partition.read(3, 1 << 20, 6, true)
    assert.ok(read.ok && baseOffsetOf(read.chunks[0]!) === 1, 'the batch that the start lies in is there')
  })
})

describe('a disk that fails', () => {
  test('for want of room, after a follower has copied what was not synced, hands the partition to another', async () => {
    const world = await World.start({ brokers: 2 })
    const leader = broker(world, 1)
    world.append(leader, 'a')
    await world.until(() => world.settled())
    let release = () => {}
    leader.disk.onOperation = ({ kind }) =>
      kind === 'sync' ? new Promise<void>((resolve) => (release = resolve)) : undefined
    world.append(leader, 'b')
    await world.until(() => broker(world, 2).partition.log?.durableOffset === 2)
    leader.disk.failWhen({ kind: 'sync', code: 'ENOSPC' })
    leader.disk.onOperation = null
    world.network.cut('broker-1', 'broker-2')
    release()
    await world.run(50)
    // At the offset of what was dropped, and of the same epoch, were it still the leader.
    world.append(leader, 'c')
    world.append(leader, 'd')
    await world.run(50)
    world.network.heal('broker-1', 'broker-2')
    await world.until(() => world.leader?.id === 2 && world.leader.partition.highWatermark === 2)
    assert.deepEqual(await valuesOf(broker(world, 2)), ['a', 'b'])
    world.crash(1, false)
    await world.bury(1)
    await world.boot(1)
    await world.until(() => world.settled() && isr(world).length === 2)
    assert.deepEqual(await valuesOf(broker(world, 1)), ['a', 'b'])
  })

  test('at the leader hands the partition to another in the ISR', async () => {
    const world = await World.start()
    world.append(broker(world, 1), 'a')
    await world.until(() => world.settled())
    broker(world, 1).disk.failWhen({ kind: 'write', times: Infinity })
    world.append(broker(world, 1), 'b')
    await world.until(() => world.leader?.id === 2)
    assert.deepEqual([isr(world), world.image.failed], [[2, 3], [1]])
    world.append(broker(world, 2), 'c')
    await world.until(() => broker(world, 2).partition.highWatermark === 2)
    assert.deepEqual(await valuesOf(broker(world, 3)), ['a', 'c'])
  })

  test('at a follower takes it out of the ISR, until its log is whole again', async () => {
    const world = await World.start()
    broker(world, 3).disk.failWhen({ kind: 'sync', times: Infinity })
    world.append(broker(world, 1), 'a')
    await world.until(() => broker(world, 1).partition.highWatermark === 1, 500)
    assert.deepEqual([isr(world), world.image.failed], [[1, 2], [3]])
    world.crash(3, true)
    await world.bury(3)
    await world.boot(3)
    await world.until(() => world.settled() && isr(world).length === 3)
    assert.deepEqual(world.image.failed, [])
  })
})
