// The suites of every store against the simulated etcd (the real one is in test/etcd), and what only a cluster of members can do
// to a store.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { EtcdState } from '../../io/etcd-state.sim.ts'
import { metaStoreFaultContract } from '../meta-store-faults.contract.ts'
import { absent, keys, metaStoreContract, put, type StoreUnderTest, succeed } from '../meta-store.contract.ts'
import { metaStoreModelContract } from '../meta-store-model.contract.ts'
import { type CasItem, type Guard, StoreFull, StoreUnavailable, UnknownOutcome } from '../meta-store.ts'
import { FaultyDoor } from './faulty-door.sim.ts'
import { SimulatedEtcdWithStores } from './simulated-store.sim.ts'

async function under(world: SimulatedEtcdWithStores, namespace: string): Promise<StoreUnderTest> {
  const { store } = await world.connect({ namespace })
  return {
    store,
    leaseTtlMs: 10_000,
    pass: (ms) => world.clock.advance(ms),
    connect: async () => (await world.connect({ namespace })).store,
    async restart() {
      await store.close()
      return under(world, namespace)
    },
    async forgetHistory() {
      world.etcd.compact()
    },
  }
}

for (const namespace of ['', '/some/where']) {
  metaStoreContract(`simulated etcd, namespace '${namespace}'`, 20, () =>
    under(new SimulatedEtcdWithStores(), namespace),
  )
}

metaStoreFaultContract('simulated etcd', async () => {
  const world = new SimulatedEtcdWithStores()
  const door = new FaultyDoor(world.etcd.door())
  return {
    store: await world.store(door),
    other: (await world.connect()).store,
    whileTimePasses: (work) => world.whileTimePasses(work),
    failNext: (fault) => door.failNext('txn', fault),
    deliverLate: () => door.deliverLate(),
  }
})

metaStoreModelContract('simulated etcd', 150, async () => (await new SimulatedEtcdWithStores().connect()).store)

test('a member that refuses the connection is passed over, for writes too', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  world.etcd.kill(world.etcd.endpoints[0]!)
  await world.clock.advance(5000)
  await succeed(store.transact([absent('a')], [put('a')]))
})

test('while no leader is known nothing is written, and writes wait for the next one', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const [first, second] = world.etcd.endpoints
  world.etcd.kill(first!)
  world.etcd.kill(second!)
  await world.clock.advance(5000)
  const write = succeed(store.transact([absent('a')], [put('a')]))
  await world.clock.advance(1000)
  world.etcd.start(second!)
  await world.whileTimePasses(write)
})

test('a store that no member answers gives up, and says that nothing was written', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect({ patienceMs: 4000 })
  for (const endpoint of world.etcd.endpoints) world.etcd.kill(endpoint)
  const begun = world.clock.monotonic()
  await assert.rejects(world.whileTimePasses(store.transact([absent('a')], [put('a')])), StoreUnavailable)
  await assert.rejects(world.whileTimePasses(store.get('a')), StoreUnavailable)
  const tookMs = world.clock.monotonic() - begun
  assert.ok(tookMs >= 8000 && tookMs < 10_000, `${tookMs} ms`)
})

test('a frozen member costs a read one attempt, and the next read none', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect({ attemptTimeoutMs: 1500 })
  const [first, second] = world.etcd.endpoints
  world.etcd.freeze(first!)
  await world.clock.advance(3000)
  const begun = world.clock.monotonic()
  await world.whileTimePasses(store.get('a'))
  assert.equal(world.clock.monotonic() - begun, 1500)
  await store.get('a')
  assert.notEqual(world.etcd.leaderEndpoint, first)
  assert.ok(second)
})

test('an etcd that has no room left refuses, and goes on when there is room', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  world.etcd.state.full = true
  await assert.rejects(store.transact([absent('a')], [put('a')]), StoreFull)
  assert.equal((await store.get('a')).entry, null)
  world.etcd.state.full = false
  await succeed(store.transact([absent('a')], [put('a')]))
})

for (const { what, happens } of [
  {
    what: 'there is no room for the rest',
    happens: ({ etcd }: SimulatedEtcdWithStores) => void (etcd.state.full = true),
  },
  { what: 'the fence fell meanwhile', happens: (world: SimulatedEtcdWithStores) => putDirectly(world, 'fence') },
]) {
  test(`many writes of which some were made when ${what} have an unknown outcome`, async () => {
    const world = new SimulatedEtcdWithStores()
    const { store } = await world.connect()
    const items = Array.from({ length: 1000 }, (_, i): CasItem => ({
      guards: [absent(`k${i}`)],
      writes: [put(`k${i}`)],
    }))
    let transactions = 0
    world.etcd.onCall = ({ method }) => {
      if (method === 'txn' && ++transactions === 3) happens(world)
      return null
    }
    await assert.rejects(store.compareAndSwapMany([absent('fence')], items), UnknownOutcome)
    const written = await keys(store, 'k')
    assert.ok(written.length > 0 && written.length < items.length)
    // And where none is made, that is known.
    const rest = store.compareAndSwapMany([absent('fence')], items.slice(-1))
    if (world.etcd.state.full) await assert.rejects(rest, StoreFull)
    else assert.equal(await rest, 'fenced')
  })
}

test('closing leaves writes under way unknown, and everything later refused', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  door.cut = true
  const write = store.transact([absent('a')], [put('a')])
  const read = store.get('a')
  await world.clock.settle()
  await store.close()
  await assert.rejects(write, UnknownOutcome)
  await assert.rejects(read, /closed/)
  await assert.rejects(store.lease(10_000), /closed/)
  assert.throws(() => store.watch('', 1, { events() {}, reset() {}, stale() {} }), /closed/)
})

test('a token that etcd has forgotten is asked for again', async () => {
  const user = { name: 'odradek', password: 'secret' }
  const world = new SimulatedEtcdWithStores({ user })
  const { store } = await world.connect({ user })
  const told: string[] = []
  store.watch('', 1, { events: (batch) => told.push(...batch.map(({ entry }) => entry.key)), reset() {}, stale() {} })
  await succeed(store.transact([absent('a')], [put('a')]))
  world.etcd.forgetTokens()
  await succeed(store.transact([absent('b')], [put('b')]))
  world.etcd.kill(world.etcd.endpoints[0]!)
  world.etcd.forgetTokens()
  await world.clock.advance(5000)
  await succeed(store.transact([absent('c')], [put('c')]))
  await world.clock.advance(100)
  assert.deepEqual(told, ['a', 'b', 'c'])
  await assert.rejects(world.connect({ user: { ...user, password: 'guess' } }), /invalid user ID or password/)
  await assert.rejects(world.connect(), /user name is empty/)
})

test('another cluster at the same addresses is noticed: leases are lost and watches reset, once', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const lease = await store.lease(10_000)
  let resets = 0
  let lost = false
  store.watch('', 1, { events() {}, reset: () => resets++, stale() {} })
  void lease.lost.then(() => (lost = true))
  await world.clock.settle()
  world.etcd.replace(new EtcdState('2002'))
  await world.whileTimePasses(store.list(''))
  await world.clock.advance(5000)
  assert.deepEqual([resets, lost, lease.valid()], [1, true, false])
  await succeed(store.transact([absent('a')], [put('a')]))
})

test('an etcd whose revision went back is noticed by a watch that comes back to it', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  for (const key of ['a', 'b', 'c']) await succeed(store.transact([absent(key)], [put(key)]))
  let resets = 0
  store.watch('', (await store.list('')).revision + 1, { events() {}, reset: () => resets++, stale() {} })
  await world.clock.settle()
  // Restored from a backup with the same id: only its revision tells.
  world.etcd.replace(new EtcdState('1001'))
  await world.clock.advance(5000)
  assert.equal(resets, 1)
})

test('a write that another etcd answers has an unknown outcome', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  await succeed(store.transact([absent('a')], [put('a')]))
  world.etcd.replace(new EtcdState('2002'))
  await assert.rejects(store.transact([absent('b')], [put('b')]), UnknownOutcome)
})

/** The keys of a list of two pages; `between` happens when the second is asked for. */
async function betweenPages(between: (world: SimulatedEtcdWithStores) => void): Promise<string[]> {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const writes = Array.from({ length: 3000 }, (_, i) => put(`k${10_000 + i}`))
  await succeed(store.transact([absent('k')], writes))
  let ranges = 0
  world.etcd.onCall = ({ method }) => {
    if (method === 'range' && ++ranges === 2) between(world)
    return null
  }
  const found = await keys(store, 'k')
  assert.ok(ranges >= 2)
  return found
}

function putDirectly({ etcd }: SimulatedEtcdWithStores, key: string): void {
  const requestPut = { key: Buffer.from(key), value: Buffer.alloc(0) }
  etcd.state.txn({ compare: [], success: [{ requestPut }], failure: [] }, '1')
}

test('what is written between two pages of a list is not in it', async () => {
  const found = await betweenPages((world) => putDirectly(world, 'k99999'))
  assert.deepEqual([found.length, found.at(-1)], [3000, 'k12999'])
})

test('a list whose revision is compacted between two pages is made anew', async () => {
  const found = await betweenPages((world) => {
    putDirectly(world, 'k99999')
    world.etcd.compact()
  })
  assert.deepEqual([found.length, found.at(-1)], [3001, 'k99999'])
})

test('items with long lists and large values are split so that etcd takes them', async () => {
  const sizes = fc.record({
    guards: fc.integer({ min: 1, max: 60 }),
    writes: fc.integer({ min: 0, max: 300 }),
    bytes: fc.constantFrom(1, 1, 1, 3000),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { minLength: 1, maxLength: 150 }), async (shapes) => {
      const { store } = await new SimulatedEtcdWithStores().connect()
      const items = shapes.map((shape, i): CasItem => ({
        guards: Array.from({ length: shape.guards }, (_, j) => absent(`${i}/${j}`)) as [Guard, ...Guard[]],
        writes: Array.from({ length: shape.writes }, (_, j) => put(`${i}/${j}`, 'x'.repeat(shape.bytes))),
      }))
      const results = await store.compareAndSwapMany([absent('fence')], items)
      assert.ok(results !== 'fenced' && results.length === items.length && results.every((result) => result.ok))
      assert.equal(
        (await keys(store)).length,
        shapes.reduce((sum, { writes }) => sum + writes, 0),
      )
    }),
    { numRuns: 100 },
  )
})
