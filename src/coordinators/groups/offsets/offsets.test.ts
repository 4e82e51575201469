import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode, errorName } from '../../../protocol/error-code.ts'
import type { GroupRecord } from '../group-record.ts'
import type { Group } from '../group.ts'
import { GroupTester } from '../group-tester.sim.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { fetchOffsets } from './offsets.ts'

const { NONE } = ErrorCode
const topicA = 'AAAAAAAAAAAAAAAAAAAAAQ'
const topicB = 'AAAAAAAAAAAAAAAAAAAAAg'

function offsetRecord(group: GroupTester) {
  const record = group.records.at(-1)!
  assert.ok(record.kind === 'offset')
  return record
}

test('an offset that was committed is fetched, with its metadata', () => {
  const group = new GroupTester()
  assert.equal(group.commit(42, { metadata: 'note' }), NONE)
  assert.deepEqual(group.fetch(), {
    partitionIndex: 0,
    committedOffset: 42,
    committedLeaderEpoch: -1,
    metadata: 'note',
    errorCode: NONE,
  })
  group.commit(43)
  assert.equal(group.fetch().committedOffset, 43)
  assert.equal(group.fetch().metadata, '')
})

test('what was never committed is -1 without an error', () => {
  const group = new GroupTester()
  for (const place of [{ group: 'other' }, { topic: 'other' }, { partition: 1 }]) {
    group.commit(1)
    assert.deepEqual(
      [group.fetch(place).committedOffset, group.fetch(place).metadata, group.fetch(place).errorCode],
      [-1, '', NONE],
    )
  }
})

const generations = [
  { version: 8, answer: ErrorCode.ILLEGAL_GENERATION },
  { version: 9, answer: ErrorCode.GROUP_ID_NOT_FOUND },
]
for (const { version, answer } of generations) {
  test(`in version ${version} a commit with a generation to an unknown group is answered ${errorName(answer)}`, () => {
    const group = new GroupTester()
    assert.equal(group.commit(1, { memberId: 'm', generation: 3, version }), answer)
    assert.deepEqual(group.list(), [])
  })
}

test('a group that only commits offsets is empty and has no protocol type', () => {
  const group = new GroupTester()
  group.commit(1)
  assert.deepEqual(group.list(), [{ groupId: 'g', protocolType: '', groupState: 'Empty', groupType: 'classic' }])
})

test('metadata that is too long refuses its own partition', () => {
  const group = new GroupTester({ offsetMetadataMaxBytes: 3 })
  assert.equal(group.commit(1, { metadata: 'long' }), ErrorCode.OFFSET_METADATA_TOO_LARGE)
  assert.equal(group.fetch().committedOffset, -1)
  assert.equal(group.commit(1, { metadata: 'abc' }), NONE)
})

test("a retention of the commit's own becomes its expire time; without one there is none", () => {
  const group = new GroupTester()
  group.commit(1, { retentionTimeMs: 5_000, version: 4 })
  assert.equal(offsetRecord(group).value.expireTimestamp, group.now + 5_000)
  group.commit(1, { retentionTimeMs: Number.MAX_SAFE_INTEGER, version: 4 })
  assert.equal(offsetRecord(group).value.expireTimestamp, Number.MAX_SAFE_INTEGER)
  group.commit(1)
  assert.equal(offsetRecord(group).value.expireTimestamp, -1)
  group.commit(1, { retentionTimeMs: -2, version: 4 })
  assert.equal(offsetRecord(group).value.expireTimestamp, group.now - 2, 'only -1 is none')
})

test('offsets of a topic id do not count for a topic of the same name and another id', () => {
  const group = new GroupTester()
  group.commit(7, { topicId: topicA })
  assert.equal(group.fetch({ topicId: topicA }).committedOffset, 7)
  assert.equal(group.fetch({ topicId: topicB }).committedOffset, -1)
  assert.equal(group.fetch().committedOffset, 7, 'a client that asks by name cannot know')
})

test('offsets of a deleted topic are forgotten, in the log too', () => {
  const group = new GroupTester()
  group.commit(1, { topic: 't', partition: 0 })
  group.commit(2, { topic: 't', partition: 1, group: 'h' })
  group.commit(3, { topic: 'other' })
  group.step({
    kind: 'topicsDeleted',
    topics: [
      { name: 't', id: topicA },
      { name: 'unknown', id: topicB },
    ],
  })
  assert.deepEqual(group.records.slice(-2), [
    { kind: 'offsetDeleted', groupId: 'g', topic: 't', partition: 0 },
    { kind: 'offsetDeleted', groupId: 'h', topic: 't', partition: 1 },
  ])
  group.restart()
  assert.equal(group.fetch().committedOffset, -1)
  assert.equal(group.fetch({ topic: 'other' }).committedOffset, 3)
})

test('offsets survive a restart', () => {
  const group = new GroupTester()
  group.commit(1)
  group.commit(9, { metadata: 'm' })
  group.restart()
  assert.deepEqual([group.fetch().committedOffset, group.fetch().metadata], [9, 'm'])
})

// ---- transactions, as read from a log

function pending(offset: number, producerId: number): GroupTester {
  const group = new GroupTester()
  group.commit(1)
  const { value } = offsetRecord(group)
  const record: GroupRecord = { kind: 'offset', groupId: 'g', topic: 't', partition: 0, value: { ...value, offset } }
  group.shard.apply(record, producerId)
  return group
}

test('an offset of an open transaction is unstable for those who ask for stable ones', () => {
  const group = pending(5, 77)
  assert.equal(group.fetch().committedOffset, 1)
  assert.deepEqual(
    [group.fetch({ requireStable: true }).errorCode, group.fetch({ requireStable: true }).committedOffset],
    [ErrorCode.UNSTABLE_OFFSET_COMMIT, -1],
  )
  assert.equal(group.fetch({ requireStable: true, partition: 1 }).errorCode, NONE)
})

for (const { committed, offset } of [
  { committed: true, offset: 5 },
  { committed: false, offset: 1 },
]) {
  test(`an offset of a transaction that is ${committed ? 'committed counts' : 'aborted does not count'}`, () => {
    const group = pending(5, 77)
    group.shard.transactionEnded(78, true)
    group.shard.transactionEnded(77, committed)
    assert.equal(group.fetch({ requireStable: true }).committedOffset, offset)
  })
}

// ---- who asks

test('all that a group has committed is fetched at once, and nothing of a group that is not there', () => {
  const group = new GroupTester()
  group.commit(1, { topic: 'a' })
  group.commit(2, { topic: 'a', partition: 3 })
  group.commit(3, { topic: 'b' })
  const all = group.fetchAll()
  assert.deepEqual(
    all.topics.map(({ name, partitions }) => [
      name,
      partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
    ]),
    [
      [
        'a',
        [
          [0, 1],
          [3, 2],
        ],
      ],
      ['b', [[0, 3]]],
    ],
  )
  assert.deepEqual(group.fetchAll({ group: 'other', memberId: 'm', memberEpoch: 3 }), {
    groupId: 'other',
    topics: [],
    errorCode: NONE,
  })
})

/** In the order of the log: commits of transactions, or of none (-1), and what their markers say. */
const mixed: readonly {
  what: string
  log: readonly ({ by: number; offset: number; end?: never } | { end: number })[]
  left: number
}[] = [
  { what: 'a commit that came after it', log: [{ by: 77, offset: 5 }, { by: -1, offset: 9 }, { end: 77 }], left: 9 },
  { what: 'nothing that came before it', log: [{ by: -1, offset: 9 }, { by: 77, offset: 5 }, { end: 77 }], left: 5 },
  {
    what: 'a later commit of a transaction that ended first',
    log: [{ by: 77, offset: 5 }, { by: 78, offset: 9 }, { end: 78 }, { end: 77 }],
    left: 9,
  },
  {
    what: 'no earlier commit of a transaction that ended first',
    log: [{ by: 77, offset: 5 }, { by: 78, offset: 9 }, { end: 77 }, { end: 78 }],
    left: 9,
  },
  {
    what: 'a commit that came after it, but not after it has committed once more',
    log: [{ by: 77, offset: 5 }, { by: -1, offset: 9 }, { by: 77, offset: 11 }, { end: 77 }],
    left: 11,
  },
]

for (const { what, log, left } of mixed) {
  test(`a transaction that ends gives way to ${what}`, () => {
    const group = new GroupTester()
    group.commit(1)
    const record = offsetRecord(group)
    for (const each of log) {
      if (each.end !== undefined) group.shard.transactionEnded(each.end, true)
      else group.shard.apply({ ...record, value: { ...record.value, offset: each.offset } }, each.by)
    }
    assert.equal(group.fetch().committedOffset, left)
    assert.equal(group.fetch({ requireStable: true }).errorCode, NONE)
  })
}

test('an offset is unstable while a transaction is open, though it cannot change it any more', () => {
  const group = pending(5, 77)
  group.commit(9)
  assert.equal(group.fetch({ requireStable: true }).errorCode, ErrorCode.UNSTABLE_OFFSET_COMMIT)
})

test('what transactions are about to change is unstable among all, for those who ask for stable ones', () => {
  const group = pending(5, 77)
  const codes = (requireStable: boolean) =>
    group.fetchAll({ requireStable }).topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  assert.deepEqual(codes(true), [[ErrorCode.UNSTABLE_OFFSET_COMMIT]])
  assert.deepEqual(codes(false), [[NONE]])
})

test('a group may refuse to show its offsets to who asks', () => {
  const offsets = new CommittedOffsets()
  const asked: unknown[] = []
  const refuses = {
    checkFetch: (...who: unknown[]) => {
      asked.push(who)
      return ErrorCode.STALE_MEMBER_EPOCH
    },
  } as unknown as Group
  const event = { kind: 'fetchOffsets', groupId: 'g', replyTo: 1, memberId: 'm', memberEpoch: 7 } as const
  const topics = [{ name: 't', topicId: topicA, partitionIndexes: [0] }]
  for (const wanted of [topics, null]) {
    assert.deepEqual(fetchOffsets({ ...event, topics: wanted, requireStable: false }, refuses, offsets), {
      groupId: 'g',
      topics: [],
      errorCode: ErrorCode.STALE_MEMBER_EPOCH,
    })
  }
  assert.deepEqual(asked, [
    ['m', 7],
    ['m', 7],
  ])
})

test('offsets that somebody sets who is no member are told; those of members are not', () => {
  const group = new GroupTester({ offsetMetadataMaxBytes: 3 })
  group.commit(1)
  group.commit(1, { metadata: 'long' })
  assert.deepEqual(group.notes, [{ kind: 'offsetsSet', clientId: 'client', partitions: 1 }])
  const members = new GroupTester()
  const { ids, generation } = members.stable(1)
  members.commit(1, { memberId: ids[0]!, generation })
  assert.deepEqual(
    members.notes.filter(({ kind }) => kind === 'offsetsSet'),
    [],
  )
})
