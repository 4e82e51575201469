// Any sequence of calls does to a store what it does to the embedded one.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { FileJournal } from './file-journal.ts'
import { put, text } from './meta-store.contract.ts'
import { EmbeddedMetaStore } from './meta-store.embedded.ts'
import type { CasItem, Guard, MetaStore, MetaWrite } from './meta-store.ts'

/** Few, so that they meet. */
const key = fc.constantFrom('a', 'a/1', 'a/2', 'b', 'b/1')
const guard: fc.Arbitrary<Guard> = fc.oneof(
  key.map((key) => ({ key, modRevision: 0 })),
  fc.record({ key, modRevision: fc.integer({ min: -1, max: 0 }) }),
  fc.record({ key, createRevision: fc.integer({ min: -1, max: 0 }) }),
)
const write: fc.Arbitrary<MetaWrite> = fc.oneof(
  fc.record({ key, value: fc.string({ maxLength: 3 }) }).map(({ key, value }) => put(key, value)),
  key.map((key) => ({ kind: 'delete', key }) as const),
  fc.constantFrom('a/', 'b').map((prefix) => ({ kind: 'deletePrefix', prefix }) as const),
)
const writes = fc.array(write, { maxLength: 3 }).filter((list) => !touchesTwice(list))
const item = fc.record({ guards: fc.tuple(guard), writes })
/** Nobody writes its key; one in four does not hold. */
const fence = fc.array(
  fc.constantFrom(0, 0, 0, 7).map((modRevision) => ({ key: 'fence', modRevision })),
  { maxLength: 1 },
)
const call = fc.record({ fence, items: fc.array(item, { maxLength: 6 }) })

function touchesTwice(list: readonly MetaWrite[]): boolean {
  return list.some((one, i) =>
    list.some((other, j) => {
      if (i === j) return false
      const [a, b] = [one, other].map((write) => (write.kind === 'deletePrefix' ? write.prefix : write.key))
      return a === b || (one.kind === 'deletePrefix' && b!.startsWith(a!))
    }),
  )
}

/** Revision -1 in a guard stands for the key's present one. */
async function present(store: MetaStore, guard: Guard): Promise<Guard> {
  const { entry } = await store.get(guard.key)
  if ('modRevision' in guard) return guard.modRevision < 0 ? { ...guard, modRevision: entry?.modRevision ?? 0 } : guard
  return guard.createRevision < 0 ? { ...guard, createRevision: entry?.createRevision ?? 0 } : guard
}

async function perform(store: MetaStore, { fence, items }: { fence: Guard[]; items: CasItem[] }): Promise<unknown> {
  const presentItems: CasItem[] = []
  for (const { guards, writes } of items) presentItems.push({ guards: [await present(store, guards[0])], writes })
  const results = await store.compareAndSwapMany(fence, presentItems)
  return results === 'fenced' ? results : results.map((result) => result.ok)
}

/** `make` answers an empty store; it is asked for `runs` of them. */
export function metaStoreModelContract(name: string, runs: number, make: (t: TestContext) => Promise<MetaStore>): void {
  void test(`${name}: whatever is called, it does what the embedded store does`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 8 }), async (calls) => {
        const store = await make(t)
        const journal = new FileJournal(new MemoryDisk(), '/meta')
        const embedded = await EmbeddedMetaStore.open({ journal, clock: new SimulatedClock() })
        for (const call of calls) {
          assert.deepEqual(await perform(store, call), await perform(embedded, call))
          assert.deepEqual(await contents(store), await contents(embedded))
        }
        await store.close()
      }),
      { numRuns: runs },
    )
  })
}

async function contents(store: MetaStore): Promise<string[]> {
  return (await store.list('')).entries.map((entry) => `${entry.key}=${text(entry.value)}`)
}
