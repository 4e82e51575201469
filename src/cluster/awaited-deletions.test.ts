import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldersAreGone, topicsDeletedMeanwhile } from './awaited-deletions.ts'
import { deletionsPrefix } from './keys.ts'
import { keys } from './meta-store.contract.ts'
import { newTopic, SmallCluster } from './small-cluster.sim.ts'

/** A topic on brokers 1 and 2 and one on 1 and 3, deleted while `away` are away. Answers the ids. */
async function deletedWithout(cluster: SmallCluster, away: readonly number[]): Promise<string[]> {
  const ids: string[] = []
  for (const [name, brokerIds] of [
    ['a', [1, 2]],
    ['b', [1, 3]],
  ] as const) {
    const topic = newTopic(name, { assignments: [{ partitionIndex: 0, brokerIds }] })
    const [created] = await cluster.topics.create([topic], { validateOnly: false })
    assert.ok(created?.ok)
    ids.push(created.id!)
  }
  for (const id of away) await cluster.brokers.get(id)!.membership.stop()
  for (const id of ids) assert.ok((await cluster.topics.delete(id)).ok)
  return ids
}

test('a broker that was away hears which topics were deleted, once', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2, 3] })
  const [a, b] = await deletedWithout(cluster, [2, 3])
  assert.deepEqual(await topicsDeletedMeanwhile(cluster.store, 1), new Set())
  assert.deepEqual(await topicsDeletedMeanwhile(cluster.store, 2), new Set([a]))
  assert.deepEqual(await topicsDeletedMeanwhile(cluster.store, 3), new Set([b]))
  await foldersAreGone(cluster.store, 2, [a!])
  assert.deepEqual(await topicsDeletedMeanwhile(cluster.store, 2), new Set())
  assert.deepEqual(await topicsDeletedMeanwhile(cluster.store, 3), new Set([b]))
  await foldersAreGone(cluster.store, 3, [b!])
  assert.deepEqual(await keys(cluster.store, deletionsPrefix), [])
})

test('where every broker is there, a deletion leaves nothing behind', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2, 3] })
  await deletedWithout(cluster, [])
  assert.deepEqual(await keys(cluster.store, deletionsPrefix), [])
})
