import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ListOffsetsRequest } from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { TopicSketch } from '../../replication/image.sim.ts'
import { batchOf, ServedTopics } from '../served-topics.sim.ts'
import { handleListOffsets } from './list-offsets.ts'

interface Asked {
  readonly version?: number
  readonly timestamp: bigint
  readonly topic?: string
  readonly index?: number
  readonly currentLeaderEpoch?: number
  readonly isolationLevel?: number
  readonly replicaId?: number
  readonly twice?: boolean
}

async function listed(topics: ServedTopics, asked: Asked) {
  const partition = {
    partitionIndex: asked.index ?? 0,
    currentLeaderEpoch: asked.currentLeaderEpoch ?? -1,
    timestamp: asked.timestamp,
  }
  const request: ListOffsetsRequest = {
    replicaId: asked.replicaId ?? -1,
    isolationLevel: asked.isolationLevel ?? 0,
    topics: [{ name: asked.topic ?? 'orders', partitions: asked.twice ? [partition, partition] : [partition] }],
    timeoutMs: 1000,
  }
  const response = await handleListOffsets(topics.context(asked.version ?? 11), request)
  return response!.topics[0]!.partitions
}

/** Three batches: offsets 0-1 at time 1000, 2 at 3000, 3 at 2000; the last is not stable yet; the log starts at 1. */
async function broker(sketch: Partial<TopicSketch> = {}): Promise<ServedTopics> {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', leaderEpoch: 4, ...sketch })
  if (topics.partition('orders')?.isLeading) {
    await topics.fill('orders', 0, ['a', 'b'], { timestamp: 1000 })
    await topics.fill('orders', 0, ['c'], { timestamp: 3000 })
    await topics.fill('orders', 0, ['d'], { timestamp: 2000 })
    await topics.log('orders').advanceStartTo(1)
    topics.log('orders').firstUnstableOffset = 3
  }
  return topics
}

describe('an offset', () => {
  const cases: { readonly name: string; readonly asked: Asked; readonly answer: readonly [number, number, number] }[] =
    [
      { name: 'latest is the high watermark', asked: { timestamp: -1n }, answer: [-1, 4, 4] },
      {
        name: 'latest committed is the last stable offset',
        asked: { timestamp: -1n, isolationLevel: 1 },
        answer: [-1, 3, 4],
      },
      { name: 'latest for a replica is the log end', asked: { timestamp: -1n, replicaId: 2 }, answer: [-1, 4, 4] },
      {
        name: 'earliest of an empty log has the epoch of its leader',
        asked: { timestamp: -2n, index: 1 },
        answer: [-1, 0, 4],
      },
      { name: 'earliest is the log start', asked: { timestamp: -2n }, answer: [-1, 1, 4] },
      { name: 'earliest local is the log start too', asked: { timestamp: -4n }, answer: [-1, 1, 4] },
      { name: 'of the greatest timestamp', asked: { timestamp: -3n }, answer: [3000, 2, 4] },
      { name: 'latest tiered is nowhere', asked: { timestamp: -5n }, answer: [-1, -1, -1] },
      { name: 'earliest pending upload is nowhere', asked: { timestamp: -6n }, answer: [-1, -1, -1] },
      { name: 'by time is that of the first record at or after it', asked: { timestamp: 1001n }, answer: [3000, 2, 4] },
      { name: 'by a time after the last record is nowhere', asked: { timestamp: 3001n }, answer: [-1, -1, -1] },
      {
        name: 'by a time no number holds is nowhere',
        asked: { timestamp: 0x7fff_ffff_ffff_ffffn },
        answer: [-1, -1, -1],
      },
    ]
  for (const { name, asked, answer } of cases) {
    test(name, async () => {
      const [found] = await listed(await broker({ partitions: 2 }), asked)
      assert.equal(found!.errorCode, ErrorCode.NONE)
      assert.deepEqual([found!.timestamp, found!.offset, found!.leaderEpoch], answer)
    })
  }

  test('of the greatest timestamp in an empty log is nowhere', async () => {
    const topics = new ServedTopics()
    await topics.become({ name: 'orders' })
    const [found] = await listed(topics, { timestamp: -3n })
    assert.deepEqual([found!.errorCode, found!.timestamp, found!.offset], [ErrorCode.NONE, -1, -1])
  })

  test('is found for many partitions in one request, in order', async () => {
    const topics = new ServedTopics()
    await topics.become({ name: 'orders', partitions: 50 })
    for (let index = 0; index < 50; index++) {
      await topics.fill(
        'orders',
        index,
        Array.from({ length: index + 1 }, () => 'x'),
        { timestamp: 1000 + index },
      )
    }
    const request: ListOffsetsRequest = {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        {
          name: 'orders',
          partitions: Array.from({ length: 50 }, (_, partitionIndex) => ({
            partitionIndex,
            currentLeaderEpoch: -1,
            timestamp: partitionIndex % 2 === 0 ? -1n : -3n,
          })),
        },
      ],
      timeoutMs: 0,
    }
    const response = await handleListOffsets(topics.context(11), request)
    for (const { partitionIndex, timestamp, offset } of response!.topics[0]!.partitions) {
      const expected = partitionIndex % 2 === 0 ? [-1, partitionIndex + 1] : [1000 + partitionIndex, 0]
      assert.deepEqual([timestamp, offset], expected)
    }
  })
})

describe('a special timestamp', () => {
  const firstVersions = [
    [-3n, 7],
    [-4n, 8],
    [-5n, 9],
    [-6n, 11],
  ] as const
  for (const [timestamp, first] of firstVersions) {
    test(`${timestamp} is known from v${first}`, async () => {
      const topics = await broker()
      const codeIn = async (version: number) => (await listed(topics, { timestamp, version }))[0]!.errorCode
      assert.equal(await codeIn(first - 1), ErrorCode.UNSUPPORTED_VERSION)
      assert.equal(await codeIn(first), ErrorCode.NONE)
    })
  }

  test('that nobody knows is refused in every version', async () => {
    const [found] = await listed(await broker(), { timestamp: -7n })
    assert.equal(found!.errorCode, ErrorCode.UNSUPPORTED_VERSION)
  })
})

describe('a partition whose offsets cannot be told', () => {
  const cases: {
    readonly name: string
    readonly asked?: Partial<Asked>
    readonly sketch?: Partial<TopicSketch>
    readonly code: ErrorCode
  }[] = [
    { name: 'of an unknown topic', asked: { topic: 'nothing' }, code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { name: 'with an unknown index', asked: { index: 5 }, code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { name: 'led elsewhere', sketch: { replicas: [1, 2], leader: 2 }, code: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { name: 'under an older epoch', asked: { currentLeaderEpoch: 3 }, code: ErrorCode.FENCED_LEADER_EPOCH },
    { name: 'under a newer epoch', asked: { currentLeaderEpoch: 5 }, code: ErrorCode.UNKNOWN_LEADER_EPOCH },
    { name: 'listed twice', asked: { twice: true }, code: ErrorCode.INVALID_REQUEST },
  ]
  for (const { name, asked, sketch, code } of cases) {
    test(`${name} gets code ${code}`, async () => {
      const answers = await listed(await broker(sketch), { timestamp: -1n, ...asked })
      assert.equal(answers.length, 1)
      for (const found of answers) {
        assert.deepEqual([found.errorCode, found.timestamp, found.offset, found.leaderEpoch], [code, -1, -1, -1])
      }
    })
  }

  test('is answered with others of its topic, however often the topic is listed', async () => {
    const topics = await broker({ partitions: 2 })
    const one = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }
    const partitions = [{ ...one, partitionIndex: 1 }]
    const request = { replicaId: -1, isolationLevel: 0, timeoutMs: 1000 }
    const orders = [
      { name: 'orders', partitions: [one] },
      { name: 'orders', partitions },
      { name: 'empty', partitions: [] },
    ]
    const response = await handleListOffsets(topics.context(11), { ...request, topics: orders })
    assert.deepEqual(
      response?.topics.map(({ name, partitions }) => [name, partitions.map(({ offset }) => offset)]),
      [['orders', [4, 0]]],
    )
  })

  test('because its disk fails during the search gets a storage error', async () => {
    const topics = await broker()
    topics.log('orders').findByTimestamp = () => Promise.reject(new Error('EIO'))
    const [found] = await listed(topics, { timestamp: 1n })
    assert.equal(found!.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  })
})

describe('soon after an election, before the high watermark has reached it', () => {
  const elected = async () => {
    const topics = new ServedTopics({ immediate: false })
    const sketch = { name: 'orders', replicas: [1, 2], leaderEpoch: 1 }
    await topics.become(sketch)
    topics.partition('orders').append(batchOf(['a']), 'client')
    await topics.become({ ...sketch, leaderEpoch: 2 })
    return topics
  }

  test('latest is not known to consumers', async () => {
    const topics = await elected()
    const codeIn = async (version: number) => (await listed(topics, { timestamp: -1n, version }))[0]!.errorCode
    assert.equal(await codeIn(5), ErrorCode.OFFSET_NOT_AVAILABLE)
    assert.equal(await codeIn(4), ErrorCode.LEADER_NOT_AVAILABLE)
  })

  test('earliest is', async () => {
    const [found] = await listed(await elected(), { timestamp: -2n })
    assert.deepEqual([found!.errorCode, found!.offset], [ErrorCode.NONE, 0])
  })

  test('a time whose record may lie beyond is not', async () => {
    const [found] = await listed(await elected(), { timestamp: 1n })
    assert.equal(found!.errorCode, ErrorCode.OFFSET_NOT_AVAILABLE)
  })
})
