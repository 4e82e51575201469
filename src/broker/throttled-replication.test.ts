// Replication that is throttled (KIP-73), from the fetch of a follower to the answer of its leader.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeDocument } from '../cluster/documents.ts'
import { configKey } from '../cluster/keys.ts'
import { World } from './replicated-brokers.sim.ts'

const valueBytes = 1000
const records = 200
const bytesPerSecond = 20_000

/** A leader with 200 kB that broker 3 lacks; a fetch brings a few. */
async function worldWith(configs: Record<string, string>, rates: Record<number, Record<string, string>>) {
  const world = await World.start({
    configs,
    settings: { 'replica.fetch.max.bytes': '5000', 'replica.fetch.wait.max.ms': '100' },
  })
  for (const [id, entries] of Object.entries(rates)) {
    const key = configKey('broker', id)
    const value = encodeDocument({ entries })
    await world.store.transact([{ key, modRevision: 0 }], [{ kind: 'put', key, value }])
  }
  world.crash(3, false)
  await world.bury(3)
  for (let i = 0; i < records; i++) world.append(world.leader!, String(i).padEnd(valueBytes, '.'))
  await world.until(() => world.leader!.partition.highWatermark === records)
  // What was copied to those in sync has counted as well; it is forgotten.
  await world.run(12_000)
  return world
}

/** How long broker 3 takes to have everything. */
async function catchUpMs(world: World): Promise<number> {
  const from = world.clock.monotonic()
  const broker = await world.boot(3)
  await world.until(() => broker.partition.logEndOffset >= records, 60_000)
  return world.clock.monotonic() - from
}

const leaderRate = { 'leader.replication.throttled.rate': String(bytesPerSecond) }
const followerRate = { 'follower.replication.throttled.rate': String(bytesPerSecond) }
/** At least: the first second may bring what it can, and what is under way is not counted yet. */
const throttledMs = ((records * valueBytes) / bytesPerSecond) * 1000 * 0.7

for (const { what, configs, rates, isSlow } of [
  {
    what: 'that its leader throttles',
    configs: { 'leader.replication.throttled.replicas': '0:1' },
    rates: { 1: leaderRate },
    isSlow: true,
  },
  {
    what: 'that throttles itself',
    configs: { 'follower.replication.throttled.replicas': '*' },
    rates: { 3: followerRate },
    isSlow: true,
  },
  { what: 'with rates for no replica', configs: {}, rates: { 1: leaderRate, 3: followerRate }, isSlow: false },
  {
    what: 'where other replicas are throttled',
    configs: { 'leader.replication.throttled.replicas': '0:2', 'follower.replication.throttled.replicas': '0:1,1:3' },
    rates: { 1: leaderRate, 3: followerRate },
    isSlow: false,
  },
]) {
  test(`a follower ${what} catches up ${isSlow ? 'at that rate' : 'as fast as it can'}, and is in sync in the end`, async () => {
    const world = await worldWith(configs, rates)
    const tookMs = await catchUpMs(world)
    if (isSlow) assert.ok(tookMs > throttledMs && tookMs < 3 * throttledMs, `${tookMs} ms`)
    else assert.ok(tookMs < 2000, `${tookMs} ms`)
    await world.until(() => world.image.isr.length === 3)
    await world.until(() => world.settled())
  })
}

test('while a replica is held back those in sync are not, and what is produced is committed', async () => {
  const world = await worldWith({ 'leader.replication.throttled.replicas': '*' }, { 1: leaderRate })
  const broker = await world.boot(3)
  await world.until(() => broker.partition.logEndOffset > 0)
  for (let i = 0; i < 20; i++) {
    const from = world.clock.monotonic()
    const end = world.append(world.leader!, 'x'.repeat(10 * valueBytes))!
    await world.until(() => world.leader!.partition.highWatermark >= end)
    assert.ok(world.clock.monotonic() - from < 500)
  }
  assert.ok(broker.partition.logEndOffset < records)
})
