import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease, MetaStore, MetaWrite } from '../meta-store.ts'
import { absent, keys, put, succeed } from '../meta-store.contract.ts'
import { SimulatedEtcdWithStores } from './simulated-store.sim.ts'

/** With the key `live` bound to it. */
async function leased(store: MetaStore, ttlMs: number): Promise<Lease> {
  const lease = await store.lease(ttlMs)
  await succeed(store.transact([absent('live')], [{ ...put('live'), lease } as MetaWrite]))
  return lease
}

test('cut off, a lease is valid until a tenth of its time before the end, counted from the last renewal sent', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const lease = await leased(store, 10_000)
  // Renewed after 2,500 ms; cut off just before the next renewal.
  await world.clock.advance(4_900)
  door.cut = true
  await world.clock.advance(2_500 + 9_000 - 4_900 - 1)
  assert.equal(lease.valid(), true)
  await world.clock.advance(1)
  assert.equal(lease.valid(), false)
})

test('a short lease keeps half a second of margin', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const lease = await leased(store, 2000)
  door.cut = true
  await world.clock.advance(1499)
  assert.equal(lease.valid(), true)
  await world.clock.advance(1)
  assert.equal(lease.valid(), false)
})

test('the time counts from when a renewal was sent, not from when it was answered', async () => {
  const world = new SimulatedEtcdWithStores({ latencyMs: { min: 400, max: 400 } })
  const { store, door } = await world.connect()
  const begun = world.clock.monotonic()
  const lease = await world.whileTimePasses(store.lease(10_000))
  const validUntil = async (endMs: number): Promise<void> => {
    await world.clock.advance(begun + endMs - 1 - world.clock.monotonic())
    assert.equal(lease.valid(), true)
    await world.clock.advance(1)
    assert.equal(lease.valid(), false)
  }
  // Asked for at 0 and granted at 800; renewed at 2,500 and granted at 3,300. Then the next answer is lost.
  await world.clock.advance(begun + 3_400 - world.clock.monotonic())
  door.cut = true
  await validUntil(2_500 + 9_000)
})

test('the time of a new lease counts from when it was asked for', async () => {
  const world = new SimulatedEtcdWithStores({ latencyMs: { min: 400, max: 400 } })
  const { store, door } = await world.connect()
  const begun = world.clock.monotonic()
  const lease = await world.whileTimePasses(store.lease(10_000))
  door.cut = true
  await world.clock.advance(begun + 8_999 - world.clock.monotonic())
  assert.equal(lease.valid(), true)
  await world.clock.advance(1)
  assert.equal(lease.valid(), false)
})

test('a machine that slept finds its lease invalid by the wall clock, before anything else runs', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const lease = await leased(store, 10_000)
  world.clock.jump(9_000)
  assert.equal(lease.valid(), false)
  // The next renewal counts from the new time.
  await world.clock.advance(2_600)
  assert.equal(lease.valid(), true)
})

test('a wall clock that was set back neither ends a lease nor prolongs it', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const lease = await leased(store, 10_000)
  door.cut = true
  world.clock.jump(-60_000)
  await world.clock.advance(8_999)
  assert.equal(lease.valid(), true)
  await world.clock.advance(1)
  assert.equal(lease.valid(), false)
})

test('without a leader a lease lapses, is not lost, and holds again when there is one', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const lease = await leased(store, 10_000)
  let lost = false
  void lease.lost.then(() => (lost = true))
  const [first, second] = world.etcd.endpoints
  world.etcd.freeze(first!)
  world.etcd.freeze(second!)
  await world.clock.advance(30_000)
  assert.deepEqual([lease.valid(), lost], [false, false])
  world.etcd.thaw(first!)
  await world.clock.advance(5_000)
  assert.deepEqual([lease.valid(), lost, await world.whileTimePasses(keys(store))], [true, false, ['live']])
})

test('a lease that etcd let run out is lost, once its holder can ask', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const lease = await leased(store, 10_000)
  let lost = false
  void lease.lost.then(() => (lost = true))
  door.cut = true
  await world.clock.advance(20_000)
  assert.deepEqual([lease.valid(), lost], [false, false])
  door.cut = false
  await world.clock.advance(2_000)
  assert.deepEqual([lease.valid(), lost], [false, true])
  const late = { ...put('late'), lease } as MetaWrite
  await assert.rejects(store.transact([absent('late')], [late]), /lease is over/)
})

test('one member that is dead, or frozen, does not endanger a lease', async () => {
  for (const stop of ['kill', 'freeze'] as const) {
    const world = new SimulatedEtcdWithStores()
    const { store } = await world.connect()
    const lease = await leased(store, 9_000)
    world.etcd[stop](world.etcd.endpoints[1]!)
    for (let i = 0; i < 100; i++) {
      await world.clock.advance(500)
      assert.equal(lease.valid(), true)
    }
  }
})

test('a lease that was revoked is not lost, and a second time nothing happens', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const lease = await leased(store, 10_000)
  let lost = false
  void lease.lost.then(() => (lost = true))
  await lease.revoke()
  await lease.revoke()
  await world.clock.advance(30_000)
  assert.deepEqual([lost, await keys(store)], [false, []])
})

test('no lease is ever valid after etcd has let it go, whatever members and links do', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = new SimulatedEtcdWithStores({ seed, latencyMs: { min: 0.2, max: 300 } })
    const { random, clock, etcd } = world
    const { store, door } = await world.connect()
    const lease = await world.whileTimePasses(store.lease(random.pick([2000, 5000, 9000])))
    let lapses = 0
    for (let step = 0; step < 300; step++) {
      const endpoint = random.pick(etcd.endpoints)
      const action = random.below(14)
      if (action === 0) etcd.freeze(endpoint)
      else if (action === 1) etcd.kill(endpoint)
      else if (action === 2) door.cut = true
      else if (action === 3) clock.jump(random.below(8000) - 4000)
      else if (action < 8) {
        door.cut = false
        for (const member of etcd.endpoints) etcd.thaw(member)
      }
      await clock.advance(random.below(1500))
      const gone = etcd.state.ttlOf(lease.id) === null
      assert.ok(!(gone && lease.valid()), `seed ${seed}, step ${step}`)
      if (!lease.valid()) lapses++
      if (gone) break
    }
    assert.ok(lapses > 0 || seed % 5 > 0, `seed ${seed} put nothing to the test`)
  }
})
