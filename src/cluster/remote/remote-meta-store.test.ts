// The suite of every store against the store of another process, over a simulated channel, and what only a channel and a holder in
// another process can do to it. The real channel is in src/io/child-process.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { MemoryDisk } from '../../io/disk.memory.ts'
import type { Disk } from '../../io/disk.ts'
import { SimulatedChannel } from '../../io/message-channel.sim.ts'
import { FileJournal } from '../file-journal.ts'
import {
  absent,
  increment,
  keys,
  metaStoreContract,
  put,
  type StoreUnderTest,
  succeed,
} from '../meta-store.contract.ts'
import { EmbeddedMetaStore } from '../meta-store.embedded.ts'
import { type MetaWrite, StoreUnavailable, UnknownOutcome } from '../meta-store.ts'
import { MetaStoreServer, type ServedBroker } from './meta-store-server.ts'
import { RemoteMetaStore } from './remote-meta-store.ts'

const historyRevisions = 20

interface Remote {
  readonly store: RemoteMetaStore
  readonly channel: SimulatedChannel
  readonly served: ServedBroker
}

/** One keeper, whose clock is its brokers' too. */
class World {
  readonly clock: SimulatedClock
  readonly keeper: EmbeddedMetaStore
  readonly #server: MetaStoreServer

  static async start(disk: Disk = new MemoryDisk()): Promise<World> {
    const clock = new SimulatedClock()
    const journal = new FileJournal(disk, '/metadata')
    return new World(await EmbeddedMetaStore.open({ journal, clock, historyRevisions }), clock)
  }

  private constructor(keeper: EmbeddedMetaStore, clock: SimulatedClock) {
    this.clock = clock
    this.keeper = keeper
    this.#server = new MetaStoreServer({ store: keeper, clock })
  }

  broker(clock = this.clock): Remote {
    const channel = new SimulatedChannel(this.clock)
    const served = this.#server.serve(channel.left)
    return { store: new RemoteMetaStore({ channel: channel.right, clock }), channel, served }
  }
}

async function under(disk: Disk): Promise<StoreUnderTest> {
  const world = await World.start(disk)
  const { store } = world.broker()
  return {
    store,
    leaseTtlMs: 10_000,
    pass: (ms) => world.clock.advance(ms),
    connect: async () => world.broker().store,
    async restart() {
      await store.close()
      await world.keeper.close()
      return under(disk)
    },
    async forgetHistory() {
      for (let i = 0; i < 2 * historyRevisions + 2; i++) await increment(world.keeper, 'forgotten')
    },
  }
}

metaStoreContract('of another process', historyRevisions, () => under(new MemoryDisk()))

async function registered({ store }: Remote, key = 'live') {
  const lease = await store.lease(10_000)
  await succeed(store.transact([absent(key)], [{ ...put(key), lease } as MetaWrite]))
  return lease
}

test('a write whose request was lost with the channel has an unknown outcome, and was not written', async () => {
  const world = await World.start()
  const { store, channel } = world.broker()
  channel.latencyMs = 10
  const write = store.transact([absent('a')], [put('a')])
  channel.cut()
  await assert.rejects(write, UnknownOutcome)
  assert.deepEqual(await keys(world.keeper), [])
})

test('a write whose answer was lost with the channel has an unknown outcome, and was written', async () => {
  const world = await World.start()
  const { store, channel } = world.broker()
  channel.latencyMs = 10
  const write = store.transact([absent('a')], [put('a')])
  const rejected = assert.rejects(write, UnknownOutcome)
  await world.clock.advance(10)
  channel.cut()
  await rejected
  assert.deepEqual(await keys(world.keeper), ['a'])
})

test('a write that nobody answers has an unknown outcome after a while, and a read is a fault', async () => {
  const world = await World.start()
  const { store, channel } = world.broker()
  channel.latencyMs = 60_000
  const write = assert.rejects(store.compareAndSwapMany([absent('a')], []), UnknownOutcome)
  const read = assert.rejects(store.get('a'), StoreUnavailable)
  await world.clock.advance(10_000)
  await Promise.all([write, read])
})

test('when the keeper is gone the store says so, its leases are lost, and nothing can be asked', async () => {
  const world = await World.start()
  const remote = world.broker()
  const lease = await registered(remote)
  remote.channel.cut()
  assert.match((await remote.store.failed).message, /is gone/)
  await lease.lost
  assert.equal(lease.valid(), false)
  await assert.rejects(remote.store.get('a'), StoreUnavailable)
  assert.throws(() => remote.store.watch('', 1, { events() {}, reset() {}, stale() {} }), /is gone/)
})

test('a store that was closed has not failed', async () => {
  const world = await World.start()
  const { store } = world.broker()
  let failed = false
  void store.failed.then(() => (failed = true))
  await store.close()
  await world.clock.settle()
  assert.equal(failed, false)
})

test('the lease of a process that has ended goes at once, of one that is silent when it has run out', async () => {
  const world = await World.start()
  const dead = world.broker()
  await registered(dead, 'dead')
  const silent = world.broker()
  await registered(silent, 'silent')
  dead.channel.cut()
  silent.channel.cut()
  await dead.served.holderEnded()
  assert.deepEqual(await keys(world.keeper), ['silent'])
  await world.clock.advance(9_999)
  assert.deepEqual(await keys(world.keeper), ['silent'])
  await world.clock.advance(1)
  assert.deepEqual(await keys(world.keeper), [])
})

test('a lease that is granted after its process has ended binds nothing', async () => {
  const world = await World.start()
  const { store, served } = world.broker()
  const granted = store.lease(10_000)
  await served.holderEnded()
  const lease = await granted
  await assert.rejects(store.transact([absent('live')], [{ ...put('live'), lease } as MetaWrite]), /lease is over/)
})

test('a holder believes in its lease from when it asked, and stops before the keeper does', async () => {
  const world = await World.start()
  const remote = world.broker()
  remote.channel.latencyMs = 400
  const granting = remote.store.lease(10_000)
  await world.clock.advance(800)
  const lease = await granting
  remote.channel.latencyMs = 1_000_000
  await world.clock.advance(8_199)
  assert.equal(lease.valid(), true)
  await world.clock.advance(1)
  assert.equal(lease.valid(), false)
  assert.equal((await world.keeper.list('')).entries.length, 0)
})

test('a holder that stood still does not believe in its lease, whatever it has not heard yet', async () => {
  const world = await World.start()
  const holder = new SimulatedClock()
  const lease = await registered(world.broker(holder))
  // A machine that sleeps: its monotonic clock stands still as well, the wall clock does not.
  holder.jump(60_000)
  assert.equal(lease.valid(), false)
})

test('a holder that is silent for too long loses its lease, and hears of it', async () => {
  const world = await World.start()
  const holder = new SimulatedClock()
  const lease = await registered(world.broker(holder))
  await world.clock.advance(10_000)
  await lease.lost
  assert.deepEqual(await keys(world.keeper), [])
})

test('renewals that were late once make the lease valid again', async () => {
  const world = await World.start()
  const remote = world.broker()
  const lease = await registered(remote)
  remote.channel.latencyMs = 7_000
  await world.clock.advance(2_600)
  remote.channel.latencyMs = 0
  await world.clock.advance(6_400)
  assert.equal(lease.valid(), false)
  await world.clock.advance(500)
  assert.equal(lease.valid(), true)
  assert.deepEqual(await keys(world.keeper), ['live'])
})

test('a broker that does not take its events has to list again, once', async () => {
  const world = await World.start()
  const { store, channel } = world.broker()
  const told: string[] = []
  store.watch('', 1, { events: () => told.push('events'), reset: () => told.push('reset'), stale() {} })
  await world.clock.settle()
  channel.latencyMs = 1_000
  for (let round = 0; round < 201; round++) {
    const writes = Array.from({ length: 500 }, (_, i) => put(`k${i}`, `${round}`))
    await succeed(world.keeper.transact([{ key: 'absent', modRevision: 0 }], writes))
  }
  await world.clock.advance(1_000)
  assert.deepEqual([told.at(-1), told.filter((what) => what === 'reset').length], ['reset', 1])
  assert.ok(told.length < 202)
})
