import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededRandom } from '../io/random.sim.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import type { FetchRequest, FetchResponse } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { nextOffsetOf } from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import { idOf } from '../replication/image.sim.ts'
import { handleFetch } from './handlers/fetch.ts'
import { batchOf, ServedTopics } from './served-topics.sim.ts'

interface Copied {
  end: number
  epoch: number
  highWatermark: number
  logStart: number
  /** As it was asked for last; '' when the leader knows of none. */
  asked: string
}

/** Broker 2, which follows partitions of broker 1 in one session. */
class FollowerModel {
  readonly partitions = new Map<number, Copied>()
  readonly #topics: ServedTopics
  #sessionId = 0
  #sessionEpoch = 0

  constructor(topics: ServedTopics, count: number) {
    this.#topics = topics
    for (let index = 0; index < count; index++) {
      this.partitions.set(index, { end: 0, epoch: 0, highWatermark: -1, logStart: -1, asked: '' })
    }
  }

  /** Resolves to the indexes that the answer named. */
  async round({ maxWaitMs = 0, maxBytes = 1 << 20 } = {}): Promise<number[]> {
    const asked: FetchRequest['topics'][number]['partitions'][number][] = []
    for (const [partition, copied] of this.partitions) {
      const now = `${copied.end} ${copied.epoch}`
      if (copied.asked === now) continue
      copied.asked = now
      asked.push({
        partition,
        currentLeaderEpoch: copied.epoch,
        fetchOffset: copied.end,
        lastFetchedEpoch: -1,
        logStartOffset: 0,
        partitionMaxBytes: 1 << 20,
        replicaDirectoryId: ZERO_UUID,
        highWatermark: 0x7fff_ffff_ffff_ffffn,
      })
    }
    const request: FetchRequest = {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: 2, replicaEpoch: 1 },
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: 0,
      sessionId: this.#sessionId,
      sessionEpoch: this.#sessionEpoch,
      topics: asked.length === 0 ? [] : [{ topic: '', topicId: idOf('orders'), partitions: asked }],
      forgottenTopicsData: [],
      rackId: '',
    }
    const response = (await handleFetch(this.#topics.context(17), request))!
    assert.equal(response.errorCode, ErrorCode.NONE)
    this.#sessionId = response.sessionId
    this.#sessionEpoch += 1
    return this.#take(response)
  }

  /** The next round ends the session. */
  leave(): void {
    this.#sessionEpoch = -1
  }

  #take({ responses }: FetchResponse): number[] {
    const named: number[] = []
    for (const { partitions } of responses) {
      for (const { partitionIndex, errorCode, records, highWatermark, logStartOffset } of partitions) {
        named.push(partitionIndex)
        const copied = this.partitions.get(partitionIndex)!
        if (errorCode === ErrorCode.FENCED_LEADER_EPOCH) {
          copied.epoch = this.#topics.partition('orders', partitionIndex).leaderEpoch
          continue
        }
        assert.equal(errorCode, ErrorCode.NONE)
        for (const chunk of records ?? []) for (const batch of batchesIn(chunk)) copied.end = nextOffsetOf(batch)
        copied.highWatermark = highWatermark
        copied.logStart = logStartOffset
      }
    }
    return named
  }
}

async function following(count: number): Promise<{ topics: ServedTopics; follower: FollowerModel }> {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', replicas: [1, 2], partitions: count })
  const follower = new FollowerModel(topics, count)
  await follower.round()
  await follower.round()
  return { topics, follower }
}

function append(topics: ServedTopics, index: number): void {
  assert.ok(topics.partition('orders', index).append(batchOf(['value']), 'client').ok)
  topics.log('orders', index).flush()
}

describe('a follower’s session', () => {
  test('looks at what may have changed, not at all its partitions', async () => {
    const { topics, follower } = await following(50)
    let looks = 0
    for (let index = 0; index < 50; index++) {
      const partition = topics.partition('orders', index)
      const fetched = partition.followerFetched.bind(partition)
      partition.followerFetched = (fetch) => {
        looks += 1
        return fetched(fetch)
      }
    }
    append(topics, 7)
    assert.deepEqual(await follower.round(), [7])
    assert.deepEqual(await follower.round(), [7], 'with its high watermark')
    assert.deepEqual(await follower.round(), [])
    assert.equal(looks, 3)
    await topics.clock.advance(500)
    await follower.round()
    assert.equal(looks, 53, 'now and then at all')
  })

  test('that waits is woken by any of its partitions', async () => {
    const { topics, follower } = await following(5)
    const round = follower.round({ maxWaitMs: 400 })
    await topics.clock.settle()
    append(topics, 3)
    assert.deepEqual(await round, [3])
  })

  test('gives all partitions their turn where one answer does not hold them', async () => {
    const { topics, follower } = await following(4)
    for (let i = 0; i < 3; i++) for (let index = 0; index < 4; index++) append(topics, index)
    const turns: number[] = []
    for (let i = 0; i < 12; i++) {
      const before = new Map([...follower.partitions].map(([index, { end }]) => [index, end]))
      await follower.round({ maxBytes: 1 })
      for (const [index, { end }] of follower.partitions) if (end > before.get(index)!) turns.push(index)
    }
    assert.deepEqual(turns, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])
  })

  test('watches its partitions once each, and none when it is over', async () => {
    const topics = new ServedTopics()
    await topics.become({ name: 'orders', replicas: [1, 2], partitions: 3 })
    let watchers = 0
    for (let index = 0; index < 3; index++) {
      const partition = topics.partition('orders', index)
      const [watch, unwatch] = [partition.watch.bind(partition), partition.unwatch.bind(partition)]
      partition.watch = (...rest) => {
        watchers += 1
        watch(...rest)
      }
      partition.unwatch = (watcher) => {
        watchers -= 1
        unwatch(watcher)
      }
    }
    const follower = new FollowerModel(topics, 3)
    for (let i = 0; i < 3; i++) {
      await follower.round()
      await topics.clock.advance(600)
    }
    assert.equal(watchers, 3)
    follower.leave()
    await follower.round()
    assert.equal(watchers, 0)
  })

  test('is told everything in the end, whatever happens in which order', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed)
      const { topics, follower } = await following(6)
      let leaderEpoch = 0
      let round: Promise<unknown> = Promise.resolve()
      for (let step = 0; step < 60; step++) {
        const index = random.below(6)
        const kind = random.below(10)
        if (kind < 5) append(topics, index)
        else if (kind < 6) {
          leaderEpoch += 1
          await topics.become({ name: 'orders', replicas: [1, 2], partitions: 6, leaderEpoch })
        } else if (kind < 7) {
          const partition = topics.partition('orders', index)
          if (partition.highWatermark > partition.logStartOffset) {
            void partition.deleteRecords(partition.highWatermark).catch(() => undefined)
          }
        } else if (kind < 8) await topics.clock.advance(random.pick([1, 100, 700]))
        else {
          await settle(topics, round)
          round = follower.round({ maxWaitMs: random.pick([0, 300]), maxBytes: random.pick([1, 1 << 20]) })
          await topics.clock.settle()
        }
      }
      await settle(topics, round)
      for (let i = 0; i < 40; i++) {
        await follower.round()
        await topics.clock.advance(50)
      }
      for (const [index, copied] of follower.partitions) {
        const { logEndOffset, highWatermark, logStartOffset } = topics.partition('orders', index)
        assert.deepEqual(
          [copied.end, copied.highWatermark, copied.logStart],
          [logEndOffset, logEndOffset, logStartOffset],
          `seed ${seed}, partition ${index}`,
        )
        assert.equal(highWatermark, logEndOffset)
      }
    }
  })
})

async function settle({ clock }: ServedTopics, round: Promise<unknown>): Promise<void> {
  let over = false
  void round.finally(() => {
    over = true
  })
  await clock.advanceUntil(() => over, 1000)
}
