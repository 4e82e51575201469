// Fetches of followers, and of consumers that read from followers (KIP-392).

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { idOf, type TopicSketch } from '../../replication/image.sim.ts'
import { rackAwareReplicaSelector } from '../nearer-replica.ts'
import { batchOf, ServedTopics } from '../served-topics.sim.ts'
import { handleFetch } from './fetch.ts'

type Requested = Partial<FetchRequest['topics'][number]['partitions'][number]>

interface Asked extends Partial<Omit<FetchRequest, 'topics'>> {
  readonly version?: number
  /** Broker id and epoch; left out: a consumer. */
  readonly follower?: readonly [id: number, epoch: number]
  readonly read?: Requested
  /** Of an incremental request: nothing is new. */
  readonly nothingNew?: boolean
}

function requestOf({ follower, read = {}, nothingNew = false, ...rest }: Asked): FetchRequest {
  const [replicaId, replicaEpoch] = follower ?? [-1, -1]
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: follower === undefined ? -1 : 0,
    partitionMaxBytes: 1_048_576,
    replicaDirectoryId: ZERO_UUID,
    highWatermark: 0x7fff_ffff_ffff_ffffn,
    ...read,
  }
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId, replicaEpoch },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 0x7fffffff,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: nothingNew ? [] : [{ topic: '', topicId: idOf('orders'), partitions: [partition] }],
    forgottenTopicsData: [],
    rackId: '',
    ...rest,
  }
}

/** Broker 1 is this one, 2 is its follower, of epoch 1 and in rack-b. */
async function broker(sketch: Partial<TopicSketch> = {}, settings: Record<string, string> = {}): Promise<ServedTopics> {
  const topics = new ServedTopics({ settings })
  await topics.become({ name: 'orders', replicas: [1, 2], ...sketch })
  return topics
}

function start(topics: ServedTopics, asked: Asked) {
  const fetching = {
    response: null as FetchResponse | null,
    done: Promise.resolve(handleFetch(topics.context(asked.version ?? 17), requestOf(asked))),
  }
  void fetching.done.then((response) => {
    fetching.response = response
  })
  return fetching
}

async function answered(topics: ServedTopics, asked: Asked) {
  const response = (await start(topics, asked).done)!
  return { ...response, partition: response.responses[0]?.partitions[0] }
}

function append(topics: ServedTopics, ...values: string[]): void {
  const appended = topics.partition('orders').append(batchOf(values), 'client')
  assert.ok(appended.ok)
  topics.log('orders').flush()
}

const asFollower = { follower: [2, 1] } as const
const bytesOf = (records: readonly Uint8Array[] | null) => records?.reduce((sum, { length }) => sum + length, 0) ?? 0

describe('a follower', () => {
  test('reads to the end of the log, beyond the high watermark', async () => {
    const topics = await broker()
    append(topics, 'a', 'b')
    const { partition } = await answered(topics, asFollower)
    assert.equal(partition!.highWatermark, 0)
    assert.ok(bytesOf(partition!.records) > 0)
    const consumer = await answered(topics, {})
    assert.equal(bytesOf(consumer.partition!.records), 0)
  })

  test('confirms with its next fetch what it asks from, before it is answered', async () => {
    const topics = await broker()
    append(topics, 'a', 'b')
    const { partition } = await answered(topics, { ...asFollower, read: { fetchOffset: 2 } })
    assert.equal(partition!.highWatermark, 2)
    assert.equal(topics.partition('orders').highWatermark, 2)
  })

  test('confirms under each leadership anew: what it said under the last one, it may have cut since', async () => {
    const topics = await broker({ replicas: [1, 2, 3] })
    append(topics, 'a', 'b')
    await answered(topics, { ...asFollower, read: { fetchOffset: 2 } })
    // This broker did not hear of who led in between, and whom the others followed.
    await topics.become({ name: 'orders', replicas: [1, 2, 3], leaderEpoch: 2 })
    assert.equal(topics.partition('orders').leaderEpoch, 2)
    await answered(topics, { follower: [3, 1], read: { fetchOffset: 2 } })
    assert.equal(topics.partition('orders').highWatermark, 0)
    await answered(topics, { ...asFollower, read: { fetchOffset: 1 } })
    assert.equal(topics.partition('orders').highWatermark, 1)
  })

  test('that waits is answered when something is written, whoever has confirmed it', async () => {
    const topics = await broker()
    const fetching = start(topics, { ...asFollower, maxWaitMs: 500 })
    await topics.clock.settle()
    assert.equal(fetching.response, null)
    append(topics, 'a')
    await topics.clock.settle()
    assert.ok(bytesOf(fetching.response!.responses[0]!.partitions[0]!.records) > 0)
  })

  test('that waits is not woken by a high watermark, unless consumers read from it', async () => {
    for (const [settings, wakes] of [
      [{}, false],
      [{ 'replica.selector.class': rackAwareReplicaSelector }, true],
    ] as const) {
      const topics = await broker({ replicas: [1, 2, 3] }, settings)
      append(topics, 'a')
      const { sessionId } = await answered(topics, { ...asFollower, sessionEpoch: 0, read: { fetchOffset: 1 } })
      const session = { sessionId, sessionEpoch: 1, nothingNew: true }
      const fetching = start(topics, { ...asFollower, ...session, maxWaitMs: 500 })
      await topics.clock.settle()
      await answered(topics, { follower: [3, 1], read: { fetchOffset: 1 } })
      await topics.clock.settle()
      assert.equal(topics.partition('orders').highWatermark, 1)
      assert.equal(fetching.response !== null, wakes)
      await topics.clock.advance(500)
      assert.equal(fetching.response!.responses[0]!.partitions[0]!.highWatermark, 1, 'in the end it is told')
    }
  })

  test('is told in its session of a log start that moved, at once', async () => {
    const topics = await broker()
    append(topics, 'a', 'b')
    const { sessionId } = await answered(topics, { ...asFollower, sessionEpoch: 0, read: { fetchOffset: 2 } })
    const session = { sessionId, sessionEpoch: 1, nothingNew: true }
    const fetching = start(topics, { ...asFollower, ...session, maxWaitMs: 500 })
    await topics.clock.settle()
    void topics.partition('orders').deleteRecords(2)
    await topics.clock.settle()
    assert.equal(fetching.response!.responses[0]!.partitions[0]!.logStartOffset, 2)
  })

  for (const { what, sketch, asked, code } of [
    { what: 'of another partition', sketch: {}, asked: { follower: [3, 1] }, code: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    {
      what: 'from before its newest registration',
      sketch: {},
      asked: { follower: [2, 0] },
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    {
      what: 'of a leader that is none',
      sketch: { leader: 2 },
      asked: asFollower,
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    {
      what: 'under an older epoch',
      sketch: { leaderEpoch: 3 },
      asked: { ...asFollower, read: { currentLeaderEpoch: 2 } },
      code: ErrorCode.FENCED_LEADER_EPOCH,
    },
    {
      what: 'under a newer epoch',
      sketch: { leaderEpoch: 3 },
      asked: { ...asFollower, read: { currentLeaderEpoch: 4 } },
      code: ErrorCode.UNKNOWN_LEADER_EPOCH,
    },
    {
      what: 'beyond the log',
      sketch: {},
      asked: { ...asFollower, read: { fetchOffset: 9 } },
      code: ErrorCode.OFFSET_OUT_OF_RANGE,
    },
  ] as const) {
    test(`${what} is refused with ${code}, and counts for nothing`, async () => {
      const topics = await broker(sketch)
      if (topics.partition('orders').isLeading) append(topics, 'a')
      const { partition } = await answered(topics, asked)
      assert.equal(partition!.errorCode, code)
      assert.equal(topics.partition('orders').highWatermark, 0)
    })
  }

  test('whose log parted from ours is told where, and what it asks from counts for nothing', async () => {
    const topics = await broker({ leaderEpoch: 3 })
    append(topics, 'a', 'b')
    await topics.become({ name: 'orders', replicas: [1, 2], leaderEpoch: 5 })
    append(topics, 'c')
    const { partition } = await answered(topics, { ...asFollower, read: { fetchOffset: 3, lastFetchedEpoch: 4 } })
    assert.deepEqual(partition!.divergingEpoch, { epoch: 3, endOffset: 2 })
    assert.equal(topics.partition('orders').highWatermark, 0)
  })

  test('whose offset lies below the start is out of range, whatever the epochs say', async () => {
    const topics = await broker({ leaderEpoch: 3 })
    append(topics, 'a', 'b')
    await topics.log('orders').advanceStartTo(2)
    const { partition } = await answered(topics, { ...asFollower, read: { fetchOffset: 1, lastFetchedEpoch: 2 } })
    assert.equal(partition!.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  })

  test('that waits when a leadership begins here is answered, and for a moment does not wait long', async () => {
    const topics = await broker()
    const waiting = start(topics, { ...asFollower, maxWaitMs: 500 })
    await topics.clock.settle()
    topics.waitingFetches.leadershipBegan()
    await topics.clock.settle()
    assert.notEqual(waiting.response, null)
    const next = start(topics, { ...asFollower, maxWaitMs: 500 })
    await topics.clock.advance(30)
    assert.notEqual(next.response, null)
    await topics.clock.advance(500)
    const later = start(topics, { ...asFollower, maxWaitMs: 500 })
    await topics.clock.advance(30)
    assert.equal(later.response, null)
  })
})

describe('a consumer', () => {
  const rackAware = { 'replica.selector.class': rackAwareReplicaSelector }
  const filled = async (settings: Record<string, string>, isr = [1, 2]) => {
    const topics = await broker({ isr }, settings)
    append(topics, 'a', 'b')
    await answered(topics, { ...asFollower, read: { fetchOffset: 2 } })
    return topics
  }

  test('is sent to the follower in its rack, without records', async () => {
    const topics = await filled(rackAware)
    const { partition } = await answered(topics, { rackId: 'rack-b', maxWaitMs: 500 })
    assert.deepEqual([partition!.preferredReadReplica, bytesOf(partition!.records)], [2, 0])
    assert.equal(partition!.highWatermark, 2)
  })

  for (const { what, settings, isr, rackId, fetchOffset } of [
    { what: 'nobody asked for that', settings: {}, rackId: 'rack-b' },
    { what: 'it does not say its rack', settings: rackAware, rackId: '' },
    { what: 'no replica is in its rack', settings: rackAware, rackId: 'rack-c' },
    { what: 'the follower is not in sync', settings: rackAware, isr: [1], rackId: 'rack-b' },
    { what: 'the follower does not have the offset yet', settings: rackAware, rackId: 'rack-b', fetchOffset: 3 },
  ]) {
    test(`reads from the leader when ${what}`, async () => {
      const topics = await filled(settings, isr)
      if (fetchOffset !== undefined) append(topics, 'c')
      const { partition } = await answered(topics, { rackId, read: { fetchOffset: fetchOffset ?? 0 } })
      assert.equal(partition!.preferredReadReplica, -1)
    })
  }

  test('reads from a follower up to its high watermark', async () => {
    const topics = await broker({ leader: 2, leaderEpoch: 1 })
    const { partition } = topics.replicas.find('orders', 0)! && { partition: topics.partition('orders') }
    assert.ok(
      partition.appendReplicated(
        Buffer.concat([batchOf(['a'], { leaderEpoch: 1 }), batchOf(['b'], { baseOffset: 1, leaderEpoch: 1 })]),
        1,
      ).ok,
    )
    topics.log('orders').flush()
    await partition.heardFromLeader({ highWatermark: 1, logStartOffset: 0 }, 1)
    const read = await answered(topics, { read: { currentLeaderEpoch: 1 } })
    assert.deepEqual([read.partition!.errorCode, read.partition!.highWatermark], [ErrorCode.NONE, 1])
    assert.equal(bytesOf(read.partition!.records), batchOf(['a']).length)
    const old = await answered(topics, { version: 10, read: {} }).catch((error: Error) => error)
    assert.ok(old !== null)
  })
})
