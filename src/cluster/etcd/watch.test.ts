import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EtcdDoor } from '../../io/etcd.ts'
import { absent, put, succeed, text } from '../meta-store.contract.ts'
import type { MetaStore } from '../meta-store.ts'
import { SimulatedEtcdWithStores } from './simulated-store.sim.ts'

interface Told {
  /** `put a=1`, `delete a=1`. */
  readonly events: string[]
  readonly stale: number[]
  resets: number
}

async function follow(store: MetaStore, prefix = ''): Promise<Told> {
  const told: Told = { events: [], stale: [], resets: 0 }
  let last = 0
  store.watch(prefix, (await store.list(prefix)).revision + 1, {
    events(batch, revision) {
      assert.ok(revision > last)
      last = revision
      for (const { kind, entry } of batch) told.events.push(`${kind} ${entry.key}=${text(entry.value)}`)
    },
    reset: () => told.resets++,
    stale: (sinceMs) => told.stale.push(sinceMs),
  })
  return told
}

test('a watched member that freezes is left within a second and a half, and nothing is missed or told twice', async () => {
  const world = new SimulatedEtcdWithStores()
  const [leader, watched, another] = world.etcd.endpoints as [string, string, string]
  const { store } = await world.connect({ endpoints: [watched, another, leader] })
  const { store: writer } = await world.connect()
  const told = await follow(store)
  await succeed(writer.transact([absent('a')], [put('a', '1')]))
  await world.clock.advance(5_000)
  world.etcd.freeze(watched)
  await succeed(writer.transact([absent('b')], [put('b', '2')]))
  await world.clock.advance(1_000)
  assert.deepEqual(told.events, ['put a=1'])
  await world.clock.advance(500)
  assert.deepEqual(told.events, ['put a=1', 'put b=2'])
  world.etcd.thaw(watched)
  await world.clock.advance(10_000)
  assert.deepEqual([told.events, told.resets, told.stale], [['put a=1', 'put b=2'], 0, []])
})

test('a watch goes on at the next member when its own is killed', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect({ endpoints: world.etcd.endpoints.toReversed() })
  const told = await follow(store)
  world.etcd.kill(world.etcd.endpoints[2]!)
  await succeed(store.transact([absent('a')], [put('a', '1')]))
  await world.clock.advance(100)
  assert.deepEqual(told.events, ['put a=1'])
})

test('cut off, a watch says since when it may be behind, and stops saying so when it is back', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const { store: writer } = await world.connect()
  const told = await follow(store)
  await world.clock.advance(10_000)
  door.cut = true
  const cutAt = world.clock.monotonic()
  await world.clock.advance(5_000)
  assert.ok(told.stale.length > 0)
  for (const since of told.stale) assert.ok(since <= cutAt && since >= cutAt - 500, `${since}, cut at ${cutAt}`)
  await succeed(writer.transact([absent('a')], [put('a', '1')]))
  door.cut = false
  await world.clock.advance(3_000)
  const saidSoFar = told.stale.length
  await world.clock.advance(10_000)
  assert.deepEqual([told.events, told.stale.length, told.resets], [['put a=1'], saidSoFar, 0])
})

test('a watch whose history was compacted while it was cut off is reset, once', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const { store: writer } = await world.connect()
  const told = await follow(store)
  await succeed(writer.transact([absent('a')], [put('a', '1')]))
  await world.clock.settle()
  door.cut = true
  // Its stream is given up meanwhile: what was sent on it is lost.
  await world.clock.advance(2_000)
  await succeed(writer.transact([absent('b')], [put('b', '2')]))
  await succeed(writer.transact([absent('c')], [put('c', '3')]))
  world.etcd.compact()
  door.cut = false
  await world.clock.advance(5_000)
  await succeed(writer.transact([absent('d')], [put('d', '4')]))
  await world.clock.advance(5_000)
  assert.deepEqual([told.events, told.resets], [['put a=1'], 1])
})

test('a deletion at the very revision of a compaction is not passed over in silence', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const { store: writer } = await world.connect()
  await succeed(writer.transact([absent('a')], [put('a', '1')]))
  const told = await follow(store)
  await world.clock.settle()
  door.cut = true
  // Its stream is given up meanwhile: what was sent on it is lost.
  await world.clock.advance(2_000)
  const deleted = await succeed(writer.transact([absent('b')], [{ kind: 'delete', key: 'a' }]))
  world.etcd.compact(deleted)
  door.cut = false
  await world.clock.advance(5_000)
  assert.deepEqual([told.events, told.resets], [[], 1])
})

test('a deletion of which etcd no longer knows what was there before it resets the watch', async () => {
  const world = new SimulatedEtcdWithStores()
  const door: EtcdDoor = {
    member(endpoint) {
      const inner = world.etcd.door().member(endpoint)
      return {
        endpoint,
        call: (method, request, options) => inner.call(method, request, options),
        watch: (options, handler) =>
          inner.watch(options, {
            ended: (error) => handler.ended(error),
            response(told) {
              handler.response({ ...told, events: told.events.map((event) => ({ ...event, prevKv: null })) })
            },
          }),
        close: () => inner.close(),
      }
    },
  }
  const store = await world.store(door)
  const told = await follow(store)
  await succeed(store.transact([absent('a')], [put('a', '1')]))
  await succeed(store.transact([absent('b')], [{ kind: 'delete', key: 'a' }]))
  await world.clock.settle()
  assert.deepEqual([told.events, told.resets], [['put a=1'], 1])
})

test('a compaction that a watch is ahead of does not concern it', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store, door } = await world.connect()
  const { store: writer } = await world.connect()
  const told = await follow(store)
  const written = await succeed(writer.transact([absent('a')], [put('a', '1')]))
  await world.clock.settle()
  door.cut = true
  // Its stream is given up meanwhile: what was sent on it is lost.
  await world.clock.advance(2_000)
  world.etcd.compact(written)
  await succeed(writer.transact([absent('b')], [put('b', '2')]))
  door.cut = false
  await world.clock.advance(5_000)
  assert.deepEqual([told.events, told.resets], [['put a=1', 'put b=2'], 0])
})

test('a reset in the middle of a batch, or a close, ends what is told', async () => {
  const world = new SimulatedEtcdWithStores()
  const { store } = await world.connect()
  const events: string[] = []
  const watch = store.watch('', 1, {
    events(batch) {
      events.push(...batch.map(({ entry }) => entry.key))
      watch.close()
    },
    reset() {},
    stale() {},
  })
  await succeed(store.transact([absent('a')], [put('a')]))
  await world.clock.settle()
  await succeed(store.transact([absent('b')], [put('b')]))
  await world.clock.advance(10_000)
  assert.deepEqual(events, ['a'])
})

interface Run {
  readonly trace: readonly string[]
  readonly resets: number
  readonly moves: number
}

/** Members and links fail by the seed while two brokers write, watch, and list again when they must. */
async function runWithFaults(seed: number): Promise<Run> {
  const world = new SimulatedEtcdWithStores({ seed, latencyMs: { min: 0.2, max: 40 } })
  const { random, clock, etcd } = world
  const trace: string[] = []
  let resets = 0
  let moves = 0
  etcd.onCall = ({ method }) => {
    if (method !== 'txn' || !random.chance(0.05)) return null
    return random.pick(['requestLost', 'answerLost', { appliedAfterMs: random.below(8000) }] as const)
  }
  const images: Map<string, string>[] = []
  const connections = [await world.connect(), await world.connect()]
  const doors = connections.map(({ door }) => door)
  const writing = { stopped: false }
  const brokers = connections.map(async ({ store }, broker) => {
    const image = new Map<string, string>()
    images[broker] = image
    const list = async (): Promise<void> => {
      for (;;) {
        try {
          const { entries, revision } = await store.list('')
          image.clear()
          for (const { key, value } of entries) image.set(key, text(value))
          store.watch('', revision + 1, {
            events(batch, told) {
              trace.push(`${clock.monotonic().toFixed(1)} broker ${broker} at ${told}: ${batch.length}`)
              for (const { kind, entry } of batch) {
                if (kind === 'put') image.set(entry.key, text(entry.value))
                else image.delete(entry.key)
              }
            },
            reset() {
              resets++
              void list()
            },
            stale: () => moves++,
          })
          return
        } catch {
          // Not yet: etcd is out of reach.
        }
      }
    }
    await list()
    for (let turn = 0; !writing.stopped; turn++) {
      const key = `k${random.below(5)}`
      try {
        const { entry } = await store.get(key)
        const guard = { key, modRevision: entry?.modRevision ?? 0 }
        const write =
          entry !== null && random.chance(0.3) ? ({ kind: 'delete', key } as const) : put(key, `${broker}.${turn}`)
        await store.transact([guard], [write])
      } catch {
        // Unknown, or out of reach: the next turn reads again.
      }
      await new Promise<void>((resolve) => {
        clock.setTimer(random.below(300), resolve)
      })
    }
  })
  for (let step = 0; step < 60; step++) {
    const action = random.below(9)
    const endpoint = random.pick(etcd.endpoints)
    if (action === 0) etcd.freeze(endpoint)
    else if (action === 1) etcd.kill(endpoint)
    else if (action === 2) random.pick(doors).cut = true
    else if (action === 3) {
      if (etcd.state.revision > etcd.state.compactRevision) etcd.compact()
    } else if (action < 7) {
      for (const door of doors) door.cut = false
      for (const member of etcd.endpoints) etcd.thaw(member)
    }
    await clock.advance(random.below(2500))
  }
  // The faults stop, then the writers, and everyone catches up.
  etcd.onCall = () => null
  for (const door of doors) door.cut = false
  for (const member of etcd.endpoints) etcd.thaw(member)
  writing.stopped = true
  await world.whileTimePasses(Promise.all(brokers))
  await clock.advance(30_000)
  const { store } = await world.connect()
  const { entries } = await world.whileTimePasses(store.list(''))
  const truth = new Map(entries.map(({ key, value }) => [key, text(value)]))
  for (const image of images) assert.deepEqual(image, truth, `seed ${seed}`)
  return { trace, resets, moves }
}

test('whatever fails, those who watch see in the end what is there', async () => {
  let resets = 0
  let moves = 0
  for (let seed = 1; seed <= 25; seed++) {
    const run = await runWithFaults(seed)
    resets += run.resets
    moves += run.moves
  }
  assert.ok(resets > 5 && moves > 20, `${resets} resets, ${moves} times stale`)
})

test('the same seed gives the same run', async () => {
  const { trace } = await runWithFaults(7)
  assert.ok(trace.length > 20)
  assert.deepEqual((await runWithFaults(7)).trace, trace)
})
