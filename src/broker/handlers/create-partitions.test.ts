import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionsOfTopicPrefix } from '../../cluster/keys.ts'
import { keys } from '../../cluster/meta-store.contract.ts'
import { newTopic } from '../../cluster/small-cluster.sim.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleCreatePartitions } from './create-partitions.ts'

interface Wanted {
  readonly name?: string
  readonly count: number
  readonly assignments?: readonly (readonly number[])[]
}

async function grow(cluster: AdministeredCluster, topics: readonly Wanted[], validateOnly = false) {
  const response = await handleCreatePartitions(cluster.context(3), {
    topics: topics.map(({ name = 'orders', count, assignments }) => ({
      name,
      count,
      assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
    })),
    timeoutMs: 1000,
    validateOnly,
  })
  assert.ok(response !== null)
  return response.results
}

/** Brokers 1, 2 and 3, and `orders` with two partitions of two replicas. */
async function start(): Promise<AdministeredCluster> {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2, 3] })
  const topic = newTopic('orders', { partitions: 2, replicationFactor: 2 })
  const [created] = await cluster.cluster.topics.create([topic], { validateOnly: false })
  assert.ok(created?.ok)
  return cluster
}

function count({ cluster }: AdministeredCluster, name = 'orders'): number {
  return cluster.topic(name)!.partitions.length
}

test('new partitions have as many replicas as the first, and leaders; the old ones stay as they are', async () => {
  const cluster = await start()
  const before = cluster.cluster.topic('orders')!
  assert.deepEqual(await grow(cluster, [{ count: 5 }]), [
    { name: 'orders', errorCode: ErrorCode.NONE, errorMessage: null },
  ])
  const after = cluster.cluster.topic('orders')!
  assert.equal(after.id, before.id)
  assert.deepEqual(after.partitions.slice(0, 2), before.partitions)
  for (const { replicas, isr, leader, leaderEpoch } of after.partitions.slice(2)) {
    assert.deepEqual([replicas.length, isr, leader, leaderEpoch], [2, replicas, replicas[0], 0])
  }
})

test('more partitions than fit a transaction are added as one', async () => {
  const cluster = await start()
  await grow(cluster, [{ count: 1200 }])
  assert.equal(count(cluster), 1200)
})

test('assigned partitions are where they were assigned', async () => {
  const cluster = await start()
  await grow(cluster, [
    {
      count: 4,
      assignments: [
        [3, 1],
        [2, 3],
      ],
    },
  ])
  const added = cluster.cluster.topic('orders')!.partitions.slice(2)
  assert.deepEqual(
    added.map(({ replicas }) => replicas),
    [
      [3, 1],
      [2, 3],
    ],
  )
})

test('validation alone adds nothing, and says what would be refused', async () => {
  const cluster = await start()
  assert.equal((await grow(cluster, [{ count: 5 }], true))[0]!.errorCode, ErrorCode.NONE)
  assert.equal((await grow(cluster, [{ count: 2 }], true))[0]!.errorCode, ErrorCode.INVALID_PARTITIONS)
  assert.equal(count(cluster), 2)
  const prefix = partitionsOfTopicPrefix(cluster.cluster.topic('orders')!.id)
  assert.equal((await keys(cluster.cluster.store, prefix)).length, 2)
})

for (const { what, wanted, error, message } of [
  {
    what: 'a topic that is not there',
    wanted: { name: 'nowhere', count: 3 },
    error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    // Kafka has no words for it.
    message: /^$/,
  },
  {
    what: 'as many partitions as there are',
    wanted: { count: 2 },
    error: ErrorCode.INVALID_PARTITIONS,
    message: /^Topic already has 2 partition\(s\)\.$/,
  },
  {
    what: 'fewer partitions than there are',
    wanted: { count: 1 },
    error: ErrorCode.INVALID_PARTITIONS,
    message: /^The topic orders currently has 2 partition\(s\); 1 would not be an increase\.$/,
  },
  {
    what: 'fewer assignments than partitions',
    wanted: { count: 4, assignments: [[1, 2]] },
    error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    message: /^Attempted to add 2 additional partition\(s\), but only 1 assignment\(s\) were specified\.$/,
  },
  {
    what: 'another number of replicas',
    wanted: { count: 3, assignments: [[1]] },
    error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    message: /1 replica\(s\), but this is not consistent/,
  },
  {
    what: 'a broker that never was',
    wanted: { count: 3, assignments: [[1, 9]] },
    error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    message: /no such broker/,
  },
  {
    what: 'more partitions than a request may add',
    wanted: { count: 10_003 },
    error: ErrorCode.POLICY_VIOLATION,
    message: /Excessively large/,
  },
]) {
  test(`${what} is refused`, async () => {
    const cluster = await start()
    const [result] = await grow(cluster, [wanted])
    assert.equal(result!.errorCode, error)
    assert.match(result!.errorMessage ?? '', message)
    assert.equal(count(cluster), 2)
  })
}

test('a topic that comes twice is refused once, the others grow', async () => {
  const cluster = await start()
  await cluster.create('other')
  const results = await grow(cluster, [{ count: 3 }, { name: 'other', count: 2 }, { count: 4 }])
  assert.deepEqual(
    results.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['orders', ErrorCode.INVALID_REQUEST],
      ['other', ErrorCode.NONE],
    ],
  )
  assert.deepEqual([count(cluster), count(cluster, 'other')], [2, 2])
})

test('of two that add partitions at the same time, each gets what it asked for or is told', async () => {
  const cluster = await start()
  const [one, other] = await Promise.all([grow(cluster, [{ count: 300 }]), grow(cluster, [{ count: 400 }])])
  assert.equal(other[0]!.errorCode, ErrorCode.NONE)
  assert.ok([ErrorCode.NONE, ErrorCode.INVALID_PARTITIONS].includes(one[0]!.errorCode as 0))
  assert.equal(count(cluster), 400)
})

test('partitions are placed on brokers that are there first, and those that are away are not in sync', async () => {
  const cluster = await start()
  await cluster.cluster.brokers.get(3)!.membership.stop()
  await grow(cluster, [{ count: 12 }])
  for (const { replicas } of cluster.cluster.topic('orders')!.partitions.slice(2)) {
    assert.deepEqual(
      [...replicas].sort((a, b) => a - b),
      [1, 2],
    )
  }
  await grow(cluster, [{ count: 13, assignments: [[3, 1]] }])
  const last = cluster.cluster.topic('orders')!.partitions.at(-1)!
  assert.deepEqual([last.isr, last.leader], [[1], 1])
  const [refused] = await grow(cluster, [{ count: 14, assignments: [[3, 3]] }])
  assert.equal(refused!.errorCode, ErrorCode.INVALID_REPLICA_ASSIGNMENT)
})
