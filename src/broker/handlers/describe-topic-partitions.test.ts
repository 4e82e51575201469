import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/apis/describe-topic-partitions.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleDescribeTopicPartitions } from './describe-topic-partitions.ts'

type Cursor = DescribeTopicPartitionsRequest['cursor']

async function describeTopics(
  cluster: AdministeredCluster,
  names: readonly string[],
  responsePartitionLimit = 2000,
  cursor: Cursor = null,
): Promise<DescribeTopicPartitionsResponse> {
  const request = { topics: names.map((name) => ({ name })), responsePartitionLimit, cursor }
  const response = await handleDescribeTopicPartitions(cluster.context(0), request)
  assert.ok(response !== null)
  return response
}

const pageOf = ({ topics }: DescribeTopicPartitionsResponse) =>
  topics.map(({ name, partitions }) => `${name}:${partitions.map(({ partitionIndex }) => partitionIndex).join()}`)

async function cluster(): Promise<AdministeredCluster> {
  const started = await AdministeredCluster.start()
  await started.create('b', 3)
  await started.create('a', 2)
  await started.create('c', 1)
  return started
}

test('a partition is described with its leader and without eligible leader replicas', async () => {
  const started = await AdministeredCluster.start()
  const id = await started.create('a')
  const { topics, nextCursor } = await describeTopics(started, ['a'])
  assert.equal(nextCursor, null)
  assert.deepEqual(topics, [
    {
      errorCode: ErrorCode.NONE,
      name: 'a',
      topicId: id,
      isInternal: false,
      partitions: [
        {
          errorCode: ErrorCode.NONE,
          partitionIndex: 0,
          leaderId: 1,
          leaderEpoch: 0,
          replicaNodes: [1],
          isrNodes: [1],
          eligibleLeaderReplicas: [],
          lastKnownElr: [],
          offlineReplicas: [],
        },
      ],
      topicAuthorizedOperations: 3576,
    },
  ])
})

test('no names ask for all topics, in order of name', async () => {
  assert.deepEqual(pageOf(await describeTopics(await cluster(), [])), ['a:0,1', 'b:0,1,2', 'c:0'])
})

test('a page ends at the limit, in the middle of a topic or before one', async () => {
  const started = await cluster()
  const first = await describeTopics(started, [], 3)
  assert.deepEqual([pageOf(first), first.nextCursor], [['a:0,1', 'b:0'], { topicName: 'b', partitionIndex: 1 }])
  const second = await describeTopics(started, [], 2, first.nextCursor)
  assert.deepEqual([pageOf(second), second.nextCursor], [['b:1,2'], { topicName: 'c', partitionIndex: 0 }])
  const third = await describeTopics(started, [], 2, second.nextCursor)
  assert.deepEqual([pageOf(third), third.nextCursor], [['c:0'], null])
})

test('a page has room for one partition at least', async () => {
  const started = await AdministeredCluster.start()
  await started.create('a', 2)
  for (const limit of [0, -1]) {
    const page = await describeTopics(started, ['a'], limit)
    assert.equal(page.topics[0]!.partitions.length, 1)
    assert.deepEqual(page.nextCursor, { topicName: 'a', partitionIndex: 1 })
  }
})

test('the broker has a limit of its own', async () => {
  const started = await AdministeredCluster.start({ settings: { 'max.request.partition.size.limit': '2' } })
  await started.create('a', 5)
  assert.deepEqual(pageOf(await describeTopics(started, ['a'], 100)), ['a:0,1'])
})

test('names that are unknown or invalid have their errors, and are never created', async () => {
  const { topics } = await describeTopics(await cluster(), ['nowhere', 'a', 'x y', 'a'])
  assert.deepEqual(
    topics.map(({ name, errorCode, topicId }) => [name, errorCode, topicId === ZERO_UUID]),
    [
      ['a', ErrorCode.NONE, false],
      ['nowhere', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, true],
      ['x y', ErrorCode.INVALID_TOPIC_EXCEPTION, true],
    ],
  )
})

for (const [what, cursor] of [
  ['outside the names', { topicName: 'b', partitionIndex: 0 }],
  ['before the first partition', { topicName: 'a', partitionIndex: -1 }],
] as const) {
  test(`a cursor ${what} is refused`, async () => {
    const { topics } = await describeTopics(await cluster(), ['a', 'c'], 10, cursor)
    assert.deepEqual(
      topics.map(({ name, errorCode }) => [name, errorCode]),
      [
        ['a', ErrorCode.INVALID_REQUEST],
        ['c', ErrorCode.INVALID_REQUEST],
      ],
    )
  })
}

test('a cursor whose topic was deleted goes on with the next topic, from its start', async () => {
  const cursor = { topicName: 'aa', partitionIndex: 2 }
  assert.deepEqual(pageOf(await describeTopics(await cluster(), [], 10, cursor)), ['b:0,1,2', 'c:0'])
})

test('pages of any size give every partition once', async () => {
  const started = await cluster()
  const all = ['a:0', 'a:1', 'b:0', 'b:1', 'b:2', 'c:0']
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.boolean(), async (limit, named) => {
      const seen: string[] = []
      let cursor: Cursor = null
      do {
        const page = await describeTopics(started, named ? ['c', 'a', 'b'] : [], limit, cursor)
        for (const { name, partitions } of page.topics) {
          for (const { partitionIndex } of partitions) seen.push(`${name}:${partitionIndex}`)
        }
        cursor = page.nextCursor
      } while (cursor !== null)
      assert.deepEqual(seen, all)
    }),
  )
})
