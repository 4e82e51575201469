// What members of a real etcd do to the store: killed, frozen, without quorum, compacted under a watch. Each test leaves three
// members running.

import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import type { EtcdMetaStore } from '../../src/cluster/etcd/etcd-store.ts'
import { absent, put, recordingWatch, succeed, text } from '../../src/cluster/meta-store.contract.ts'
import { type Lease, type MetaWrite, StoreUnavailable, UnknownOutcome } from '../../src/cluster/meta-store.ts'
import { transactUntilKnown } from '../../src/cluster/transact-until-known.contract.ts'
import { EtcdUnderTest } from '../support/etcd.ts'
import { withoutEtcd } from '../support/tools.ts'
import { pause, waitFor, within } from '../support/wait-for.ts'
import { storeOn } from './suites.ts'

const skip = withoutEtcd()
const etcd = skip === false ? await EtcdUnderTest.start({ after }, { members: 3 }) : null

function onEtcd(title: string, run: (etcd: EtcdUnderTest, t: TestContext) => Promise<void>): void {
  void test(title, { skip }, async (t) => {
    t.after(() => etcd!.repair())
    await run(etcd!, t)
  })
}

/** Endpoints with member `first` in front: it is asked first, and watched. */
function startingWith({ endpoints }: EtcdUnderTest, first: number): string[] {
  return [...endpoints.slice(first), ...endpoints.slice(0, first)]
}

/** Counts `key` up until stopped; every value names its turn. Answers how often. */
function counting(store: EtcdMetaStore, key: string): { stop(): Promise<number>; readonly count: number } {
  let count = 0
  const writing = { stopped: false }
  const work = async (): Promise<void> => {
    let revision = 0
    while (!writing.stopped) {
      const value = String(count + 1)
      try {
        const guard = { key, modRevision: revision }
        const written = await transactUntilKnown(store, [guard], [put(key, value)], (now) => text(now?.value) === value)
        assert.ok(written.ok, 'nobody else writes this key')
        revision = written.revision
        count++
      } catch (error) {
        // Out of reach for too long: whether the last write was made shows when etcd is back.
        if (!(error instanceof StoreUnavailable || error instanceof UnknownOutcome)) throw error
        const { entry } = await again(() => store.get(key))
        revision = entry?.modRevision ?? 0
        count = Number(text(entry?.value))
      }
    }
  }
  const done = work()
  return {
    get count() {
      return count
    },
    async stop() {
      writing.stopped = true
      await done
      return count
    },
  }
}

async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }
}

async function watchedFromNow(
  store: EtcdMetaStore,
  prefix: string,
): Promise<{ values: string[]; resets: () => number }> {
  const values: string[] = []
  let resets = 0
  store.watch(prefix, (await store.list(prefix)).revision + 1, {
    events: (batch) => values.push(...batch.map(({ entry }) => text(entry.value))),
    reset: () => resets++,
    stale() {},
  })
  return { values, resets: () => resets }
}

function upTo(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i + 1))
}

onEtcd(
  'when the leader is killed, writes go on, and a watch tells of each of them once and in order',
  async (etcd, t) => {
    const leader = await etcd.leader()
    const store = await storeOn(etcd, t, { namespace: '/kill/', endpoints: startingWith(etcd, leader) })
    const watched = await watchedFromNow(store, 'n')
    const lease = await leased(store, 'live')
    const writes = counting(store, 'n')
    await waitFor('some writes', () => writes.count > 20)
    await etcd.kill(leader)
    const before = writes.count
    const killedAt = performance.now()
    await waitFor('writes after the kill', () => writes.count > before + 20, 15_000)
    t.diagnostic(`writes went on ${Math.round(performance.now() - killedAt)} ms after the kill`)
    const count = await writes.stop()
    await waitFor('the last event', () => watched.values.length >= count)
    assert.deepEqual(watched.values, upTo(count))
    assert.equal(watched.resets(), 0)
    await waitFor('the lease to hold', () => lease.valid(), 5000)
    assert.notEqual((await store.get('live')).entry, null)
    etcd.startMember(leader)
    await etcd.ready(leader)
  },
)

onEtcd('a watched member that is frozen is left within two seconds, and no event is missed', async (etcd, t) => {
  const frozen = ((await etcd.leader()) + 1) % 3
  const others = startingWith(etcd, (frozen + 1) % 3).filter((endpoint) => endpoint !== etcd.endpoints[frozen])
  const store = await storeOn(etcd, t, { namespace: '/freeze/', endpoints: startingWith(etcd, frozen) })
  const writer = await storeOn(etcd, t, { namespace: '/freeze/', endpoints: others })
  const watched = await watchedFromNow(store, 'n')
  const writes = counting(writer, 'n')
  await waitFor('some events', () => watched.values.length > 5)
  etcd.freeze(frozen)
  const frozenAt = performance.now()
  const before = writes.count
  await waitFor('later events', () => watched.values.length > before + 5, 5_000)
  const tookMs = performance.now() - frozenAt
  t.diagnostic(`events went on ${Math.round(tookMs)} ms after the freeze`)
  etcd.thaw(frozen)
  const count = await writes.stop()
  await waitFor('the last event', () => watched.values.length >= count)
  assert.deepEqual(watched.values, upTo(count))
  assert.ok(tookMs < 3000, `${tookMs} ms`)
})

onEtcd('a write that a frozen leader applies late never undoes a newer one', async (etcd, t) => {
  const leader = await etcd.leader()
  const namespace = '/late/'
  const old = await storeOn(etcd, t, { namespace, endpoints: [etcd.endpoints[leader]!], attemptTimeoutMs: 500 })
  const store = await storeOn(etcd, t, { namespace, endpoints: startingWith(etcd, (leader + 1) % 3) })
  const first = await succeed(store.transact([absent('a')], [put('a', 'first')]))
  etcd.freeze(leader)
  const guard = { key: 'a', modRevision: first }
  await assert.rejects(old.transact([guard], [put('a', 'late')]), UnknownOutcome)
  const newer = await transactUntilKnown(store, [guard], [put('a', 'newer')], (now) => text(now?.value) === 'newer')
  assert.ok(newer.ok)
  etcd.thaw(leader)
  await etcd.ready(leader)
  for (let i = 0; i < 5; i++) {
    assert.equal(text((await store.get('a')).entry?.value), 'newer')
    await pause(100)
  }
})

onEtcd(
  'without quorum nothing is written, the lease lapses without being lost, and all goes on with quorum',
  async (etcd, t) => {
    const leader = await etcd.leader()
    const [stays, ...others] = startingWith(etcd, leader).map((endpoint) => etcd.endpoints.indexOf(endpoint))
    const store = await storeOn(etcd, t, {
      namespace: '/quorum/',
      endpoints: startingWith(etcd, stays!),
      patienceMs: 1000,
      attemptTimeoutMs: 500,
    })
    const watched = recordingWatch()
    let staleCalls = 0
    store.watch('', (await store.list('')).revision + 1, { ...watched.handler, stale: () => staleCalls++ })
    const lease = await leased(store, 'live')
    let lost = false
    void lease.lost.then(() => (lost = true))
    for (const i of others) etcd.freeze(i)
    await assert.rejects(store.transact([absent('a')], [put('a')]), UnknownOutcome)
    await assert.rejects(store.get('a'), StoreUnavailable)
    await waitFor('the lease to lapse', () => !lease.valid(), 5000)
    await waitFor('the watch to say that it is stale', () => staleCalls > 0, 10_000)
    // No leader is known any more: refused before anything can be written.
    await assert.rejects(store.transact([absent('b')], [put('b')]), StoreUnavailable)
    assert.equal(lost, false)
    for (const i of others) etcd.thaw(i)
    await again(() => store.get('a'))
    await waitFor('the lease to hold again', () => lease.valid(), 5000)
    assert.equal(lost, false)
    await transactUntilKnown(store, [absent('c')], [put('c', 'c')], (now) => text(now?.value) === 'c')
    await waitFor('the watch to go on', () => watched.events.includes('put c'))
    assert.equal((await store.get('b')).entry, null)
    assert.equal(watched.resets, 0)
  },
)

onEtcd('a compaction while the watched member is frozen resets the watch, once', async (etcd, t) => {
  const frozen = ((await etcd.leader()) + 1) % 3
  const asked = (frozen + 1) % 3
  const namespace = '/compaction/'
  const store = await storeOn(etcd, t, { namespace, endpoints: startingWith(etcd, frozen) })
  const writer = await storeOn(etcd, t, { namespace, endpoints: startingWith(etcd, asked) })
  const watched = await watchedFromNow(store, '')
  await succeed(writer.transact([absent('a')], [put('a', 'told')]))
  await waitFor('the first event', () => watched.values.length > 0)
  etcd.freeze(frozen)
  await succeed(writer.transact([absent('b')], [put('b', 'never told')]))
  const last = await succeed(writer.transact([absent('x')], [{ kind: 'delete', key: 'a' }]))
  await etcd.ask(asked, 'kv/compaction', { revision: String(last) })
  await waitFor('the reset', () => watched.resets() > 0, 5000)
  etcd.thaw(frozen)
  await succeed(writer.transact([absent('c')], [put('c', 'later')]))
  await pause(200)
  assert.deepEqual([watched.values, watched.resets()], [['told'], 1])
})

onEtcd('a lease is over when etcd has let it run out while its holder was frozen', async (etcd, t) => {
  const store = await storeOn(etcd, t, { namespace: '/lost/' })
  const lease = await leased(store, 'live')
  // As for a holder that stood still: the lease is gone when it asks next.
  await etcd.ask(0, 'lease/revoke', { ID: lease.id })
  await within('the loss', lease.lost, 3000)
  assert.equal(lease.valid(), false)
  assert.equal((await store.get('live')).entry, null)
})

async function leased(store: EtcdMetaStore, key: string): Promise<Lease> {
  const lease = await store.lease(2000)
  await succeed(store.transact([absent(key)], [{ ...put(key), lease } as MetaWrite]))
  return lease
}
