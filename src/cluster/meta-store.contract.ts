// One suite for every keeper of the metadata: what the rest of the broker may rely on.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Guard, MetaStore, MetaWrite, TransactionResult, WatchHandler } from './meta-store.ts'

export interface StoreUnderTest {
  readonly store: MetaStore
  /** Of leases in these tests. */
  readonly leaseTtlMs: number
  /** Lets time pass by which leases run out. */
  readonly pass: (ms: number) => Promise<void>
  /** Another holder of leases on the same store. */
  readonly connect: () => Promise<MetaStore>
  /** The same store after its process stopped and started again; the old one is closed. */
  readonly restart: () => Promise<StoreUnderTest>
  /** Makes it forget, for watches, what was written so far. */
  readonly forgetHistory: () => Promise<void>
}

/** `make` answers an empty store that keeps at least `historyRevisions` (few) for watches. */
export function metaStoreContract(
  name: string,
  historyRevisions: number,
  make: (t: TestContext) => Promise<StoreUnderTest>,
): void {
  const contract = (title: string, run: (under: StoreUnderTest) => Promise<void>): void => {
    void test(`${name}: ${title}`, async (t) => run(await make(t)))
  }

  contract('a key that was never written is absent', async ({ store }) => {
    assert.equal((await store.get('a')).entry, null)
    assert.deepEqual((await store.list('')).entries, [])
  })

  contract('what was put is read with the revisions of its creation and its last change', async ({ store }) => {
    const first = await succeed(store.transact([absent('a')], [put('a', '1')]))
    const second = await succeed(store.transact([{ key: 'a', modRevision: first }], [put('a', '2')]))
    assert.ok(second > first)
    const { entry, revision } = await store.get('a')
    assert.deepEqual(
      { ...entry, value: text(entry?.value) },
      { key: 'a', value: '2', createRevision: first, modRevision: second },
    )
    assert.equal(revision, second)
  })

  contract('a guard that does not hold writes nothing and answers the state of the guarded keys', async ({ store }) => {
    const revision = await succeed(store.transact([absent('a')], [put('a', '1')]))
    const result = await store.transact([absent('b'), absent('a')], [put('b'), put('c')])
    assert.ok(!result.ok)
    assert.deepEqual(
      result.current.map((entry) => entry?.modRevision ?? null),
      [null, revision],
    )
    assert.equal((await store.list('')).entries.length, 1)
  })

  contract('a guard on the creation holds through changes and not for a new incarnation', async ({ store }) => {
    const created = await succeed(store.transact([absent('a')], [put('a', '1')]))
    await succeed(store.transact([{ key: 'a', createRevision: created }], [put('a', '2')]))
    await succeed(store.transact([{ key: 'a', createRevision: created }], [{ kind: 'delete', key: 'a' }]))
    await succeed(store.transact([absent('a')], [put('a', '3')]))
    const stale = await store.transact([{ key: 'a', createRevision: created }], [put('a', '4')])
    assert.equal(stale.ok, false)
  })

  contract('the writes of a transaction share one revision', async ({ store }) => {
    const revision = await succeed(store.transact([absent('a')], [put('a'), put('b'), put('c')]))
    const { entries } = await store.list('')
    assert.deepEqual(
      entries.map((entry) => [entry.key, entry.modRevision]),
      [
        ['a', revision],
        ['b', revision],
        ['c', revision],
      ],
    )
  })

  contract('a transaction that changes nothing takes no revision', async ({ store }) => {
    const revision = await succeed(store.transact([absent('a')], [put('a')]))
    assert.equal(await succeed(store.transact([absent('b')], [{ kind: 'delete', key: 'b' }])), revision)
  })

  contract('a transaction that writes a key twice is refused as the bug it is', async ({ store }) => {
    await assert.rejects(store.transact([absent('a')], [put('a'), put('a')]), /twice/)
    await assert.rejects(store.transact([absent('a')], [put('a'), { kind: 'deletePrefix', prefix: '' }]), /prefix/)
    assert.equal((await store.get('a')).entry, null)
  })

  contract('deletePrefix deletes every key with the prefix and no other', async ({ store }) => {
    await succeed(store.transact([absent('p/')], [put('p/1'), put('p/2'), put('p'), put('q/1')]))
    await succeed(store.transact([absent('x')], [{ kind: 'deletePrefix', prefix: 'p/' }]))
    assert.deepEqual(await keys(store), ['p', 'q/1'])
  })

  contract('list answers the keys of the prefix in order', async ({ store }) => {
    await succeed(store.transact([absent('b/2')], [put('b/2'), put('b/10'), put('a'), put('b/1'), put('c')]))
    assert.deepEqual(await keys(store, 'b/'), ['b/1', 'b/10', 'b/2'])
  })

  contract('of many transactions on the same state exactly one wins', async ({ store }) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.transact([absent('a')], [put('a', String(i))])),
    )
    const won = results.flatMap((result, i) => (result.ok ? [i] : []))
    assert.equal(won.length, 1)
    assert.equal(text((await store.get('a')).entry?.value), String(won[0]))
  })

  contract('concurrent transactions that retry lose no increment', async ({ store }) => {
    await Promise.all(Array.from({ length: 20 }, () => increment(store, 'n')))
    assert.equal(text((await store.get('n')).entry?.value), '20')
  })

  contract('a stale item of many fails alone', async ({ store }) => {
    const revision = await succeed(store.transact([absent('b')], [put('b', 'old')]))
    const results = await store.compareAndSwapMany(
      [{ key: 'b', createRevision: revision }],
      ['a', 'b', 'c'].map((key) => ({ guards: [absent(key)], writes: [put(key, 'new')] })),
    )
    assert.ok(results !== 'fenced')
    assert.deepEqual(
      results.map((result) => result.ok),
      [true, false, true],
    )
    assert.equal(text((await store.get('b')).entry?.value), 'old')
  })

  contract('behind a fence that does not hold nothing is written', async ({ store }) => {
    const items = [{ guards: [absent('a')] as const, writes: [put('a')] }]
    assert.equal(await store.compareAndSwapMany([{ key: 'live', createRevision: 7 }], items), 'fenced')
    assert.deepEqual(await keys(store), [])
  })

  contract('a thousand independent writes in one call, and the stale ones among them fail', async ({ store }) => {
    await succeed(store.transact([absent('k7')], [put('k7', 'old'), put('k700', 'old')]))
    const items = Array.from({ length: 1000 }, (_, i) => ({
      guards: [absent(`k${i}`)] as const,
      writes: [put(`k${i}`, 'new')],
    }))
    const results = await store.compareAndSwapMany([absent('fence')], items)
    assert.ok(results !== 'fenced')
    assert.deepEqual(
      results.flatMap((result, i) => (result.ok ? [] : [`${i} ${text(result.current[0]?.value)}`])),
      ['7 old', '700 old'],
    )
    assert.equal((await keys(store)).length, 1000)
  })

  contract('items that touch the same keys are written in their order', async ({ store }) => {
    const results = await store.compareAndSwapMany(
      [],
      [
        { guards: [absent('a')], writes: [put('a', '1')] },
        { guards: [absent('a')], writes: [put('a', '2')] },
        { guards: [absent('b')], writes: [{ kind: 'deletePrefix', prefix: 'a' }] },
        { guards: [absent('a')], writes: [put('a', '4')] },
      ],
    )
    assert.ok(results !== 'fenced')
    assert.deepEqual(
      results.map((result) => result.ok),
      [true, false, true, true],
    )
    assert.equal(text((await store.get('a')).entry?.value), '4')
  })

  contract('a transaction of a thousand writes is one', async ({ store }) => {
    const writes = Array.from({ length: 1000 }, (_, i) => put(`k${i}`))
    const revision = await succeed(store.transact([absent('k0')], writes))
    const { entries } = await store.list('')
    assert.equal(entries.filter((entry) => entry.modRevision === revision).length, 1000)
    assert.equal((await store.transact([absent('k0')], writes)).ok, false)
  })

  contract('a list longer than a page is of one revision, in order', async ({ store }) => {
    const items = Array.from({ length: 4500 }, (_, i) => {
      const key = `k${String(i).padStart(5, '0')}`
      return { guards: [absent(key)] as const, writes: [put(key, 'x')] }
    })
    await store.compareAndSwapMany([], items)
    assert.deepEqual(
      await keys(store, 'k'),
      items.map((item) => item.guards[0].key),
    )
  })

  contract('a watch tells of whole revisions, in order and once', async ({ store }) => {
    const watched = recordingWatch()
    store.watch('a/', (await store.list('a/')).revision + 1, watched.handler)
    await succeed(store.transact([absent('a/1')], [put('a/1'), put('b/1'), put('a/2')]))
    const last = await succeed(store.transact([absent('x')], [{ kind: 'deletePrefix', prefix: 'a/' }]))
    await eventually(() => watched.events.length >= 4)
    assert.deepEqual(watched.events, ['put a/1', 'put a/2', 'delete a/1', 'delete a/2'])
    assert.equal(watched.revision, last)
  })

  contract('a watch resumes from any revision that is still kept', async ({ store }) => {
    const revisions: number[] = []
    for (let i = 0; i < historyRevisions; i++) {
      revisions.push(await succeed(store.transact([absent(`k${i}`)], [put(`k${i}`)])))
    }
    const middle = Math.floor(historyRevisions / 2)
    const watched = recordingWatch()
    store.watch('', revisions[middle]!, watched.handler)
    await eventually(() => watched.events.length > 0)
    const expected = Array.from({ length: historyRevisions - middle }, (_, i) => `put k${middle + i}`)
    assert.deepEqual(watched.events, expected)
    assert.equal(watched.resets, 0)
  })

  contract('a watch from a forgotten revision is reset, once, and told nothing', async ({ store, forgetHistory }) => {
    const { revision } = await store.list('')
    await increment(store, 'n')
    await increment(store, 'n')
    await forgetHistory()
    const watched = recordingWatch()
    store.watch('', revision + 1, watched.handler)
    await eventually(() => watched.resets > 0)
    await increment(store, 'n')
    assert.deepEqual([watched.resets, watched.events], [1, []])
  })

  contract('a deletion is told with what was there before it', async ({ store }) => {
    const created = await succeed(store.transact([absent('a')], [put('a', 'last words')]))
    const told: unknown[] = []
    store.watch('a', created + 1, {
      events: (batch) => told.push(...batch.map(({ kind, entry }) => [kind, text(entry.value), entry.modRevision])),
      reset() {},
      stale() {},
    })
    await succeed(store.transact([absent('b')], [{ kind: 'delete', key: 'a' }]))
    await eventually(() => told.length > 0)
    assert.deepEqual(told, [['delete', 'last words', created]])
  })

  contract('a closed watch is told nothing more', async ({ store }) => {
    const closed = recordingWatch()
    const open = recordingWatch()
    const from = (await store.list('')).revision + 1
    store.watch('', from, closed.handler).close()
    store.watch('', from, open.handler)
    await succeed(store.transact([absent('a')], [put('a')]))
    await eventually(() => open.events.length > 0)
    assert.deepEqual(closed.events, [])
  })

  contract('revoking a lease deletes its keys', async ({ store, leaseTtlMs }) => {
    const lease = await store.lease(leaseTtlMs)
    assert.equal(lease.valid(), true)
    await succeed(store.transact([absent('live')], [{ ...put('live'), lease } as MetaWrite, put('stays')]))
    await lease.revoke()
    assert.equal(lease.valid(), false)
    assert.deepEqual(await keys(store), ['stays'])
    await assert.rejects(store.transact([absent('late')], [{ ...put('late'), lease } as MetaWrite]))
  })

  contract('a key that is put again without the lease outlives it', async ({ store, leaseTtlMs }) => {
    const lease = await store.lease(leaseTtlMs)
    await succeed(store.transact([absent('a')], [{ ...put('a'), lease } as MetaWrite]))
    await succeed(store.transact([absent('b')], [put('a')]))
    await lease.revoke()
    assert.deepEqual(await keys(store), ['a'])
  })

  contract('a lease holds for as long as its holder is there', async ({ store, leaseTtlMs, pass }) => {
    const lease = await store.lease(leaseTtlMs)
    await succeed(store.transact([absent('live')], [{ ...put('live'), lease } as MetaWrite]))
    await pass(1.25 * leaseTtlMs)
    assert.equal(lease.valid(), true)
    assert.deepEqual(await keys(store), ['live'])
  })

  contract('a lease runs out when its holder is gone, and a watch tells', async (under) => {
    const { store, leaseTtlMs, pass } = under
    const gone = await under.connect()
    const lease = await gone.lease(leaseTtlMs)
    await succeed(gone.transact([absent('live')], [{ ...put('live'), lease } as MetaWrite]))
    const watched = recordingWatch()
    store.watch('live', (await store.list('')).revision + 1, watched.handler)
    let lost = false
    void lease.lost.then(() => (lost = true))
    await gone.close()
    assert.equal(lease.valid(), false)
    await pass(0.75 * leaseTtlMs)
    assert.deepEqual([await keys(store), lost], [['live'], false])
    await pass(0.5 * leaseTtlMs)
    await eventually(() => watched.events.length > 0)
    assert.deepEqual([watched.events, await keys(store), lost], [['delete live'], [], true])
  })

  contract('everything but what was leased is there after a restart, at later revisions', async (under) => {
    const { store, leaseTtlMs } = under
    const lease = await store.lease(leaseTtlMs)
    await succeed(store.transact([absent('a')], [put('a', '1'), put('gone')]))
    await succeed(store.transact([absent('live')], [{ ...put('live'), lease } as MetaWrite]))
    const last = await succeed(store.transact([absent('x')], [{ kind: 'delete', key: 'gone' }]))
    const before = (await store.get('a')).entry
    const restarted = await under.restart()
    await restarted.pass(1.25 * leaseTtlMs)
    await eventually(async () => (await restarted.store.get('live')).entry === null)
    const { entries, revision } = await restarted.store.list('')
    assert.deepEqual(
      entries.map((entry) => ({ ...entry, value: text(entry.value) })),
      [{ ...before, value: '1' }],
    )
    assert.ok(revision > last)
    assert.ok((await succeed(restarted.store.transact([absent('live')], [put('live')]))) > revision)
  })

  contract('a deletion is not undone by a restart, nor is its revision given again', async (under) => {
    await succeed(under.store.transact([absent('a')], [put('a')]))
    const deleted = await succeed(under.store.transact([absent('x')], [{ kind: 'delete', key: 'a' }]))
    const restarted = await under.restart()
    assert.deepEqual(await keys(restarted.store), [])
    assert.ok((await succeed(restarted.store.transact([absent('a')], [put('a')]))) > deleted)
  })

  contract('a closed store refuses to work', async ({ store }) => {
    await store.close()
    await assert.rejects(store.get('a'))
    await assert.rejects(store.transact([absent('a')], [put('a')]))
  })
}

export function put(key: string, value = ''): MetaWrite {
  return { kind: 'put', key, value: Buffer.from(value) }
}

export function absent(key: string): Guard {
  return { key, modRevision: 0 }
}

/** The revision of a transaction that must succeed. */
export async function succeed(transaction: Promise<TransactionResult>): Promise<number> {
  const result = await transaction
  assert.ok(result.ok, 'the transaction was refused')
  return result.revision
}

export async function keys(store: MetaStore, prefix = ''): Promise<string[]> {
  return (await store.list(prefix)).entries.map((entry) => entry.key)
}

export async function increment(store: MetaStore, key: string): Promise<number> {
  for (;;) {
    const { entry } = await store.get(key)
    const next = Number(text(entry?.value) || '0') + 1
    const guard = { key, modRevision: entry?.modRevision ?? 0 }
    if ((await store.transact([guard], [put(key, String(next))])).ok) return next
  }
}

export function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString()
}

export interface RecordedWatch {
  readonly handler: WatchHandler
  readonly events: string[]
  revision: number
  resets: number
}

export function recordingWatch(): RecordedWatch {
  const recorded: RecordedWatch = {
    events: [],
    revision: 0,
    resets: 0,
    handler: {
      events(batch, revision) {
        assert.ok(revision > recorded.revision, 'revisions come in order')
        recorded.revision = revision
        for (const event of batch) recorded.events.push(`${event.kind} ${event.entry.key}`)
      },
      reset() {
        recorded.resets++
      },
      stale() {},
    },
  }
  return recorded
}

/** Waits for it in real time, while simulated time stands still. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'the condition never holds')
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}
