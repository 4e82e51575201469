// AlterPartitionReassignments, ListPartitionReassignments and ElectLeaders on a cluster without logs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeDocument } from '../../cluster/documents.ts'
import { partitionKey } from '../../cluster/keys.ts'
import { succeed } from '../../cluster/meta-store.contract.ts'
import { partitionDocument } from '../../cluster/partition-image.ts'
import { newTopic } from '../../cluster/small-cluster.sim.ts'
import type { PartitionImage } from '../../cluster/image.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleAlterPartitionReassignments } from './alter-partition-reassignments.ts'
import { handleElectLeaders } from './elect-leaders.ts'
import { handleListPartitionReassignments } from './list-partition-reassignments.ts'

async function clusterWith(name: string, replicas: readonly (readonly number[])[]): Promise<AdministeredCluster> {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2, 3] })
  const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const [created] = await cluster.cluster.topics.create([newTopic(name, { assignments })], { validateOnly: false })
  assert.ok(created?.ok)
  return cluster
}

function partition({ cluster }: AdministeredCluster, name: string, index = 0): PartitionImage {
  return cluster.topic(name)!.partitions[index]!
}

async function change({ cluster }: AdministeredCluster, name: string, to: Partial<PartitionImage>): Promise<void> {
  const now = cluster.topic(name)!.partitions[0]!
  const key = partitionKey(cluster.topic(name)!.id, 0)
  const value = encodeDocument(partitionDocument({ ...now, ...to }))
  const revision = await succeed(
    cluster.store.transact([{ key, modRevision: now.revision }], [{ kind: 'put', key, value }]),
  )
  await cluster.view.reached(revision)
  await cluster.clock.settle()
}

async function alter(
  cluster: AdministeredCluster,
  topics: Record<string, Record<number, readonly number[] | null>>,
  allowReplicationFactorChange = true,
) {
  const response = await handleAlterPartitionReassignments(cluster.context(1), {
    timeoutMs: 1000,
    allowReplicationFactorChange,
    topics: Object.entries(topics).map(([name, partitions]) => ({
      name,
      partitions: Object.entries(partitions).map(([index, replicas]) => ({ partitionIndex: Number(index), replicas })),
    })),
  })
  assert.ok(response !== null)
  return response
}

async function list(cluster: AdministeredCluster, topics: { name: string; partitionIndexes: number[] }[] | null) {
  const response = await handleListPartitionReassignments(cluster.context(0), { timeoutMs: 1000, topics })
  assert.ok(response !== null)
  return response.topics
}

async function elect(
  cluster: AdministeredCluster,
  electionType: number,
  topicPartitions: { topic: string; partitions: number[] }[] | null,
) {
  const response = await handleElectLeaders(cluster.context(2), { electionType, topicPartitions, timeoutMs: 1000 })
  assert.ok(response !== null)
  return response
}

test('a reassignment is listed while it runs, and is over when its target is in sync', async () => {
  const cluster = await clusterWith('orders', [
    [1, 2],
    [2, 3],
  ])
  const { responses, errorCode } = await alter(cluster, { orders: { 0: [3, 2] } })
  assert.equal(errorCode, ErrorCode.NONE)
  assert.deepEqual(responses, [
    { name: 'orders', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NONE, errorMessage: null }] },
  ])
  const ongoing = [
    {
      name: 'orders',
      partitions: [{ partitionIndex: 0, replicas: [3, 2, 1], addingReplicas: [3], removingReplicas: [1] }],
    },
  ]
  assert.deepEqual(await list(cluster, null), ongoing)
  assert.deepEqual(await list(cluster, [{ name: 'orders', partitionIndexes: [1, 0, 7] }]), ongoing)
  assert.deepEqual(await list(cluster, [{ name: 'orders', partitionIndexes: [1] }]), [])
  assert.deepEqual(await list(cluster, [{ name: 'nowhere', partitionIndexes: [0] }]), [])

  await change(cluster, 'orders', { isr: [1, 2, 3] })
  assert.deepEqual(await list(cluster, null), [])
  const { replicas, isr, leader, leaderEpoch } = partition(cluster, 'orders')
  assert.deepEqual({ replicas, isr, leader, leaderEpoch }, { replicas: [3, 2], isr: [2, 3], leader: 3, leaderEpoch: 1 })
})

test('a reassignment can be cancelled, once', async () => {
  const cluster = await clusterWith('orders', [[1, 2]])
  await alter(cluster, { orders: { 0: [3, 2] } })
  await alter(cluster, { orders: { 0: null } })
  assert.deepEqual(partition(cluster, 'orders').replicas, [2, 1])
  assert.deepEqual(await list(cluster, null), [])
  const { responses } = await alter(cluster, { orders: { 0: null } })
  assert.deepEqual(responses[0]!.partitions[0], {
    partitionIndex: 0,
    errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
    errorMessage: null,
  })
})

test('each partition has its own error', async () => {
  const cluster = await clusterWith('orders', [
    [1, 2],
    [2, 3],
  ])
  const { responses } = await alter(cluster, { orders: { 0: [1, 9], 1: [3, 2], 5: [1] }, nowhere: { 0: [1] } })
  assert.deepEqual(
    responses.map(({ name, partitions }) => [name, partitions.map(({ errorCode }) => errorCode)]),
    [
      ['orders', [ErrorCode.INVALID_REPLICA_ASSIGNMENT, ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]],
      ['nowhere', [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]],
    ],
  )
  assert.equal(responses[1]!.partitions[0]!.errorMessage, 'Unable to find a topic named nowhere.')
  assert.deepEqual(partition(cluster, 'orders', 1).replicas, [3, 2])
})

test('a change of the replication factor can be ruled out', async () => {
  const cluster = await clusterWith('orders', [[1, 2]])
  const { responses } = await alter(cluster, { orders: { 0: [1, 2, 3] } }, false)
  assert.equal(responses[0]!.partitions[0]!.errorCode, ErrorCode.INVALID_REPLICATION_FACTOR)
  assert.deepEqual(partition(cluster, 'orders').adding, [])
})

test('a thousand partitions are reassigned with one request', async () => {
  const replicas = Array.from({ length: 1000 }, () => [1])
  const cluster = await clusterWith('big', replicas)
  const { responses } = await alter(cluster, { big: Object.fromEntries(replicas.map((_, index) => [index, [2]])) })
  assert.ok(responses[0]!.partitions.every(({ errorCode }) => errorCode === ErrorCode.NONE))
  assert.equal((await list(cluster, null))[0]!.partitions.length, 1000)
})

test('the preferred leader is elected on request, where it is in sync', async () => {
  const cluster = await clusterWith('orders', [[2, 1]])
  await change(cluster, 'orders', { leader: 1, isr: [1] })
  const asked = [{ topic: 'orders', partitions: [0] }]
  const unavailable = await elect(cluster, 0, asked)
  assert.deepEqual(unavailable.replicaElectionResults[0]!.partitionResult, [
    {
      partitionId: 0,
      errorCode: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
      errorMessage: 'The preferred leader was not available.',
    },
  ])
  await change(cluster, 'orders', { isr: [1, 2] })
  const elected = await elect(cluster, 0, asked)
  assert.deepEqual(elected, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    replicaElectionResults: [
      { topic: 'orders', partitionResult: [{ partitionId: 0, errorCode: ErrorCode.NONE, errorMessage: null }] },
    ],
  })
  assert.deepEqual([partition(cluster, 'orders').leader, partition(cluster, 'orders').leaderEpoch], [2, 1])
  const again = await elect(cluster, 0, asked)
  assert.equal(again.replicaElectionResults[0]!.partitionResult[0]!.errorCode, ErrorCode.ELECTION_NOT_NEEDED)
})

test('asked for all partitions, only those are answered that had something to elect', async () => {
  const cluster = await clusterWith('orders', [
    [2, 1],
    [1, 2],
  ])
  await change(cluster, 'orders', { leader: 1 })
  const { replicaElectionResults } = await elect(cluster, 0, null)
  assert.deepEqual(replicaElectionResults, [
    { topic: 'orders', partitionResult: [{ partitionId: 0, errorCode: ErrorCode.NONE, errorMessage: null }] },
  ])
})

test('an unclean election takes a replica that is not in sync, when nobody leads', async () => {
  const cluster = await clusterWith('orders', [[2, 1]])
  const asked = [{ topic: 'orders', partitions: [0] }]
  const needless = await elect(cluster, 1, asked)
  assert.equal(needless.replicaElectionResults[0]!.partitionResult[0]!.errorCode, ErrorCode.ELECTION_NOT_NEEDED)
  // Its only member came back with an empty disk.
  await change(cluster, 'orders', { leader: -1, isr: [] })
  assert.equal(partition(cluster, 'orders').leader, -1)
  const preferred = await elect(cluster, 0, asked)
  assert.equal(
    preferred.replicaElectionResults[0]!.partitionResult[0]!.errorCode,
    ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
  )
  await elect(cluster, 1, asked)
  assert.deepEqual([partition(cluster, 'orders').leader, partition(cluster, 'orders').isr], [2, [2]])
})

test('an election that nobody knows, and partitions that are not there, are refused', async () => {
  const cluster = await clusterWith('orders', [[1]])
  assert.equal((await elect(cluster, 7, null)).errorCode, ErrorCode.INVALID_REQUEST)
  const unknown = await elect(cluster, 7, [{ topic: 'orders', partitions: [0] }])
  assert.equal(unknown.replicaElectionResults[0]!.partitionResult[0]!.errorCode, ErrorCode.INVALID_REQUEST)
  const { replicaElectionResults } = await elect(cluster, 0, [
    { topic: 'orders', partitions: [4] },
    { topic: 'nowhere', partitions: [0] },
  ])
  assert.deepEqual(
    replicaElectionResults.map(({ partitionResult }) => partitionResult[0]!.errorMessage),
    ['No such partition as orders-4', 'No such topic as nowhere'],
  )
})

test('a broker that is not part of the cluster says so for the whole request', async () => {
  const cluster = await clusterWith('orders', [[2, 3]])
  await cluster.cluster.brokers.get(1)!.membership.stop()
  assert.equal((await alter(cluster, { orders: { 0: [3] } })).errorCode, ErrorCode.NOT_CONTROLLER)
  assert.equal((await elect(cluster, 0, [{ topic: 'orders', partitions: [0] }])).errorCode, ErrorCode.NOT_CONTROLLER)
})
