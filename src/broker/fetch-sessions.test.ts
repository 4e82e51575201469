import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { SimulatedClock } from '../io/clock.sim.ts'
import { seededRandom } from '../io/random.sim.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import type { FetchRequest } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { PartitionAnswer } from './fetch-partition.ts'
import { FetchSessions } from './fetch-sessions.ts'

function requestOf(sessionId: number, sessionEpoch: number, read: readonly number[], forget: readonly number[] = []) {
  const request: Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'> = {
    sessionId,
    sessionEpoch,
    topics: [
      {
        topic: 'orders',
        topicId: ZERO_UUID,
        partitions: read.map((partition) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: 0,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: 1,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: -1n,
        })),
      },
    ],
    forgottenTopicsData: [{ topic: 'orders', topicId: ZERO_UUID, partitions: forget }],
  }
  return request as FetchRequest
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

function sessionsOf(slotsMax: number) {
  const clock = new SimulatedClock()
  const sessions = new FetchSessions({ clock, random: seededRandom(7), slotsMax })
  const open = (size: number, isFollower = false): number => {
    const context = sessions.begin(requestOf(0, 0, range(size)), 'name')
    assert.ok(context.kind === 'full')
    return sessions.open(context.partitions, isFollower)
  }
  const isThere = (id: number): boolean => {
    const context = sessions.begin(requestOf(id, 1000, []), 'name')
    return context.kind === 'refused' && context.errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH
  }
  return { clock, sessions, open, isThere }
}

describe('a full cache of fetch sessions', () => {
  test('has no room for a session as small as the others', async () => {
    const { clock, open } = sessionsOf(2)
    open(3)
    open(3)
    await clock.advance(119_000)
    assert.equal(open(3), 0)
  })

  test('gives the place of a session idle for over two minutes', async () => {
    const { clock, sessions, open, isThere } = sessionsOf(2)
    const used = open(9)
    const idle = open(9)
    await clock.advance(100_000)
    assert.equal(sessions.begin(requestOf(used, 1, []), 'name').kind, 'incremental')
    await clock.advance(20_001)
    const id = open(1)
    assert.ok(id > 0)
    assert.deepEqual([isThere(idle), isThere(used), isThere(id)], [false, true, true])
    assert.equal(sessions.evictions, 1)
  })

  test('gives a larger session the place of the smallest that is over two minutes old', async () => {
    const { clock, sessions, open, isThere } = sessionsOf(3)
    const ids = [open(4), open(2), open(3)]
    for (let epoch = 1; epoch <= 3; epoch++) {
      await clock.advance(50_000)
      for (const id of ids) sessions.begin(requestOf(id, epoch, []), 'name')
    }
    assert.equal(open(2), 0, 'as small as the smallest')
    assert.ok(open(3) > 0)
    assert.deepEqual(ids.map(isThere), [true, false, true])
  })

  test('keeps young sessions, however small', () => {
    const { open } = sessionsOf(1)
    open(1)
    assert.equal(open(100), 0)
  })

  test('gives a follower the place of a consumer, and never the other way round', async () => {
    const { clock, sessions, open, isThere } = sessionsOf(1)
    const consumer = open(100)
    const follower = open(1, true)
    assert.ok(follower > 0)
    assert.equal(isThere(consumer), false)
    for (let epoch = 1; epoch <= 3; epoch++) {
      await clock.advance(50_000)
      sessions.begin(requestOf(follower, epoch, []), 'name')
    }
    assert.equal(open(100), 0)
    assert.ok(open(2, true) > 0, 'a larger follower may')
  })
})

test('the epoch after the last one is 1', () => {
  const { sessions, open } = sessionsOf(1)
  const id = open(1)
  const first = sessions.begin(requestOf(id, 1, []), 'name')
  assert.ok(first.kind === 'incremental')
  first.session.epoch = 0x7fffffff
  sessions.begin(requestOf(id, 0x7fffffff, []), 'name')
  assert.equal(first.session.epoch, 1)
})

test('a session holds what a client that follows the rules believes it holds', () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), read: fc.uniqueArray(fc.nat(6)) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('next' as const),
        read: fc.uniqueArray(fc.nat(6)),
        forget: fc.uniqueArray(fc.nat(6)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('stale' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { sessions } = sessionsOf(10)
      let model = null as { id: number; epoch: number; order: number[] } | null
      for (const one of steps) {
        if (one.kind === 'open') {
          const context = sessions.begin(requestOf(model?.id ?? 0, 0, one.read), 'name')
          assert.ok(context.kind === 'full')
          const id = sessions.open(context.partitions, false)
          model = { id, epoch: 1, order: [...one.read] }
        } else if (one.kind === 'close') {
          assert.equal(sessions.begin(requestOf(model?.id ?? 0, -1, []), 'name').kind, 'sessionless')
          model = null
        } else if (one.kind === 'stale') {
          if (model === null) continue
          const context = sessions.begin(requestOf(model.id, model.epoch + 1, [1]), 'name')
          assert.deepEqual(context, { kind: 'refused', errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH })
        } else if (model !== null) {
          const { order } = model
          for (const index of one.read) if (!order.includes(index)) order.push(index)
          model.order = order.filter((index) => !one.forget.includes(index))
          const context = sessions.begin(requestOf(model.id, model.epoch, one.read, one.forget), 'name')
          if (model.order.length === 0) {
            assert.equal(context.kind, 'sessionless')
            model = null
            continue
          }
          assert.ok(context.kind === 'incremental')
          model.epoch += 1
          assert.deepEqual(
            [...context.partitions.values()].map(({ index }) => index),
            model.order,
          )
        }
        assert.equal(sessions.size, model === null ? 0 : 1)
        assert.equal(sessions.partitions, model?.order.length ?? 0)
      }
    }),
    { numRuns: 300 },
  )
})

test('a partition is told again exactly when its offsets differ from the last answer, or that was no success', () => {
  const answer = fc.record({
    divergingEpoch: fc.constantFrom({ epoch: -1, endOffset: -1 }, { epoch: 2, endOffset: 5 }),
    errorCode: fc.constantFrom(ErrorCode.NONE, ErrorCode.NONE, ErrorCode.NOT_LEADER_OR_FOLLOWER),
    highWatermark: fc.nat(3),
    logStartOffset: fc.nat(3),
  })
  fc.assert(
    fc.property(fc.array(answer), fc.nat(3), fc.nat(3), (answers, highWatermark, logStartOffset) => {
      const { sessions } = sessionsOf(1)
      const context = sessions.begin(requestOf(0, 0, [0]), 'name')
      assert.ok(context.kind === 'full')
      const [partition] = context.partitions.values()
      for (const one of answers) partition!.told(one as PartitionAnswer)
      const last = answers.at(-1)
      const wasTold =
        last !== undefined &&
        last.errorCode === ErrorCode.NONE &&
        last.divergingEpoch.endOffset < 0 &&
        last.highWatermark === highWatermark &&
        last.logStartOffset === logStartOffset
      assert.equal(partition!.wasTold(highWatermark, logStartOffset), wasTold)
    }),
    { numRuns: 300 },
  )
})
