import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTopic, SmallCluster } from '../cluster/small-cluster.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { silentLogger } from '../lib/logger.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { appended, batchOf, openDirectory, smallConfig } from '../storage/partition-log.contract.ts'
import { topicsDeletedMeanwhile } from '../cluster/awaited-deletions.ts'
import { setStraysAside } from './stray-logs.ts'

async function write(directory: LogDirectory, topicName: string, topicId: string): Promise<void> {
  const log = await directory.openLog({ topicName, partition: 0, topicId, config: smallConfig })
  await appended(log, batchOf(['a']))
}

test('a log of a topic that was deleted meanwhile goes, one of which nobody knows anything is set aside', async () => {
  const cluster = await SmallCluster.start({ brokers: [1, 2] })
  const disk = new MemoryDisk()
  const ids: string[] = []
  const before = await openDirectory({ disk, path: '/data' }, { nodeId: 2 })
  for (const topicName of ['stays', 'deleted']) {
    const topic = newTopic(topicName, { assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] })
    const [created] = await cluster.topics.create([topic], { validateOnly: false })
    assert.ok(created?.ok)
    ids.push(created.id!)
    await write(before, topicName, created.id!)
  }
  await write(before, 'unknown', 'Some-topic-id-of-22-ch')
  await before.close()
  await cluster.brokers.get(2)!.membership.stop()
  assert.ok((await cluster.topics.delete(ids[1]!)).ok)

  const { store, view } = cluster
  const directory = await openDirectory({ disk, path: '/data' }, { nodeId: 2 })
  await setStraysAside({ directory, image: view.image, store, brokerId: 2, logger: silentLogger })
  assert.deepEqual(
    directory.existing().map(({ topicName }) => topicName),
    ['stays'],
  )
  await directory.close()
  const folders = (await disk.list('/data')).filter(({ kind }) => kind === 'folder').map(({ name }) => name)
  assert.deepEqual(
    folders.map((name) => name.replace(/\.[0-9a-f]{32}-/, '.-')).sort((a, b) => (a < b ? -1 : 1)),
    ['stays-0', 'unknown-0.-stray'],
  )
  assert.deepEqual(await topicsDeletedMeanwhile(store, 2), new Set())
})
