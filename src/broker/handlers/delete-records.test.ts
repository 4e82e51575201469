import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeleteRecordsRequest } from '../../protocol/apis/delete-records.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { ServedTopics } from '../served-topics.sim.ts'
import { handleDeleteRecords } from './delete-records.ts'

type Wanted = readonly [topic: string, index: number, offset: number | bigint]

function requestOf(wanted: readonly Wanted[], timeoutMs = 1000): DeleteRecordsRequest {
  return {
    topics: wanted.map(([name, partitionIndex, offset]) => ({
      name,
      partitions: [{ partitionIndex, offset: BigInt(offset) }],
    })),
    timeoutMs,
  }
}

async function deleteRecords(topics: ServedTopics, wanted: readonly Wanted[], timeoutMs?: number) {
  const response = await handleDeleteRecords(topics.context(2), requestOf(wanted, timeoutMs))
  return response!.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, lowWatermark }) => [name, partitionIndex, errorCode, lowWatermark]),
  )
}

/** `orders` has four records in each of two partitions. */
async function broker(): Promise<ServedTopics> {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', partitions: 2 }, { name: '__consumer_offsets', internal: true })
  for (const index of [0, 1]) await topics.fill('orders', index, ['a', 'b', 'c', 'd'])
  return topics
}

test('a partition starts at the offset that was asked for, or at the high watermark', async () => {
  const topics = await broker()
  assert.deepEqual(
    await deleteRecords(topics, [
      ['orders', 0, 3],
      ['orders', 1, -1],
    ]),
    [
      ['orders', 0, ErrorCode.NONE, 3],
      ['orders', 1, ErrorCode.NONE, 4],
    ],
  )
  assert.deepEqual([topics.log('orders', 0).logStartOffset, topics.log('orders', 1).logStartOffset], [3, 4])
})

test('a start never moves back, and is told', async () => {
  const topics = await broker()
  await deleteRecords(topics, [['orders', 0, 3]])
  assert.deepEqual(await deleteRecords(topics, [['orders', 0, 1]]), [['orders', 0, ErrorCode.NONE, 3]])
})

test('what is not committed cannot be deleted', async () => {
  const topics = new ServedTopics({ immediate: false })
  await topics.become({ name: 'orders' })
  const filling = topics.fill('orders', 0, ['a', 'b'])
  assert.deepEqual(await deleteRecords(topics, [['orders', 0, 2]]), [['orders', 0, ErrorCode.OFFSET_OUT_OF_RANGE, -1]])
  assert.deepEqual(await deleteRecords(topics, [['orders', 0, -1]]), [['orders', 0, ErrorCode.NONE, 0]])
  topics.log('orders').flush()
  await filling
  assert.deepEqual(await deleteRecords(topics, [['orders', 0, 2]]), [['orders', 0, ErrorCode.NONE, 2]])
})

test('of a partition that is named twice the last offset counts, and it is answered once', async () => {
  const topics = await broker()
  const asked: Wanted[] = [
    ['orders', 0, 3],
    ['orders', 0, 2],
  ]
  assert.deepEqual(await deleteRecords(topics, asked), [['orders', 0, ErrorCode.NONE, 2]])
})

describe('a partition is refused', () => {
  for (const { what, wanted, error } of [
    { what: 'that is not there', wanted: ['orders', 2, 0], error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { what: 'with a negative index', wanted: ['orders', -1, 0], error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { what: 'of an unknown topic', wanted: ['nowhere', 0, 0], error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { what: 'of an internal topic', wanted: ['__consumer_offsets', 0, 0], error: ErrorCode.INVALID_TOPIC_EXCEPTION },
    { what: 'with an offset beyond the end', wanted: ['orders', 0, 5], error: ErrorCode.OFFSET_OUT_OF_RANGE },
    { what: 'with the greatest offset', wanted: ['orders', 0, 2n ** 63n - 1n], error: ErrorCode.OFFSET_OUT_OF_RANGE },
    { what: 'with a negative offset', wanted: ['orders', 0, -2], error: ErrorCode.OFFSET_OUT_OF_RANGE },
  ] as const) {
    test(what, async () => {
      assert.deepEqual(await deleteRecords(await broker(), [wanted]), [[wanted[0], wanted[1], error, -1]])
    })
  }

  for (const [policy, error] of [
    ['compact', ErrorCode.POLICY_VIOLATION],
    ['compact,delete', ErrorCode.NONE],
    ['', ErrorCode.NONE],
  ] as const) {
    test(`or not, with cleanup.policy=${policy}`, async () => {
      const topics = new ServedTopics()
      await topics.become({ name: 'orders', configs: { 'cleanup.policy': policy } })
      const [[, , code] = []] = await deleteRecords(topics, [['orders', 0, 0]])
      assert.equal(code, error)
    })
  }

  test('that another broker leads', async () => {
    const topics = await broker()
    await topics.become({ name: 'orders', partitions: 2, leader: 2, replicas: [1, 2], leaderEpoch: 1 })
    assert.deepEqual(await deleteRecords(topics, [['orders', 0, 1]]), [
      ['orders', 0, ErrorCode.NOT_LEADER_OR_FOLLOWER, -1],
    ])
  })

  test('that is offline, or goes offline over it; the others are served', async () => {
    const topics = await broker()
    topics.log('orders', 0).advancing = Promise.reject(new Error('EIO'))
    assert.deepEqual(
      await deleteRecords(topics, [
        ['orders', 0, 1],
        ['orders', 1, 1],
      ]),
      [
        ['orders', 0, ErrorCode.KAFKA_STORAGE_ERROR, -1],
        ['orders', 1, ErrorCode.NONE, 1],
      ],
    )
    topics.log('orders', 0).fail(new Error('EIO'))
    assert.deepEqual(await deleteRecords(topics, [['orders', 0, 1]]), [
      ['orders', 0, ErrorCode.KAFKA_STORAGE_ERROR, -1],
    ])
  })
})

test('a disk that takes too long is not waited for longer than the client does', async () => {
  const topics = await broker()
  const moving = Promise.withResolvers<void>()
  topics.log('orders', 0).advancing = moving.promise
  const answer = deleteRecords(
    topics,
    [
      ['orders', 0, 1],
      ['orders', 1, 1],
    ],
    500,
  )
  await topics.clock.advance(500)
  assert.deepEqual(await answer, [
    ['orders', 0, ErrorCode.REQUEST_TIMED_OUT, -1],
    ['orders', 1, ErrorCode.NONE, 1],
  ])
  moving.resolve()
})

test('without time to wait the answer still says how it went', async () => {
  const topics = await broker()
  const moving = Promise.withResolvers<void>()
  topics.log('orders', 0).advancing = moving.promise
  const answer = deleteRecords(topics, [['orders', 0, 1]], 0)
  await topics.clock.advance(10)
  moving.resolve()
  assert.deepEqual(await answer, [['orders', 0, ErrorCode.NONE, 1]])
})
