import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode, errorName } from '../../../protocol/error-code.ts'
import type { GroupRecord } from '../group-record.ts'
import { GroupTester } from '../group-tester.sim.ts'

const { NONE } = ErrorCode
const topicA = 'AAAAAAAAAAAAAAAAAAAAAQ'
const topicB = 'AAAAAAAAAAAAAAAAAAAAAg'
const hour = 3_600_000

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

// ---- retention

test('an offset nobody renews is forgotten after the retention, and then its group', () => {
  const group = new GroupTester({ offsetsRetentionMs: 24 * hour })
  group.commit(1)
  group.advance(24 * hour - 1)
  assert.equal(group.fetch().committedOffset, 1)
  group.advance(hour)
  assert.equal(group.fetch().committedOffset, -1)
  assert.deepEqual(group.list(), [])
  assert.deepEqual(group.records.slice(-2), [
    { kind: 'offsetDeleted', groupId: 'g', topic: 't', partition: 0 },
    { kind: 'groupDeleted', groupId: 'g' },
  ])
})

test('the retention of a group that had members runs from when it became empty', () => {
  const group = new GroupTester({ offsetsRetentionMs: 24 * hour, maxSessionTimeoutMs: 100 * hour })
  const { ids, generation } = group.stable(1, { sessionTimeoutMs: 90 * hour })
  group.commit(1, { memberId: ids[0]!, generation })
  group.advance(48 * hour)
  group.leave({ memberId: ids[0]! })
  group.advance(24 * hour - 1)
  assert.equal(group.fetch().committedOffset, 1)
  group.advance(hour)
  assert.equal(group.fetch().committedOffset, -1)
})

/** What a consumer says of itself: version 0, these topics, no user data. */
function subscription(...topics: string[]): string {
  const parts = [Buffer.from([0, 0, 0, 0, 0, topics.length])]
  for (const topic of topics) parts.push(Buffer.from([0, topic.length]), Buffer.from(topic))
  return Buffer.concat([...parts, Buffer.from([255, 255, 255, 255])]).toString('latin1')
}

test('a consumer group with members forgets only what it does not read any more', () => {
  const group = new GroupTester({ offsetsRetentionMs: 24 * hour })
  const metadata = subscription('read')
  const join = { sessionTimeoutMs: 90 * hour, protocols: [['range', '']] as const }
  const event = group.joinEvent({ ...join, version: 3 })
  group.step({
    ...event,
    request: { ...event.request, protocols: [{ name: 'range', metadata: Buffer.from(metadata, 'latin1') }] },
  })
  group.advance(6_000)
  group.sync('member-1', 1)
  group.commit(1, { topic: 'read', memberId: 'member-1', generation: 1 })
  group.commit(2, { topic: 'left', memberId: 'member-1', generation: 1 })
  group.advance(48 * hour)
  assert.equal(group.fetch({ topic: 'read' }).committedOffset, 1)
  assert.equal(group.fetch({ topic: 'left' }).committedOffset, -1)
})

test('a group whose members do not say what they read forgets nothing', () => {
  const group = new GroupTester({ offsetsRetentionMs: 24 * hour })
  const { ids, generation } = group.stable(1, { sessionTimeoutMs: 90 * hour })
  group.commit(1, { memberId: ids[0]!, generation })
  group.advance(48 * hour)
  assert.equal(group.fetch().committedOffset, 1)
})

test("a retention of the commit's own overrides the broker's", () => {
  const group = new GroupTester({ offsetsRetentionMs: 24 * hour })
  group.commit(1, { topic: 'short', retentionTimeMs: hour, version: 4 })
  group.commit(2, { topic: 'long', retentionTimeMs: 72 * hour, version: 4 })
  group.advance(48 * hour)
  assert.equal(group.fetch({ topic: 'short' }).committedOffset, -1)
  assert.equal(group.fetch({ topic: 'long' }).committedOffset, 2)
})

test('nothing is forgotten that an open transaction may change', () => {
  const group = pending(5, 77)
  group.advance(30 * 24 * hour)
  assert.equal(group.fetch().committedOffset, 1)
})

test('a group that somebody is about to join is not deleted', () => {
  const group = new GroupTester({ maxSessionTimeoutMs: 100 * hour })
  group.join({ sessionTimeoutMs: 90 * hour })
  group.advance(hour)
  assert.equal(group.list().length, 1)
  group.advance(100 * hour)
  assert.deepEqual(group.list(), [])
})
