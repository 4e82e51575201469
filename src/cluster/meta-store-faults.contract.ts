// One suite for every keeper of the metadata that is asked over a network: what a lost answer does, and what it can never do.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { absent, put, succeed, text } from './meta-store.contract.ts'
import { type MetaStore, StoreUnavailable, type TransactionResult, UnknownOutcome } from './meta-store.ts'
import { transactUntilKnown } from './transact-until-known.contract.ts'

export interface FaultyStoreUnderTest {
  readonly store: MetaStore
  /** Another connection, without faults. */
  readonly other: MetaStore
  /** Lets time pass while `work` goes on, until it has settled. */
  readonly whileTimePasses: <T>(work: Promise<T>) => Promise<T>
  /** Of the next transactions: lost on the way there; done, but the answer lost; done only with `deliverLate`, and not answered. */
  readonly failNext: (fault: 'requestLost' | 'answerLost' | 'late') => void
  readonly deliverLate: () => Promise<void>
}

export function metaStoreFaultContract(name: string, make: (t: TestContext) => Promise<FaultyStoreUnderTest>): void {
  const contract = (title: string, run: (under: FaultyStoreUnderTest) => Promise<void>): void => {
    void test(`${name}: ${title}`, async (t) => run(await make(t)))
  }

  contract('when the answer is lost after the commit, the outcome is unknown and the write is there', async (under) => {
    const { store, whileTimePasses, failNext } = under
    failNext('answerLost')
    await assert.rejects(whileTimePasses(store.transact([absent('a')], [put('a', '1')])), UnknownOutcome)
    assert.equal(text((await store.get('a')).entry?.value), '1')
  })

  contract('when the request is lost before the commit, the outcome is as unknown', async (under) => {
    const { store, whileTimePasses, failNext } = under
    failNext('requestLost')
    await assert.rejects(whileTimePasses(store.transact([absent('a')], [put('a', '1')])), UnknownOutcome)
    assert.equal((await store.get('a')).entry, null)
  })

  contract('a write that is applied late never undoes a newer one', async (under) => {
    const { store, other, whileTimePasses, failNext, deliverLate } = under
    const first = await succeed(store.transact([absent('a')], [put('a', 'old')]))
    failNext('late')
    const guard = { key: 'a', modRevision: first }
    await assert.rejects(whileTimePasses(store.transact([guard], [put('a', 'late')])), UnknownOutcome)
    const newer = await succeed(other.transact([guard], [put('a', 'newer')]))
    await deliverLate()
    const { entry } = await store.get('a')
    assert.deepEqual([text(entry?.value), entry?.modRevision], ['newer', newer])
  })

  contract('a write that is applied late is found by whoever looks again', async (under) => {
    const { store, whileTimePasses, failNext, deliverLate } = under
    failNext('late')
    await assert.rejects(whileTimePasses(store.transact([absent('a')], [put('a', 'late')])), UnknownOutcome)
    assert.equal((await store.get('a')).entry, null)
    await deliverLate()
    const again = await store.transact([absent('a')], [put('a', 'again')])
    assert.ok(!again.ok)
    assert.equal(text(again.current[0]?.value), 'late')
  })

  contract('many writes in one call share the fate of the answer', async (under) => {
    const { store, whileTimePasses, failNext } = under
    const items = ['a', 'b'].map((key) => ({ guards: [absent(key)] as const, writes: [put(key)] }))
    failNext('answerLost')
    await assert.rejects(whileTimePasses(store.compareAndSwapMany([], items)), UnknownOutcome)
    const again = await store.compareAndSwapMany([], items)
    assert.ok(again !== 'fenced' && again.every((result) => !result.ok))
  })

  contract('a write that goes on until its outcome is known is made exactly once', async (under) => {
    const { store, other, whileTimePasses, failNext, deliverLate } = under
    for (const fault of ['answerLost', 'requestLost', 'answerLost', 'answerLost', 'late'] as const) failNext(fault)
    await whileTimePasses(Promise.all([addOneByOne(store, 'a', 8), addOneByOne(other, 'elsewhere', 5, 'm')]))
    await deliverLate()
    assert.equal(text((await store.get('n')).entry?.value), '8 a7')
  })

  contract('of several writers that go on, none is told of a write that was not made', async (under) => {
    const { store, other, whileTimePasses, failNext, deliverLate } = under
    for (const fault of ['answerLost', 'late', 'answerLost', 'requestLost', 'late'] as const) failNext(fault)
    await whileTimePasses(
      Promise.all([addOneByOne(store, 'a', 5), addOneByOne(store, 'b', 5), addOneByOne(other, 'c', 5)]),
    )
    await deliverLate()
    const count = Number(text((await store.get('n')).entry?.value).split(' ')[0])
    // More when an answer was lost and another had gone on from there already: then it was made again.
    assert.ok(count >= 15 && count <= 15 + 5, `${count}`)
  })

  contract('what another wrote meanwhile is not taken for our own', async (under) => {
    const { store, other, whileTimePasses, failNext } = under
    failNext('requestLost')
    const ours = whileTimePasses(
      transactUntilKnown(store, [absent('a')], [put('a', 'ours')], (entry) => text(entry?.value) === 'ours'),
    )
    await succeed(other.transact([absent('a')], [put('a', 'theirs')]))
    assert.equal((await ours).ok, false)
  })

  contract('after an answer was lost, a store that cannot be asked leaves the outcome unknown', async (under) => {
    const { store, whileTimePasses, failNext } = under
    failNext('answerLost')
    const write = transactUntilKnown(unavailableAfter(store, 1), [absent('a')], [put('a')], () => true)
    await assert.rejects(whileTimePasses(write), UnknownOutcome)
    const refused = transactUntilKnown(unavailableAfter(store, 0), [absent('b')], [put('b')], () => true)
    await assert.rejects(refused, StoreUnavailable)
  })
}

/** Counts up under `key`; each value names who wrote it. */
async function addOneByOne(store: MetaStore, writer: string, times: number, key = 'n'): Promise<void> {
  for (let i = 0; i < times;) if ((await addOne(store, `${writer}${i}`, key)).ok) i++
}

async function addOne(store: MetaStore, writer: string, key: string): Promise<TransactionResult> {
  const { entry } = await store.get(key)
  const value = `${Number(text(entry?.value).split(' ')[0] ?? '0') + 1} ${writer}`
  const guard = { key, modRevision: entry?.modRevision ?? 0 }
  return transactUntilKnown(store, [guard], [put(key, value)], (current) => text(current?.value) === value)
}

function unavailableAfter(store: MetaStore, calls: number): MetaStore {
  let left = calls
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    transact: async (guards, writes) => {
      if (left-- > 0) return store.transact(guards, writes)
      throw new StoreUnavailable('gone')
    },
    compareAndSwapMany: (fence, items) => store.compareAndSwapMany(fence, items),
    watch: (prefix, from, handler) => store.watch(prefix, from, handler),
    lease: (ttlMs) => store.lease(ttlMs),
    close: () => store.close(),
  }
}
