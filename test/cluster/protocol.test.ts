// What three brokers tell clients, request by request: whom to ask, who leads, what is over; and that each of them may be asked for what
// concerns the cluster.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BrokerClient } from '../../src/cli/broker-client.ts'
import { systemClock } from '../../src/io/clock.ts'
import { realNetwork } from '../../src/io/network.real.ts'
import { ZERO_UUID } from '../../src/lib/uuid.ts'
import { alterPartitionReassignments } from '../../src/protocol/apis/alter-partition-reassignments.ts'
import { createPartitions } from '../../src/protocol/apis/create-partitions.ts'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { describeCluster } from '../../src/protocol/apis/describe-cluster.ts'
import { describeLogDirs } from '../../src/protocol/apis/describe-log-dirs.ts'
import { describeTopicPartitions } from '../../src/protocol/apis/describe-topic-partitions.ts'
import { electLeaders } from '../../src/protocol/apis/elect-leaders.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { incrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import { initProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { offsetForLeaderEpoch } from '../../src/protocol/apis/offset-for-leader-epoch.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { type EmbeddedCluster, startCluster } from '../../src/testkit/index.ts'
import { waitFor } from '../support/wait-for.ts'

const racks = ['north', 'south', 'east']
const { NONE } = ErrorCode

let folder: string
let cluster: EmbeddedCluster
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odradek-protocol-'))
  const settings = { 'offsets.topic.num.partitions': 6, 'auto.leader.rebalance.enable': false }
  cluster = await startCluster({ data: folder, racks, settings })
})
after(async () => {
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function ask<A extends AnyApi>(brokerId: number, api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
  const client = await BrokerClient.connect(realNetwork, systemClock, cluster.brokers[brokerId - 1]!)
  try {
    return await client.ask(api, body)
  } finally {
    client.close()
  }
}

/** One partition for each list of replicas, created by broker `by`; the topic's id. */
async function create(name: string, replicas: readonly (readonly number[])[], by = 1): Promise<string> {
  const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
  const { topics } = await ask(by, createTopics, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
  assert.equal(topics[0]!.errorCode, NONE, topics[0]!.errorMessage ?? '')
  return topics[0]!.topicId
}

/** As broker `by` sees it now. */
async function partitionsOf(topic: string, by: number) {
  const { topics } = await ask(by, metadata, {
    topics: [{ topicId: ZERO_UUID, name: topic }],
    allowAutoTopicCreation: false,
  })
  return topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
}

async function seenByAll(
  topic: string,
  what: string,
  isSo: (partitions: Awaited<ReturnType<typeof partitionsOf>>) => boolean,
) {
  const running = cluster.brokers.filter(({ state }) => state === 'running')
  for (const { id } of running)
    await waitFor(`${what} at broker ${id}`, async () => isSo(await partitionsOf(topic, id)))
}

async function append(brokerId: number, topicId: string, values: readonly string[]) {
  const records = buildBatch(values.map((value) => ({ value })))
  const { responses, nodeEndpoints } = await ask(brokerId, produce, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ topicId, name: '', partitionData: [{ index: 0, records: [records] }] }],
  })
  return { ...responses[0]!.partitionResponses[0]!, nodeEndpoints }
}

async function read(brokerId: number, topicId: string, currentLeaderEpoch = -1) {
  const { responses, nodeEndpoints } = await ask(brokerId, fetch, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    rackId: '',
    topics: [
      {
        topicId,
        partitions: [
          { partition: 0, currentLeaderEpoch, fetchOffset: 0, logStartOffset: -1, partitionMaxBytes: 1 << 20 },
        ],
      },
    ],
  })
  return { ...responses[0]!.partitions[0]!, nodeEndpoints }
}

const addressOf = (id: number) => {
  const { host, port } = cluster.brokers[id - 1]!
  return { nodeId: id, host, port, rack: racks[id - 1]! }
}

async function electPreferred(topic: string, by: number): Promise<ErrorCode> {
  const { replicaElectionResults } = await ask(by, electLeaders, {
    electionType: 0,
    topicPartitions: [{ topic, partitions: [0] }],
    timeoutMs: 10_000,
  })
  return replicaElectionResults[0]!.partitionResult[0]!.errorCode
}

async function reassign(topic: string, replicas: readonly number[] | null, by: number): Promise<ErrorCode> {
  const { responses } = await ask(by, alterPartitionReassignments, {
    timeoutMs: 10_000,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas }] }],
  })
  return responses[0]!.partitions[0]!.errorCode
}

test('whatever concerns the cluster may be asked of each broker, the controller or not', async () => {
  for (const by of [1, 2, 3]) {
    const name = `by-${by}`
    const id = await create(name, [[1, 2, 3]], by)
    await seenByAll(name, 'the topic', (partitions) => partitions.length === 1)
    const next = (by % 3) + 1
    const grown = await ask(next, createPartitions, {
      topics: [{ name, count: 4, assignments: null }],
      timeoutMs: 10_000,
      validateOnly: false,
    })
    assert.equal(grown.results[0]!.errorCode, NONE)
    await seenByAll(name, 'more partitions', (partitions) => partitions.length === 4)
    assert.equal(await reassign(name, [2, 1, 3], by), NONE)
    await seenByAll(name, 'the move', ([first]) => first!.replicaNodes.join() === '2,1,3')
    assert.equal(await electPreferred(name, next), NONE)
    await seenByAll(name, 'the preferred leader', ([first]) => first!.leaderId === 2)
    const altered = await ask(next, incrementalAlterConfigs, {
      resources: [
        { resourceType: 2, resourceName: name, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }] },
      ],
      validateOnly: false,
    })
    assert.equal(altered.responses[0]!.errorCode, NONE)
    const deleted = await ask(next, deleteTopics, { topics: [{ name: null, topicId: id }], timeoutMs: 10_000 })
    assert.equal(deleted.responses[0]!.errorCode, NONE)
    await seenByAll(name, 'no topic', (partitions) => partitions.length === 0)
  }
})

test('who asks a broker that does not lead is told who does, and where (KIP-951)', async () => {
  const id = await create('led', [[2, 3]])
  await seenByAll('led', 'the topic', (partitions) => partitions.length === 1)
  const leader = { leaderId: 2, leaderEpoch: 0 }
  for (const other of [1, 3]) {
    const refused = await append(other, id, ['a'])
    assert.deepEqual([refused.errorCode, refused.currentLeader], [ErrorCode.NOT_LEADER_OR_FOLLOWER, leader])
    assert.deepEqual(refused.nodeEndpoints, [addressOf(2)])
  }
  assert.equal((await append(2, id, ['a', 'b'])).errorCode, NONE)
  const nowhere = await read(1, id)
  assert.deepEqual([nowhere.errorCode, nowhere.currentLeader], [ErrorCode.NOT_LEADER_OR_FOLLOWER, leader])
  assert.deepEqual(nowhere.nodeEndpoints, [addressOf(2)])
  // Consumers may read from a follower, up to what it knows to be committed (KIP-392).
  await waitFor('the high watermark at the follower', async () => (await read(3, id)).highWatermark === 2)
})

test('an epoch that is over, or not known yet, is refused wherever one can be named (KIP-320)', async () => {
  const id = await create('epochs', [[1, 2]])
  assert.equal((await append(1, id, ['a'])).errorCode, NONE)
  assert.equal(await reassign('epochs', [2, 1], 3), NONE)
  await seenByAll('epochs', 'the move', ([first]) => first!.replicaNodes.join() === '2,1')
  assert.equal(await electPreferred('epochs', 1), NONE)
  await seenByAll('epochs', 'the leader', ([first]) => first!.leaderId === 2 && first!.leaderEpoch === 1)
  assert.equal((await append(2, id, ['b'])).errorCode, NONE)
  const errors = async (currentLeaderEpoch: number) => {
    const offsets = await ask(2, listOffsets, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'epochs', partitions: [{ partitionIndex: 0, currentLeaderEpoch, timestamp: -1n }] }],
    })
    const ends = await ask(2, offsetForLeaderEpoch, {
      replicaId: -1,
      topics: [{ topic: 'epochs', partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch: 0 }] }],
    })
    const fetched = await read(2, id, currentLeaderEpoch)
    const end = ends.topics[0]!.partitions[0]!
    return {
      codes: [fetched.errorCode, offsets.topics[0]!.partitions[0]!.errorCode, end.errorCode],
      leader: fetched.currentLeader,
      nodeEndpoints: fetched.nodeEndpoints,
      endOfFirstEpoch: end.endOffset,
    }
  }
  const code = (one: ErrorCode) => [one, one, one]
  const current = await errors(1)
  assert.deepEqual([current.codes, current.endOfFirstEpoch], [code(NONE), 1])
  const old = await errors(0)
  assert.deepEqual(old.codes, code(ErrorCode.FENCED_LEADER_EPOCH))
  assert.deepEqual([old.leader, old.nodeEndpoints], [{ leaderId: 2, leaderEpoch: 1 }, [addressOf(2)]])
  assert.deepEqual((await errors(2)).codes, code(ErrorCode.UNKNOWN_LEADER_EPOCH))
})

test('no broker gives a producer id that another has given', async () => {
  const ids = await Promise.all(
    Array.from({ length: 30 }, async (_, n) => {
      const asked = { transactionalId: null, transactionTimeoutMs: 60_000 }
      const { errorCode, producerId } = await ask((n % 3) + 1, initProducerId, asked)
      assert.equal(errorCode, NONE)
      return producerId
    }),
  )
  assert.equal(new Set(ids).size, ids.length)
})

test('each broker describes its own logs, leading or following', async () => {
  const id = await create('sizes', [[1, 2, 3]])
  assert.equal((await append(1, id, ['a'.repeat(1000)])).errorCode, NONE)
  const sizeAt = async (by: number) => {
    const { results } = await ask(by, describeLogDirs, { topics: [{ topic: 'sizes', partitions: [0] }] })
    return results[0]!.topics[0]?.partitions[0]
  }
  for (const by of [1, 2, 3]) {
    const found = await sizeAt(by)
    assert.ok(found !== undefined && found.partitionSize > 1000, `broker ${by}`)
    assert.deepEqual([found.offsetLag, found.isFutureKey], [0, false])
  }
})

/** -1 where there is none at the moment. */
async function coordinatorsBy(brokerId: number, groups: readonly string[]): Promise<number[]> {
  const { coordinators } = await ask(brokerId, findCoordinator, { keyType: 0, coordinatorKeys: groups })
  return coordinators.map(({ nodeId }) => nodeId)
}

function beat(brokerId: number, groupId: string) {
  return ask(brokerId, heartbeat, { groupId, generationId: 1, memberId: 'nobody' })
}

describe('when a broker is gone', () => {
  const groups = Array.from({ length: 20 }, (_, n) => `group-${n}`)

  void test('all brokers name the same coordinators, others take over, and the one that comes back says it is none', async () => {
    const [first, ...others] = await Promise.all([1, 2, 3].map((by) => coordinatorsBy(by, groups)))
    for (const other of others) assert.deepEqual(other, first)
    assert.deepEqual(new Set(first), new Set([1, 2, 3]))
    const group = groups[first!.indexOf(3)]!
    assert.equal((await beat(3, group)).errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal((await beat(1, group)).errorCode, ErrorCode.NOT_COORDINATOR)
    await cluster.kill(3)
    await waitFor('other coordinators', async () =>
      (await coordinatorsBy(1, groups)).every((id) => id === 1 || id === 2),
    )
    const [next] = await coordinatorsBy(1, [group])
    await waitFor('its state', async () => (await beat(next!, group)).errorCode === ErrorCode.UNKNOWN_MEMBER_ID)
    await cluster.restart(3)
    assert.equal((await beat(3, group)).errorCode, ErrorCode.NOT_COORDINATOR)
    assert.deepEqual(await coordinatorsBy(3, [group]), [next])
    await cluster.settled()
  })

  void test('its replicas are offline, its rack is told while it is there, and epochs say that leaders changed', async () => {
    await create('shown', [[3, 1, 2]])
    const alone = await create('alone', [[3]])
    await seenByAll('alone', 'the topic', ([first]) => first?.leaderId === 3)
    assert.equal((await append(3, alone, ['kept'])).errorCode, NONE)
    const racksSeen = async () => {
      const { brokers } = await ask(1, metadata, { topics: [] })
      return brokers.map(({ nodeId, rack }) => [nodeId, rack]).toSorted(([a], [b]) => Number(a) - Number(b))
    }
    const all = [1, 2, 3].map((id) => [id, racks[id - 1]])
    assert.deepEqual(await racksSeen(), all)
    await cluster.kill(3)
    await seenByAll('shown', 'another leader', ([first]) => first!.leaderId === 1)
    const [shown] = await partitionsOf('shown', 2)
    assert.deepEqual(
      [
        shown!.errorCode,
        shown!.leaderId,
        shown!.leaderEpoch,
        shown!.replicaNodes,
        shown!.isrNodes,
        shown!.offlineReplicas,
      ],
      [NONE, 1, 1, [3, 1, 2], [1, 2], [3]],
    )
    const [offline] = await partitionsOf('alone', 2)
    assert.deepEqual(
      [offline!.errorCode, offline!.leaderId, offline!.isrNodes, offline!.offlineReplicas],
      [ErrorCode.LEADER_NOT_AVAILABLE, -1, [3], [3]],
    )
    const described = await ask(2, describeTopicPartitions, {
      topics: [{ name: 'alone' }, { name: 'shown' }],
      responsePartitionLimit: 100,
      cursor: null,
    })
    const told = described.topics.map(({ partitions: [one] }) => [one!.leaderId, one!.offlineReplicas])
    assert.deepEqual(told, [
      [-1, [3]],
      [1, [3]],
    ])
    assert.deepEqual(described.topics[0]!.partitions[0]!.eligibleLeaderReplicas, [])
    assert.deepEqual(await racksSeen(), all.slice(0, 2))
    const { brokers } = await ask(1, describeCluster, { includeFencedBrokers: true })
    assert.deepEqual(
      brokers.filter(({ isFenced }) => isFenced).map(({ brokerId, rack }) => [brokerId, rack]),
      [[3, 'east']],
    )

    await cluster.restart(3)
    await cluster.settled()
    await seenByAll('alone', 'its leader', ([first]) => first!.leaderId === 3)
    await seenByAll(
      'shown',
      'all replicas',
      ([first]) => first!.isrNodes.length === 3 && first!.offlineReplicas.length === 0,
    )
    const kept = await read(3, alone)
    assert.deepEqual([kept.errorCode, kept.highWatermark], [NONE, 1])
  })

  void test('a topic that is deleted meanwhile leaves no log on it when it is back, and its name is free', async () => {
    const id = await create('doomed', [[1, 3]])
    assert.equal((await append(1, id, ['a'])).errorCode, NONE)
    const logs = async () => (await readdir(join(folder, 'broker-3'))).filter((name) => name.startsWith('doomed'))
    assert.deepEqual(await logs(), ['doomed-0'])
    await cluster.kill(3)
    const deleted = await ask(2, deleteTopics, { topics: [{ name: 'doomed', topicId: ZERO_UUID }], timeoutMs: 10_000 })
    assert.equal(deleted.responses[0]!.errorCode, NONE)
    assert.deepEqual(await logs(), ['doomed-0'])
    const again = await create('doomed', [[1]], 2)
    assert.notEqual(again, id)
    await cluster.restart(3)
    await waitFor('the log to go', async () => !(await logs()).includes('doomed-0'))
    await seenByAll('doomed', 'the new topic', ([first]) => first!.replicaNodes.join() === '1')
    const fresh = await append(1, again, ['b'])
    assert.deepEqual([fresh.errorCode, fresh.baseOffset], [NONE, 0])
    await cluster.settled()
  })
})
