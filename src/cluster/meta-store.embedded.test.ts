import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import type { Disk } from '../io/disk.ts'
import { seededRandom } from '../io/random.sim.ts'
import { FileJournal } from './file-journal.ts'
import {
  absent,
  eventually,
  increment,
  keys,
  metaStoreContract,
  put,
  recordingWatch,
  type StoreUnderTest,
  succeed,
  text,
} from './meta-store.contract.ts'
import { EmbeddedMetaStore } from './meta-store.embedded.ts'
import { StoreFull, UnknownOutcome } from './meta-store.ts'

const historyRevisions = 20

async function open(disk: Disk, folder: string, snapshotAfterBytes?: number): Promise<EmbeddedMetaStore> {
  return EmbeddedMetaStore.open({
    journal: new FileJournal(disk, folder),
    clock: new SimulatedClock(),
    historyRevisions,
    ...(snapshotAfterBytes === undefined ? {} : { snapshotAfterBytes }),
  })
}

async function under(disk: Disk, folder: string, snapshotAfterBytes?: number): Promise<StoreUnderTest> {
  const clock = new SimulatedClock()
  const journal = new FileJournal(disk, folder)
  const options = { journal, clock, historyRevisions, snapshotAfterBytes: snapshotAfterBytes ?? 1_000_000 }
  const store = await EmbeddedMetaStore.open(options)
  return {
    store,
    leaseTtlMs: 10_000,
    pass: (ms) => clock.advance(ms),
    connect: async () => store.connect(),
    async restart() {
      await store.close()
      return under(disk, folder, snapshotAfterBytes)
    },
    async forgetHistory() {
      for (let i = 0; i < 2 * historyRevisions + 2; i++) await increment(store, 'forgotten')
    },
  }
}

metaStoreContract('embedded, in memory', historyRevisions, () => under(new MemoryDisk(), '/data/__cluster_metadata-0'))

metaStoreContract('embedded, a snapshot after every commit', historyRevisions, () =>
  under(new MemoryDisk(), '/data', 0),
)

metaStoreContract('embedded, on a real disk', historyRevisions, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-meta-'))
  const opened: StoreUnderTest[] = []
  t.after(async () => {
    for (const { store } of opened) await store.close()
    await rm(folder, { recursive: true })
  })
  const track = (store: StoreUnderTest): StoreUnderTest => {
    opened.push(store)
    return { ...store, restart: async () => track(await store.restart()) }
  }
  return track(await under(realDisk, folder))
})

test('a watch has been told of a change before the change is answered', async () => {
  const store = await open(new MemoryDisk(), '/meta')
  const watched = recordingWatch()
  store.watch('', 1, watched.handler)
  await succeed(store.transact([absent('a')], [put('a')]))
  await eventually(() => watched.events.length > 0)
  await succeed(store.transact([absent('b')], [put('b')]))
  assert.deepEqual(watched.events, ['put a', 'put b'])
})

test('a lease of a holder that is gone runs out to the millisecond', async () => {
  const clock = new SimulatedClock()
  const store = await EmbeddedMetaStore.open({ journal: new FileJournal(new MemoryDisk(), '/meta'), clock })
  const gone = store.connect()
  const lease = await gone.lease(10_000)
  await succeed(gone.transact([absent('live')], [{ kind: 'put', key: 'live', value: Buffer.alloc(0), lease }]))
  await gone.close()
  await clock.advance(9_999)
  assert.deepEqual(await keys(store), ['live'])
  await clock.advance(1)
  assert.deepEqual(await keys(store), [])
})

test('transactions that come together are synced together', async () => {
  const disk = new SimulatedDisk()
  const store = await open(disk, '/meta')
  let syncs = 0
  disk.onOperation = ({ kind }) => {
    if (kind === 'sync') syncs++
  }
  await Promise.all(Array.from({ length: 100 }, (_, i) => store.transact([absent(`k${i}`)], [put(`k${i}`)])))
  assert.equal(syncs, 1)
})

test('thousands of transactions that come together are committed in groups, in order, and each is answered', async () => {
  const store = await open(new MemoryDisk(), '/meta')
  const groups: number[] = []
  store.watch('', 1, { events: (batch) => groups.push(batch.length), reset() {}, stale() {} })
  const alone = Array.from({ length: 1200 }, (_, i) => store.transact([absent(`k${i}`)], [put(`k${i}`)]))
  const items = Array.from({ length: 1300 }, (_, i) => ({ guards: [absent(`m${i}`)] as const, writes: [put(`m${i}`)] }))
  const many = await store.compareAndSwapMany([], items)
  assert.deepEqual(
    (await Promise.all(alone)).map((result) => result.revision),
    alone.map((_, i) => i + 1),
  )
  assert.ok(many !== 'fenced')
  assert.deepEqual(
    many.map((result) => [result.ok, result.revision]),
    items.map((_, i) => [true, 1201 + i]),
  )
  // The 200 that are left of the single ones share a group with the first part of the many.
  assert.deepEqual(groups, [500, 500, 700, 500, 300])
  assert.equal(await store.compareAndSwapMany([absent('k0')], items), 'fenced')
})

test('nothing is visible before it is durable', async () => {
  const disk = new SimulatedDisk()
  const store = await open(disk, '/meta')
  const watched: number[] = []
  store.watch('', 1, { events: (_, revision) => watched.push(revision), reset() {}, stale() {} })
  let seen: string[] | null = null
  disk.onOperation = async ({ kind }) => {
    if (kind === 'sync') seen = await keys(store)
  }
  await succeed(store.transact([absent('a')], [put('a')]))
  assert.deepEqual([seen, watched], [[], [1]])
})

test('after a failed sync every call rejects, and the store says that it has failed', async () => {
  const disk = new SimulatedDisk()
  const store = await open(disk, '/meta')
  await succeed(store.transact([absent('a')], [put('a')]))
  disk.failWhen({ kind: 'sync' })
  const lease = await store.lease(10_000)
  await assert.rejects(store.transact([absent('b')], [put('b')]), UnknownOutcome)
  assert.match((await store.failed).message, /must stop/)
  await assert.rejects(store.get('a'), /failed/)
  await assert.rejects(store.transact([absent('c')], [put('c')]), /failed/)
  assert.equal(lease.valid(), false)
  await lease.lost
})

test('the journal shrinks to what is left, and everything is there after it has', async () => {
  const disk = new MemoryDisk()
  const store = await open(disk, '/meta', 2_000)
  for (let i = 0; i < 200; i++) await increment(store, 'n')
  await succeed(store.transact([absent('m')], [put('m', 'x')]))
  const { revision } = await store.list('')
  await store.close()
  const files = await disk.list('/meta')
  assert.equal(files.length, 1)
  assert.ok(files[0]!.sizeBytes < 4_500, `${files[0]!.sizeBytes} bytes`)
  const reopened = await open(disk, '/meta')
  assert.equal(text((await reopened.get('n')).entry?.value), '200')
  assert.equal((await reopened.list('')).revision, revision)
})

test('10,000 keys are written at once and listed by prefix', async () => {
  const store = await open(new MemoryDisk(), '/meta')
  const items = Array.from({ length: 10_000 }, (_, i) => {
    const key = `part/t${i % 100}/${Math.floor(i / 100)}`
    return { guards: [absent(key)] as const, writes: [put(key, '{}')] }
  })
  const results = await store.compareAndSwapMany([], items)
  assert.ok(results !== 'fenced' && results.every((result) => result.ok))
  assert.equal((await keys(store, 'part/t7/')).length, 100)
})

/** The entries as text, in order of key. */
function stateOf(entries: ReadonlyMap<string, string>): string {
  return [...entries.keys()]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((key) => `${key}=${entries.get(key)}`)
    .join()
}

test('whatever a crash leaves, acknowledged changes are there and each change is whole', async () => {
  const changes = fc.array(
    fc.record({ keys: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), remove: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(changes, fc.integer(), fc.integer({ min: 1, max: 60 }), async (changes, seed, haltAt) => {
      const disk = new SimulatedDisk()
      disk.haltAt(haltAt)
      const states: string[] = ['']
      let acknowledged = 0
      try {
        const store = await open(disk, '/meta', 300)
        const model = new Map<string, string>()
        for (const [i, { keys, remove }] of changes.entries()) {
          for (const key of keys) {
            if (remove) model.delete(`k${key}`)
            else model.set(`k${key}`, String(i))
          }
          states.push(stateOf(model))
          await store.transact(
            [absent('never')],
            keys.map((key) => (remove ? { kind: 'delete', key: `k${key}` } : put(`k${key}`, String(i)))),
          )
          acknowledged = states.length - 1
        }
      } catch {
        assert.ok(disk.off, 'nothing but the crash may fail')
      }
      const found = await open(disk.crash(seededRandom(seed)), '/meta')
      const { entries } = await found.list('')
      const state = stateOf(new Map(entries.map((entry) => [entry.key, text(entry.value)])))
      assert.ok(states.slice(acknowledged).includes(state), `${state} after ${states.slice(acknowledged).join(' or ')}`)
    }),
    { numRuns: 300 },
  )
})

test('a change that finds no room changes nothing, and the next one with room is kept', async () => {
  const disk = new SimulatedDisk()
  const folder = '/data/__cluster_metadata-0'
  const store = await open(disk, folder)
  await succeed(store.transact([absent('a')], [put('a', 'kept')]))
  const { revision } = await store.get('a')
  disk.capacityBytes = disk.usedBytes + 10
  await assert.rejects(store.transact([absent('b')], [put('b', 'lost')]), StoreFull)
  assert.deepEqual(await store.get('b'), { entry: null, revision })
  // A process that is killed now finds what was there.
  const killed = await open(disk.crash(seededRandom(1)), folder)
  assert.equal(text((await killed.get('a')).entry?.value), 'kept')
  await killed.close()
})

test('many writes of which only some found room have an unknown outcome', async () => {
  const disk = new SimulatedDisk()
  const store = await open(disk, '/data/__cluster_metadata-0')
  disk.capacityBytes = disk.usedBytes + 120_000
  const items = Array.from({ length: 1200 }, (_, i) => ({
    guards: [absent(`k${i}`)] as const,
    writes: [put(`k${i}`, 'x'.repeat(100))],
  }))
  await assert.rejects(store.compareAndSwapMany([], items), UnknownOutcome)
  const written = await keys(store, 'k')
  assert.ok(written.length > 0 && written.length < items.length, `${written.length}`)
  await assert.rejects(store.compareAndSwapMany([], items.slice(-500)), StoreFull)
})

test('the keys of a lease that ends while there is no room go as soon as there is room', async () => {
  const disk = new SimulatedDisk()
  const clock = new SimulatedClock()
  const store = await EmbeddedMetaStore.open({ journal: new FileJournal(disk, '/meta'), clock })
  const revoked = await store.lease(10_000)
  const connection = store.connect()
  const abandoned = await connection.lease(10_000)
  await succeed(store.transact([absent('a')], [{ kind: 'put', key: 'a', value: new Uint8Array(0), lease: revoked }]))
  await succeed(store.transact([absent('b')], [{ kind: 'put', key: 'b', value: new Uint8Array(0), lease: abandoned }]))
  disk.capacityBytes = disk.usedBytes + 10
  await assert.rejects(revoked.revoke(), StoreFull)
  await connection.close()
  await clock.advance(60_000)
  assert.deepEqual(await keys(store), ['a', 'b'])
  disk.capacityBytes = Infinity
  await clock.advance(2000)
  assert.deepEqual(await keys(store), [])
})

test('without room for a snapshot the journal grows on, and one is made when there is room', async () => {
  const disk = new SimulatedDisk()
  const folder = '/data/__cluster_metadata-0'
  const store = await open(disk, folder, 200)
  const full = disk.failWhen({ kind: 'write', path: '.tmp', code: 'ENOSPC', times: Infinity })
  for (let i = 0; i < 20; i++) await succeed(store.transact([absent(`k${i}`)], [put(`k${i}`, 'v')]))
  assert.deepEqual(
    (await disk.list(folder)).map(({ name }) => name),
    ['00000000000000000000.log'],
  )
  full.cancel()
  for (let i = 20; i < 30; i++) await succeed(store.transact([absent(`k${i}`)], [put(`k${i}`, 'v')]))
  assert.notEqual((await disk.list(folder))[0]!.name, '00000000000000000000.log')
  await store.close()
  const again = await open(disk, folder)
  assert.equal((await again.list('k')).entries.length, 30)
  await again.close()
})
