// Why the groups need no snapshots: their topic is compacted with the settings it is made with, so that what is loaded is bounded by what
// there is to know, however often it was said.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createTopics } from '../src/protocol/apis/create-topics.ts'
import { describeConfigs } from '../src/protocol/apis/describe-configs.ts'
import { heartbeat } from '../src/protocol/apis/heartbeat.ts'
import { joinGroup } from '../src/protocol/apis/join-group.ts'
import { metadata } from '../src/protocol/apis/metadata.ts'
import { offsetCommit } from '../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../src/protocol/apis/offset-fetch.ts'
import { syncGroup } from '../src/protocol/apis/sync-group.ts'
import { ErrorCode } from '../src/protocol/error-code.ts'
import { codecOf } from '../src/records/batch.ts'
import { batchesIn } from '../src/records/batches-in.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { startBroker } from '../src/testkit/index.ts'
import { fetch } from '../src/protocol/apis/fetch.ts'
import { GroupClient } from './support/group-client.ts'
import { waitFor } from './support/wait-for.ts'

const { NONE } = ErrorCode
const offsets = '__consumer_offsets'
const partitions = 100
const topics = [{ name: 'orders', partitionIndexes: Array.from({ length: partitions }, (_, index) => index) }]

/** A stable group of one. */
async function joined(client: GroupClient, port: number) {
  const { groupId } = client
  const protocols = [{ name: 'range', metadata: Buffer.from('m') }]
  const request = { groupId, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer', protocols }
  const { memberId } = await client.askAt(port, joinGroup, 9, request)
  const { generationId, errorCode } = await client.askAt(port, joinGroup, 9, { ...request, memberId })
  assert.equal(errorCode, NONE)
  const assignments = [{ memberId, assignment: Buffer.from('a') }]
  const agreed = { protocolType: 'consumer', protocolName: 'range' }
  const synced = await client.askAt(port, syncGroup, 5, { groupId, generationId, memberId, assignments, ...agreed })
  assert.equal(synced.errorCode, NONE)
  return { memberId, generationId }
}

test('offsets that are committed again and again take the room of the last ones, and a restart finds them, and the group', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'odradek-offsets-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  let compactions = 0
  const logger = {
    ...silentLogger,
    info: (fields: { log?: string }, message: string) => {
      if (message === 'compacted a log' && fields.log === `${offsets}-0`) compactions++
    },
  }
  // Smaller and sooner than by default, and otherwise as it is.
  const settings = {
    'offsets.topic.num.partitions': 1,
    'offsets.topic.segment.bytes': 65_536,
    'log.cleaner.backoff.ms': 20,
  }
  const broker = await startBroker({ data, settings, logger })
  t.after(() => broker.stop())
  const { port } = broker
  const client = new GroupClient('g', [port])
  t.after(() => client.close())
  await client.askAt(port, createTopics, 7, {
    topics: [{ name: 'orders', numPartitions: partitions, replicationFactor: 1 }],
    timeoutMs: 10_000,
  })
  await client.coordinator()
  const { memberId, generationId } = await joined(client, port)

  let committed = 0
  let bytesWritten = 0
  const folder = join(data, `${offsets}-0`)
  await waitFor('several compactions', async () => {
    for (let round = 0; round < 20; round++) {
      committed++
      const said = { committedOffset: committed, committedLeaderEpoch: -1, committedMetadata: 'x'.repeat(50) }
      const partitionsOf = topics[0]!.partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...said }))
      const answer = await client.askAt(port, offsetCommit, 9, {
        groupId: 'g',
        memberId,
        generationIdOrMemberEpoch: generationId,
        topics: [{ name: 'orders', partitions: partitionsOf }],
      })
      assert.ok(answer.topics[0]!.partitions.every(({ errorCode }) => errorCode === NONE))
      bytesWritten += partitions * 100
    }
    return compactions >= 3
  })
  await waitFor('what is superseded to be gone', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.log'))
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size))
    return sizes.reduce((sum, size) => sum + size, 0) < bytesWritten / 2
  })
  await broker.stop()

  await using again = await startBroker({ data, port, settings })
  assert.ok(again)
  const group = { groupId: 'g', topics }
  const fetched = await client.ask(offsetFetch, 8, { groups: [group] }, ({ groups }) => groups[0]!.errorCode)
  const found = fetched.groups[0]!.topics[0]!.partitions
  assert.equal(found.length, partitions)
  for (const { committedOffset } of found) assert.equal(committedOffset, committed)
  const alive = await client.askAt(port, heartbeat, 4, { groupId: 'g', generationId, memberId })
  assert.equal(alive.errorCode, NONE)
})

test('the topic of the groups is made as the settings say', async (t) => {
  const settings = {
    'offsets.topic.num.partitions': 7,
    'offsets.topic.segment.bytes': 2_097_152,
    'offsets.topic.replication.factor': 3,
    'offsets.topic.compression.codec': 4,
  }
  await using broker = await startBroker({ settings })
  const { port } = broker
  const client = new GroupClient('g', [port])
  t.after(() => client.close())
  await client.coordinator()
  const described = await client.askAt(port, metadata, 12, { topics: [{ name: offsets }] })
  const [topic] = described.topics
  assert.equal(topic!.partitions.length, 7)
  assert.equal(topic!.partitions[0]!.replicaNodes.length, 1, 'as many as there are brokers')
  const { results } = await client.askAt(port, describeConfigs, 4, {
    resources: [{ resourceType: 2, resourceName: offsets }],
  })
  const configs = new Map(results[0]!.configs.map(({ name, value }) => [name, value]))
  assert.deepEqual(
    ['cleanup.policy', 'compression.type', 'segment.bytes'].map((name) => configs.get(name)),
    ['compact', 'producer', '2097152'],
  )

  await joined(client, port)
  const read = await client.askAt(port, fetch, 12, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1_000_000,
    topics: [
      {
        topic: offsets,
        partitions: topic!.partitions.map(({ partitionIndex }) => ({
          partition: partitionIndex,
          fetchOffset: 0,
          partitionMaxBytes: 1_000_000,
        })),
      },
    ],
  })
  const batches = read.responses[0]!.partitions.flatMap(({ records }) => [
    ...batchesIn(Buffer.concat([records ?? []].flat())),
  ])
  assert.ok(batches.length > 0)
  for (const batch of batches) assert.equal(codecOf(batch), 'zstd')
})
