import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { baseOffsetOf } from '../../records/batch.ts'
import { idOf, type TopicSketch } from '../../replication/image.sim.ts'
import { batchOf, ServedTopics } from '../served-topics.sim.ts'
import { handleFetch } from './fetch.ts'

type Options = ConstructorParameters<typeof ServedTopics>[0]
type Requested = Partial<FetchRequest['topics'][number]['partitions'][number]>

interface Asked extends Partial<Omit<FetchRequest, 'topics' | 'forgottenTopicsData'>> {
  readonly version?: number
  /** `topic/index` and what is asked of it. */
  readonly read?: Readonly<Record<string, Requested>>
  readonly forget?: readonly string[]
}

function placeOf(place: string, version: number) {
  const [name, index] = place.split('/') as [string, string]
  const named = version < 13 ? { topic: name, topicId: ZERO_UUID } : { topic: '', topicId: idOf(name) }
  return { named, index: Number(index) }
}

function requestOf({ version = 12, read = { 'orders/0': {} }, forget = [], ...rest }: Asked): FetchRequest {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 0x7fffffff,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: Object.entries(read).map(([place, requested]) => {
      const { named, index } = placeOf(place, version)
      return {
        ...named,
        partitions: [
          {
            partition: index,
            currentLeaderEpoch: -1,
            fetchOffset: 0,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 1_048_576,
            replicaDirectoryId: ZERO_UUID,
            highWatermark: 0x7fff_ffff_ffff_ffffn,
            ...requested,
          },
        ],
      }
    }),
    forgottenTopicsData: forget.map((place) => {
      const { named, index } = placeOf(place, version)
      return { ...named, partitions: [index] }
    }),
    rackId: '',
    ...rest,
  }
}

async function broker(sketch: Partial<TopicSketch> = {}, options: Options = {}): Promise<ServedTopics> {
  const topics = new ServedTopics(options)
  await topics.become({ name: 'orders', partitions: 3, ...sketch })
  return topics
}

function start(topics: ServedTopics, asked: Asked = {}) {
  const fetching = {
    response: null as FetchResponse | null,
    ended: false,
    done: Promise.resolve(handleFetch(topics.context(asked.version ?? 12), requestOf(asked))),
  }
  void fetching.done.then((response) => {
    fetching.response = response
    fetching.ended = true
  })
  return fetching
}

async function fetched(topics: ServedTopics, asked: Asked = {}): Promise<FetchResponse> {
  const response = await start(topics, asked).done
  assert.notEqual(response, null)
  return response!
}

const partitionsOf = ({ responses }: FetchResponse) =>
  responses.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, ...partition })))

/** `index: code, bytes` in order. */
const outline = (response: FetchResponse): string[] =>
  partitionsOf(response).map(
    ({ partitionIndex, errorCode, records }) => `${partitionIndex}: ${errorCode}, ${bytesOf(records)} bytes`,
  )

function bytesOf(records: readonly Uint8Array[] | null): number {
  return records?.reduce((sum, chunk) => sum + chunk.length, 0) ?? 0
}

describe('a fetch without a session', () => {
  test('gives the batch that holds its offset and what follows, with the offsets of the partition', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a', 'b'])
    const size = await topics.fill('orders', 0, ['c', 'd'])
    const last = await topics.fill('orders', 0, ['e'])
    const response = await fetched(topics, { read: { 'orders/0': { fetchOffset: 3 } } })
    const [partition] = partitionsOf(response)
    assert.equal(response.sessionId, 0)
    assert.deepEqual(
      partition!.records!.map((chunk) => baseOffsetOf(chunk)),
      [2, 4],
    )
    assert.deepEqual(outline(response), [`0: 0, ${size + last} bytes`])
    assert.deepEqual([partition!.highWatermark, partition!.lastStableOffset, partition!.logStartOffset], [5, 5, 0])
    assert.equal(partition!.abortedTransactions, null)
    assert.equal(partition!.preferredReadReplica, -1)
  })

  test('reads no further than the high watermark', async () => {
    const topics = await broker({}, { immediate: false })
    topics.partition('orders').append(batchOf(['a']), 'client')
    const response = await fetched(topics)
    assert.deepEqual(outline(response), ['0: 0, 0 bytes'])
    assert.equal(partitionsOf(response)[0]!.highWatermark, 0)
    assert.equal(topics.log('orders').reads, 0)
  })

  test('reads committed records no further than the last stable offset', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['a'])
    await topics.fill('orders', 0, ['b'])
    topics.log('orders').firstUnstableOffset = 1
    const response = await fetched(topics, { isolationLevel: 1 })
    assert.deepEqual(outline(response), [`0: 0, ${size} bytes`])
    const [partition] = partitionsOf(response)
    assert.deepEqual([partition!.highWatermark, partition!.lastStableOffset], [2, 1])
    assert.deepEqual(partition!.abortedTransactions, [])
  })

  test('tells readers of committed records which transactions among them were aborted', async () => {
    const topics = await broker()
    for (const value of ['a', 'b', 'c']) await topics.fill('orders', 0, [value])
    topics.log('orders').aborted = [
      { producerId: 7, firstOffset: 0 },
      { producerId: 8, firstOffset: 2 },
    ]
    const read = { 'orders/0': { partitionMaxBytes: 1 } }
    const [committed] = partitionsOf(await fetched(topics, { isolationLevel: 1, read }))
    assert.deepEqual(committed!.abortedTransactions, [{ producerId: 7, firstOffset: 0 }])
    const [all] = partitionsOf(await fetched(topics, { read }))
    assert.equal(all!.abortedTransactions, null)
  })

  test('names topics by id from v13', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 2, ['a'])
    const response = await fetched(topics, { version: 13, read: { 'orders/2': {} } })
    assert.equal(response.responses[0]!.topicId, idOf('orders'))
    assert.deepEqual(outline(response), [`2: 0, ${size} bytes`])
  })

  test('asks for no check of the epoch by any negative number', async () => {
    const topics = await broker({ leaderEpoch: 3 })
    for (const currentLeaderEpoch of [-1, -2]) {
      const response = await fetched(topics, { read: { 'orders/0': { currentLeaderEpoch } } })
      assert.equal(partitionsOf(response)[0]!.errorCode, ErrorCode.NONE)
    }
  })

  test('takes a partition that is listed twice once', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a', 'b'])
    const request = requestOf({})
    const twice = { ...request, topics: [...request.topics, ...request.topics] }
    const response = await handleFetch(topics.context(12), twice)
    assert.equal(partitionsOf(response!).length, 1)
  })
})

describe('a partition that cannot be read', () => {
  const cases: {
    readonly name: string
    readonly asked?: Asked
    readonly sketch?: Partial<TopicSketch>
    readonly code: ErrorCode
  }[] = [
    { name: 'of an unknown topic', asked: { read: { 'nothing/0': {} } }, code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { name: 'with an unknown index', asked: { read: { 'orders/9': {} } }, code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    { name: 'of an unknown id', asked: { version: 13, read: { 'nothing/0': {} } }, code: ErrorCode.UNKNOWN_TOPIC_ID },
    {
      name: 'of a known id with an unknown index',
      asked: { version: 13, read: { 'orders/9': {} } },
      code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    },
    {
      name: 'led elsewhere, for a client that knows only leaders',
      sketch: { replicas: [1, 2], leader: 2 },
      asked: { version: 10 },
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    {
      name: 'without a leader',
      sketch: { replicas: [1, 2], leader: -1 },
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    { name: 'held elsewhere', sketch: { replicas: [2], leader: 2 }, code: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    {
      name: 'under an older epoch',
      sketch: { leaderEpoch: 3 },
      asked: { read: { 'orders/0': { currentLeaderEpoch: 2 } } },
      code: ErrorCode.FENCED_LEADER_EPOCH,
    },
    {
      name: 'under a newer epoch',
      sketch: { leaderEpoch: 3 },
      asked: { read: { 'orders/0': { currentLeaderEpoch: 4 } } },
      code: ErrorCode.UNKNOWN_LEADER_EPOCH,
    },
    {
      name: 'beyond its end',
      asked: { read: { 'orders/0': { fetchOffset: 1 } } },
      code: ErrorCode.OFFSET_OUT_OF_RANGE,
    },
    {
      name: 'by a broker that is no replica',
      asked: { replicaId: 2, read: { 'orders/0': {} } },
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    {
      name: 'by such a broker from v15',
      asked: { version: 15, replicaState: { replicaId: 2, replicaEpoch: 1 } },
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
  ]
  for (const { name, asked, sketch, code } of cases) {
    test(`${name} is answered with code ${code} and no offsets`, async () => {
      const [partition] = partitionsOf(await fetched(await broker(sketch), asked))
      assert.equal(partition!.errorCode, code)
      assert.deepEqual([partition!.highWatermark, partition!.lastStableOffset, partition!.logStartOffset], [-1, -1, -1])
      assert.deepEqual(partition!.records, [])
    })
  }

  test('because its records were deleted is out of range', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a', 'b', 'c'])
    await topics.log('orders').advanceStartTo(2)
    assert.deepEqual(outline(await fetched(topics, { read: { 'orders/0': { fetchOffset: 1 } } })), ['0: 1, 0 bytes'])
  })

  test('outside the log of a leader whose lease has lapsed is for whoever leads now: that one may have it', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a', 'b', 'c'])
    await topics.log('orders').advanceStartTo(1)
    topics.leaseHolds = false
    const misplaced = [{ fetchOffset: 0 }, { fetchOffset: 4 }, { fetchOffset: 3, lastFetchedEpoch: 9 }]
    for (const asked of misplaced) {
      assert.deepEqual(outline(await fetched(topics, { read: { 'orders/0': asked } })), [
        `0: ${ErrorCode.NOT_LEADER_OR_FOLLOWER}, 0 bytes`,
      ])
    }
  })

  test('because its disk failed is a storage error', async () => {
    const topics = await broker()
    topics.log('orders').fail(new Error('EIO'))
    assert.deepEqual(outline(await fetched(topics)), [`0: ${ErrorCode.KAFKA_STORAGE_ERROR}, 0 bytes`])
  })

  test('because the read itself fails is a storage error', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a'])
    topics.log('orders').read = () => Promise.reject(new Error('EIO'))
    assert.deepEqual(outline(await fetched(topics)), [`0: ${ErrorCode.KAFKA_STORAGE_ERROR}, 0 bytes`])
  })

  for (const [version, leader] of [
    [15, { leaderId: -1, leaderEpoch: -1 }],
    [16, { leaderId: 2, leaderEpoch: 5 }],
  ] as const) {
    test(`in v${version} ${version < 16 ? 'does not name' : 'names'} the leader`, async () => {
      const topics = await broker({ replicas: [2], leader: 2, leaderEpoch: 5 })
      const response = await fetched(topics, { version })
      assert.deepEqual(partitionsOf(response)[0]!.currentLeader, leader)
      assert.deepEqual(
        response.nodeEndpoints,
        version < 16 ? [] : [{ nodeId: 2, host: 'broker-2', port: 9092, rack: 'rack-b' }],
      )
    })
  }
})

describe('a client whose log may have parted from ours', () => {
  const parted = async (requested: Requested) => {
    const topics = await broker({ leaderEpoch: 2 })
    await topics.fill('orders', 0, ['a', 'b', 'c'])
    await topics.become({ name: 'orders', partitions: 3, leaderEpoch: 5 })
    await topics.fill('orders', 0, ['d'])
    return partitionsOf(await fetched(topics, { read: { 'orders/0': requested } }))[0]!
  }

  test('reads on when its last epoch ended at or after its offset', async () => {
    const partition = await parted({ fetchOffset: 3, lastFetchedEpoch: 2 })
    assert.equal(partition.errorCode, ErrorCode.NONE)
    assert.ok(bytesOf(partition.records) > 0)
  })

  test('is told where its last epoch ended when that is before its offset', async () => {
    const partition = await parted({ fetchOffset: 4, lastFetchedEpoch: 2 })
    assert.deepEqual(partition.divergingEpoch, { epoch: 2, endOffset: 3 })
    assert.deepEqual(partition.records, [])
  })

  test('is told our epoch before its own when we never had that', async () => {
    const partition = await parted({ fetchOffset: 4, lastFetchedEpoch: 4 })
    assert.deepEqual(partition.divergingEpoch, { epoch: 2, endOffset: 3 })
  })

  test('with an epoch we know nothing of is out of range', async () => {
    assert.equal((await parted({ fetchOffset: 3, lastFetchedEpoch: 9 })).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  })
})

describe('the size of a response', () => {
  const three = async (options: Options = {}) => {
    const topics = await broker({}, options)
    const size = await topics.fill('orders', 0, ['x'.repeat(1000)])
    for (const index of [1, 2]) await topics.fill('orders', index, ['x'.repeat(1000)])
    return { topics, size, read: { 'orders/0': {}, 'orders/1': {}, 'orders/2': {} } }
  }

  test('is bounded by max bytes, in the order of the request', async () => {
    const { topics, size, read } = await three()
    const response = await fetched(topics, { read, maxBytes: 2 * size })
    assert.deepEqual(outline(response), [`0: 0, ${size} bytes`, `1: 0, ${size} bytes`, '2: 0, 0 bytes'])
  })

  test('without a session begins with the next partition each time, so that none waits for the others', async () => {
    const { topics, size, read } = await three()
    const given: number[] = []
    for (let i = 0; i < 4; i++) {
      const response = await fetched(topics, { read, maxBytes: size })
      given.push(...partitionsOf(response).flatMap((one) => (bytesOf(one.records) > 0 ? [one.partitionIndex] : [])))
    }
    assert.deepEqual(given, [0, 1, 2, 0])
  })

  test('without a session begins where its client does, if that is with another partition each time', async () => {
    const { topics, size } = await three()
    const given: number[] = []
    for (let i = 0; i < 4; i++) {
      const read = i % 2 === 0 ? { 'orders/0': {}, 'orders/1': {} } : { 'orders/1': {}, 'orders/0': {} }
      const response = await fetched(topics, { read, maxBytes: size })
      given.push(...partitionsOf(response).flatMap((one) => (bytesOf(one.records) > 0 ? [one.partitionIndex] : [])))
    }
    assert.deepEqual(given, [0, 1, 0, 1])
  })

  test('is bounded by fetch.max.bytes of the broker', async () => {
    const { topics, size, read } = await three({ settings: { 'fetch.max.bytes': '1100' } })
    assert.deepEqual(outline(await fetched(topics, { read })), [
      `0: 0, ${size} bytes`,
      '1: 0, 0 bytes',
      '2: 0, 0 bytes',
    ])
  })

  test('gives the first batch that there is, however large', async () => {
    const { topics, size, read } = await three()
    const empty = { ...read, 'orders/0': { fetchOffset: 1 } }
    const response = await fetched(topics, { read: empty, maxBytes: 1 })
    assert.deepEqual(outline(response), ['0: 0, 0 bytes', `1: 0, ${size} bytes`, '2: 0, 0 bytes'])
  })

  test('of one partition is bounded by its own maximum, but for the first batch', async () => {
    const { topics, size, read } = await three()
    await topics.fill('orders', 1, ['y'])
    const small = { ...read, 'orders/1': { partitionMaxBytes: size + 10 }, 'orders/2': { partitionMaxBytes: 10 } }
    assert.deepEqual(outline(await fetched(topics, { read: small })), [
      `0: 0, ${size} bytes`,
      `1: 0, ${size} bytes`,
      '2: 0, 0 bytes',
    ])
  })
})

describe('a fetch that waits', () => {
  const waits = { maxWaitMs: 500 }

  test('is answered as soon as there is a record', async () => {
    const topics = await broker()
    const fetching = start(topics, waits)
    await topics.clock.settle()
    assert.equal(fetching.ended, false)
    assert.equal(topics.waitingFetches.size, 1)
    const size = await topics.fill('orders', 0, ['a'])
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${size} bytes`])
    assert.equal(topics.waitingFetches.size, 0)
    assert.equal(topics.clock.pendingTimers, 0)
  })

  test('reads nothing while there is nothing', async () => {
    const topics = await broker()
    const fetching = start(topics, { ...waits, read: { 'orders/0': {}, 'orders/1': {} } })
    await topics.clock.advance(499)
    assert.equal(fetching.ended, false)
    await topics.clock.advance(1)
    assert.deepEqual(outline((await fetching.done)!), ['0: 0, 0 bytes', '1: 0, 0 bytes'])
    assert.equal(topics.log('orders').reads, 0)
  })

  test('waits until min bytes are there, and reads again only then', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['x'.repeat(100)])
    const fetching = start(topics, { ...waits, minBytes: 3 * size })
    await topics.clock.settle()
    const { reads } = topics.log('orders')
    assert.equal(reads, 1)
    await topics.fill('orders', 0, ['x'.repeat(100)])
    await topics.clock.settle()
    assert.equal(fetching.ended, false)
    assert.equal(topics.log('orders').reads, reads)
    await topics.fill('orders', 0, ['x'.repeat(100)])
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${3 * size} bytes`])
  })

  test('gives what there is when the time is up', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['a'])
    const fetching = start(topics, { ...waits, minBytes: 1_000_000 })
    await topics.clock.advance(500)
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${size} bytes`])
  })

  test('misses nothing that is committed while it reads', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['a'])
    const { promise, resolve } = Promise.withResolvers<void>()
    topics.log('orders').reading = promise
    const fetching = start(topics, { ...waits, minBytes: 2 * size })
    await topics.clock.settle()
    await topics.fill('orders', 0, ['b'])
    resolve()
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${2 * size} bytes`])
  })

  test('sleeps on when what came is more than its partition may give at once', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['x'.repeat(100)])
    const read = { 'orders/0': { partitionMaxBytes: size }, 'orders/1': { partitionMaxBytes: size } }
    const fetching = start(topics, { ...waits, read, minBytes: 2 * size })
    await topics.fill('orders', 0, ['x'.repeat(100)])
    await topics.clock.advance(499)
    assert.equal(fetching.ended, false)
    assert.equal(topics.log('orders').reads, 2)
    await topics.clock.advance(1)
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${size} bytes`, '1: 0, 0 bytes'])
  })

  test('waits where compaction left offsets without records, and misses nothing meanwhile', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a'])
    const log = topics.log('orders')
    log.batches = []
    const read = log.read.bind(log)
    let size = 0
    log.read = async (...range) => {
      log.read = read
      const found = await read(...range)
      size = await topics.fill('orders', 0, ['b'])
      return found
    }
    const fetching = start(topics, waits)
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${size} bytes`])
    assert.equal(topics.clock.monotonic(), 0)
  })

  test('is answered at once when a read fails', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a'])
    topics.log('orders').read = () => Promise.reject(new Error('EIO'))
    assert.deepEqual(outline(await fetched(topics, waits)), [`0: ${ErrorCode.KAFKA_STORAGE_ERROR}, 0 bytes`])
  })

  test('learns at once that one of its topics was deleted', async () => {
    const topics = new ServedTopics()
    await topics.become({ name: 'orders' }, { name: 'returns' })
    const fetching = start(topics, { ...waits, read: { 'orders/0': {}, 'returns/0': {} } })
    await topics.clock.settle()
    await topics.become({ name: 'orders' })
    assert.deepEqual(outline((await fetching.done)!), ['0: 0, 0 bytes', '0: 3, 0 bytes'])
  })

  test('does not wait for more bytes than one response may hold', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['a'])
    const response = await fetched(topics, { ...waits, minBytes: 1_000_000, maxBytes: size })
    assert.deepEqual(outline(response), [`0: 0, ${size} bytes`])
  })

  test('does not wait for more when all that its limits allow is there, in whole batches', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['a'])
    for (const index of [0, 0, 1, 1]) await topics.fill('orders', index, ['a'])
    const minBytes = 2 * size + 1
    const byAll = start(topics, { ...waits, minBytes, maxBytes: minBytes })
    const ofOne = { partitionMaxBytes: size + 1 }
    const byEach = start(topics, { ...waits, read: { 'orders/0': ofOne, 'orders/1': ofOne }, minBytes, version: 11 })
    await topics.clock.settle()
    assert.deepEqual(outline(byAll.response!), [`0: 0, ${2 * size} bytes`])
    assert.deepEqual(outline(byEach.response!).sort(), [`0: 0, ${size} bytes`, `1: 0, ${size} bytes`])
  })

  test('is answered at once when a partition has an error, but not for a topic that does not exist', async () => {
    const topics = await broker()
    const bad = await fetched(topics, { ...waits, read: { 'orders/0': {}, 'orders/1': { fetchOffset: 9 } } })
    assert.deepEqual(outline(bad), ['0: 0, 0 bytes', '1: 1, 0 bytes'])
    const fetching = start(topics, { ...waits, read: { 'orders/0': {}, 'nothing/0': {} } })
    await topics.clock.advance(499)
    assert.equal(fetching.ended, false)
    await topics.clock.advance(1)
    assert.deepEqual(outline((await fetching.done)!), ['0: 0, 0 bytes', '0: 3, 0 bytes'])
  })

  test('is answered at once when there is nothing to wait for', async () => {
    const topics = await broker()
    assert.deepEqual((await fetched(topics, { ...waits, read: {} })).responses, [])
    assert.deepEqual(outline(await fetched(topics, { ...waits, read: { 'nothing/0': {} } })), ['0: 3, 0 bytes'])
    assert.deepEqual(outline(await fetched(topics, { ...waits, minBytes: 0 })), ['0: 0, 0 bytes'])
  })

  test('learns at once that its topic was deleted', async () => {
    const topics = await broker()
    const fetching = start(topics, waits)
    await topics.clock.settle()
    await topics.become()
    assert.deepEqual(outline((await fetching.done)!), ['0: 3, 0 bytes'])
  })

  test('learns at once that another broker leads now', async () => {
    const topics = await broker({ replicas: [1, 2], isr: [1] })
    const fetching = start(topics, { ...waits, read: { 'orders/0': { currentLeaderEpoch: 0 } } })
    await topics.clock.settle()
    await topics.become({ name: 'orders', partitions: 3, replicas: [1, 2], leader: 2, leaderEpoch: 1 })
    assert.deepEqual(outline((await fetching.done)!), ['0: 74, 0 bytes'])
  })

  test('ends with its connection and leaves nothing behind', async () => {
    const topics = await broker()
    const fetching = start(topics, waits)
    await topics.clock.settle()
    topics.connection.abort()
    assert.equal(await fetching.done, null)
    assert.equal(topics.waitingFetches.size, 0)
    assert.equal(topics.clock.pendingTimers, 0)
  })

  test('is answered at once when too many wait already', async () => {
    const topics = await broker({}, { fetchesMax: 1 })
    const first = start(topics, waits)
    await topics.clock.settle()
    assert.deepEqual(outline(await fetched(topics, waits)), ['0: 0, 0 bytes'])
    await topics.clock.advance(500)
    await first.done
  })
})

describe('a fetch session', () => {
  const open = async (topics: ServedTopics, asked: Asked = {}): Promise<number> => {
    const { sessionId } = await fetched(topics, { sessionId: 0, sessionEpoch: 0, ...asked })
    assert.ok(sessionId > 0)
    return sessionId
  }
  const both = { 'orders/0': {}, 'orders/1': {} }

  test('lets a response leave out what has not changed', async () => {
    const topics = await broker()
    const sessionId = await open(topics, { read: both })
    const response = await fetched(topics, { sessionId, sessionEpoch: 1, read: {} })
    assert.equal(response.sessionId, sessionId)
    assert.deepEqual(response.responses, [])
  })

  test('gives records, then news of the high watermark only once', async () => {
    const topics = await broker()
    const sessionId = await open(topics, { read: both })
    const size = await topics.fill('orders', 1, ['a'])
    assert.deepEqual(outline(await fetched(topics, { sessionId, sessionEpoch: 1, read: {} })), [`1: 0, ${size} bytes`])
    const read = { 'orders/1': { fetchOffset: 1 } }
    assert.deepEqual(outline(await fetched(topics, { sessionId, sessionEpoch: 2, read })), [])
  })

  test('tells of a log start that moved', async () => {
    const topics = await broker()
    await topics.fill('orders', 0, ['a', 'b'])
    const sessionId = await open(topics, { read: { 'orders/0': { fetchOffset: 2 }, 'orders/1': {} } })
    await topics.log('orders').advanceStartTo(1)
    const response = await fetched(topics, { sessionId, sessionEpoch: 1, read: {} })
    assert.deepEqual(
      partitionsOf(response).map(({ logStartOffset }) => logStartOffset),
      [1],
    )
  })

  test('repeats an error as long as it lasts, and tells once that it is over', async () => {
    const topics = await broker()
    const sessionId = await open(topics, { read: { 'orders/0': { fetchOffset: 9 }, 'orders/1': {} } })
    const next = (sessionEpoch: number, read: Record<string, Requested> = {}) =>
      fetched(topics, { sessionId, sessionEpoch, read }).then(outline)
    assert.deepEqual(await next(1), ['0: 1, 0 bytes'])
    assert.deepEqual(await next(2), ['0: 1, 0 bytes'])
    assert.deepEqual(await next(3, { 'orders/0': { fetchOffset: 0 } }), ['0: 0, 0 bytes'])
    assert.deepEqual(await next(4), [])
  })

  test('adds and forgets partitions', async () => {
    const topics = await broker()
    const sessionId = await open(topics, { read: both })
    const added = await fetched(topics, { sessionId, sessionEpoch: 1, read: { 'orders/2': {} }, forget: ['orders/1'] })
    assert.deepEqual(outline(added), ['2: 0, 0 bytes'])
    await topics.fill('orders', 1, ['a'])
    assert.deepEqual(outline(await fetched(topics, { sessionId, sessionEpoch: 2, read: {} })), [])
  })

  test('gives every partition its turn', async () => {
    const topics = await broker()
    const size = await topics.fill('orders', 0, ['a'])
    for (const index of [0, 1, 2]) for (let n = 0; n < 3; n++) await topics.fill('orders', index, ['b'])
    const read = { 'orders/0': {}, 'orders/1': {}, 'orders/2': {} }
    const sessionId = await open(topics, { read, maxBytes: 1 })
    const turns: number[] = []
    for (let sessionEpoch = 1; sessionEpoch <= 6; sessionEpoch++) {
      const response = await fetched(topics, { sessionId, sessionEpoch, read: {}, maxBytes: 1 })
      for (const { partitionIndex, records } of partitionsOf(response)) {
        if (bytesOf(records) > 0) turns.push(partitionIndex)
      }
    }
    assert.ok(size > 1)
    assert.deepEqual(turns, [0, 1, 2, 0, 1, 2])
  })

  test('waits when nothing has changed', async () => {
    const topics = await broker()
    const sessionId = await open(topics, { read: both })
    const fetching = start(topics, { sessionId, sessionEpoch: 1, read: {}, maxWaitMs: 500 })
    await topics.clock.settle()
    assert.equal(fetching.ended, false)
    const size = await topics.fill('orders', 0, ['a'])
    assert.deepEqual(outline((await fetching.done)!), [`0: 0, ${size} bytes`])
  })

  const errors: { readonly name: string; readonly asked: (sessionId: number) => Asked; readonly code: ErrorCode }[] = [
    {
      name: 'that is unknown',
      asked: (sessionId) => ({ sessionId: sessionId + 1, sessionEpoch: 1 }),
      code: ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    },
    {
      name: 'of id 0 with an epoch',
      asked: () => ({ sessionId: 0, sessionEpoch: 1 }),
      code: ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    },
    {
      name: 'at another epoch',
      asked: (sessionId) => ({ sessionId, sessionEpoch: 2 }),
      code: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
    },
    {
      name: 'of names used with ids',
      asked: (sessionId) => ({ sessionId, sessionEpoch: 1, version: 13 }),
      code: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
    },
  ]
  for (const { name, asked, code } of errors) {
    test(`${name} is refused whole with code ${code}`, async () => {
      const topics = await broker()
      const sessionId = await open(topics)
      const response = await fetched(topics, asked(sessionId))
      assert.deepEqual([response.errorCode, response.sessionId, response.responses], [code, 0, []])
      const next = await fetched(topics, { sessionId, sessionEpoch: 1, read: {} })
      assert.equal(next.errorCode, ErrorCode.NONE, 'the session goes on')
    })
  }

  test('whose request comes twice answers the first with an error', async () => {
    const topics = await broker()
    const sessionId = await open(topics)
    const first = start(topics, { sessionId, sessionEpoch: 1, read: {}, maxWaitMs: 500 })
    await topics.clock.settle()
    const second = start(topics, { sessionId, sessionEpoch: 2, read: {}, maxWaitMs: 500 })
    await topics.clock.advance(500)
    const response = (await first.done)!
    assert.deepEqual([response.errorCode, response.sessionId], [ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId])
    assert.equal((await second.done)!.errorCode, ErrorCode.NONE)
  })

  test('that loses its last partition is closed, and that request answered without it', async () => {
    const topics = await broker()
    const sessionId = await open(topics)
    const response = await fetched(topics, { sessionId, sessionEpoch: 1, read: {}, forget: ['orders/0'] })
    assert.deepEqual([response.errorCode, response.sessionId, response.responses], [ErrorCode.NONE, 0, []])
    assert.equal(topics.fetchSessions.size, 0)
  })

  test('is replaced by one opened in its place, and closed by epoch -1', async () => {
    const topics = await broker()
    const sessionId = await open(topics)
    const next = await open(topics, { sessionId })
    assert.notEqual(next, sessionId)
    assert.equal(topics.fetchSessions.size, 1)
    const response = await fetched(topics, { sessionId: next, sessionEpoch: -1 })
    assert.deepEqual([response.errorCode, response.sessionId], [ErrorCode.NONE, 0])
    assert.equal(topics.fetchSessions.size, 0)
  })

  test('is not opened where there is no room', async () => {
    const topics = await broker({}, { settings: { 'max.incremental.fetch.session.cache.slots': '0' } })
    const response = await fetched(topics, { sessionId: 0, sessionEpoch: 0 })
    assert.deepEqual([response.errorCode, response.sessionId], [ErrorCode.NONE, 0])
    assert.deepEqual(outline(response), ['0: 0, 0 bytes'])
  })

  test('by topic id tells a topic that was made anew from one that is gone', async () => {
    const topics = await broker()
    const sessionId = await open(topics, { version: 13, read: { 'orders/0': {} } })
    await topics.become({ name: 'orders', id: idOf('another') })
    const anew = await fetched(topics, { version: 13, sessionId, sessionEpoch: 1, read: {} })
    assert.deepEqual(outline(anew), [`0: ${ErrorCode.INCONSISTENT_TOPIC_ID}, 0 bytes`])
    assert.equal(partitionsOf(anew)[0]!.abortedTransactions, null)
    await topics.become()
    const gone = await fetched(topics, { version: 13, sessionId, sessionEpoch: 2, read: {} })
    assert.deepEqual(outline(gone), [`0: ${ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}, 0 bytes`])
  })
})
