import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { LeaderEpochCache } from '../storage/leader-epoch-cache.ts'
import { type FetchedPartition, type FollowersLog, stepFor, stepForBounds, whereLogsPart } from './follower-steps.ts'

/** `0@0 2@10`: epoch 0 from offset 0, epoch 2 from offset 10. */
function logOf(epochs: string, logEndOffset: number, logStartOffset = 0): FollowersLog {
  const entries = epochs === '' ? [] : epochs.split(' ').map((entry) => entry.split('@').map(Number))
  const cache = new LeaderEpochCache(
    entries.map(([epoch, startOffset]) => ({ epoch: epoch!, startOffset: startOffset! })),
  )
  return { logStartOffset, logEndOffset, endOffsetForEpoch: (epoch) => cache.endOffsetFor(epoch, logEndOffset) }
}

function answer(rest: Partial<FetchedPartition> = {}): FetchedPartition {
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    highWatermark: 7,
    lastStableOffset: 7,
    logStartOffset: 2,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: [],
    ...rest,
  }
}

describe('where two logs part', () => {
  const cases: { what: string; own: string; end: number; leader: [epoch: number, end: number]; at: number }[] = [
    { what: 'the own log has more of the last common epoch', own: '0@0 1@5', end: 12, leader: [1, 9], at: 9 },
    { what: 'the own log has less of it, and later epochs', own: '0@0 1@5 3@8', end: 12, leader: [1, 10], at: 8 },
    { what: 'the leader knows only an older epoch', own: '0@0 2@5', end: 12, leader: [0, 4], at: 4 },
    { what: 'the leader names an epoch that is not here: the newest older one counts', own: '0@0 1@4 3@8', end: 12, leader: [2, 6], at: 8 }, // prettier-ignore
    { what: 'the own log has nothing so old', own: '4@10', end: 20, leader: [2, 6], at: 6 },
    { what: 'the own log knows no epochs', own: '', end: 20, leader: [2, 6], at: 6 },
    { what: 'the leader knows no epochs', own: '4@0', end: 20, leader: [-1, 6], at: 6 },
    { what: 'the leader’s end is beyond the own', own: '0@0', end: 5, leader: [0, 9], at: 5 },
  ]
  for (const { what, own, end, leader, at } of cases) {
    test(`${what}: at ${at}`, () => {
      assert.equal(whereLogsPart({ epoch: leader[0], endOffset: leader[1] }, logOf(own, end)), at)
    })
  }

  test('is found after as many questions as there are epochs that part (KIP-279)', () => {
    const leader = new LeaderEpochCache([{ epoch: 0, startOffset: 0 }, { epoch: 2, startOffset: 10 }, { epoch: 4, startOffset: 20 }]) // prettier-ignore
    const own = new LeaderEpochCache([{ epoch: 0, startOffset: 0 }, { epoch: 1, startOffset: 12 }, { epoch: 3, startOffset: 15 }]) // prettier-ignore
    let end = 30
    const ends: number[] = []
    for (;;) {
      const asked = own.latestEpoch
      const known = leader.endOffsetFor(asked, 40)
      if (known.epoch === asked && known.endOffset >= end) break
      end = whereLogsPart(known, { logStartOffset: 0, logEndOffset: end, endOffsetForEpoch: (e) => own.endOffsetFor(e, end) }) // prettier-ignore
      own.truncateFromEnd(end)
      ends.push(end)
    }
    assert.deepEqual(ends, [15, 10])
  })
})

describe('an answer', () => {
  const log = logOf('0@0 1@5', 12, 3)

  test('with records is appended, with what the leader says of itself', () => {
    const records = [new Uint8Array(3)]
    assert.deepEqual(stepFor(answer({ records }), log), {
      kind: 'append',
      records,
      highWatermark: 7,
      logStartOffset: 2,
    })
  })

  test('with a batch that begins before an empty log and ends behind its start makes it begin with that batch', () => {
    const records = [
      buildBatch(
        ['a', 'b', 'c', 'd'].map((value) => ({ value })),
        { baseOffset: 10 },
      ),
    ]
    for (const [end, start, kind] of [
      [12, 12, 'beginWithin'],
      [10, 10, 'append'],
      [14, 14, 'append'],
      [12, 11, 'append'],
    ] as const) {
      const step = stepFor(answer({ records }), logOf('', end, start))
      assert.equal(step.kind, kind, `a log from ${start} to ${end}`)
      if (step.kind === 'beginWithin') assert.equal(step.at, 10)
    }
  })

  test('without records still says how far all have it', () => {
    assert.equal(stepFor(answer({ records: null }), log).kind, 'append')
  })

  test('with a diverging epoch cuts the log', () => {
    assert.deepEqual(stepFor(answer({ divergingEpoch: { epoch: 1, endOffset: 8 } }), log), { kind: 'truncate', to: 8 })
  })

  test('with a diverging epoch that parts nothing is not repeated without pause', () => {
    const step = stepFor(answer({ divergingEpoch: { epoch: 1, endOffset: 12 } }), log)
    assert.deepEqual([step.kind, step.kind === 'retryLater' && step.isExpected], ['retryLater', false])
  })

  test('that the offset is out of range asks for the bounds', () => {
    assert.equal(stepFor(answer({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }), log).kind, 'findBounds')
  })

  for (const [errorCode, isExpected] of [
    [ErrorCode.NOT_LEADER_OR_FOLLOWER, true],
    [ErrorCode.FENCED_LEADER_EPOCH, true],
    [ErrorCode.UNKNOWN_LEADER_EPOCH, true],
    [ErrorCode.UNKNOWN_TOPIC_ID, true],
    [ErrorCode.KAFKA_STORAGE_ERROR, false],
    [ErrorCode.CORRUPT_MESSAGE, false],
  ] as const) {
    test(`with error ${errorCode} is asked for again later${isExpected ? '' : ', and people hear of it'}`, () => {
      const step = stepFor(answer({ errorCode }), log)
      assert.deepEqual([step.kind, step.kind === 'retryLater' && step.isExpected], ['retryLater', isExpected])
    })
  }
})

describe('the bounds of the leader’s log', () => {
  const log = logOf('', 50, 20)
  const cases = [
    { what: 'it ends before the own log', bounds: { start: 0, end: 40 }, step: { kind: 'truncate', to: 40 } },
    { what: 'it ends before the own start', bounds: { start: 0, end: 10 }, step: { kind: 'truncate', to: 10 } },
    { what: 'it begins behind the own end', bounds: { start: 60, end: 90 }, step: { kind: 'restart', at: 60 } },
    { what: 'it has the own end by now', bounds: { start: 30, end: 90 }, step: { kind: 'fetchOn' } },
  ]
  for (const { what, bounds, step } of cases) {
    test(what, () => assert.deepEqual(stepForBounds(bounds, log), step))
  }
})
