import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { ZERO_UUID } from '../../../lib/uuid.ts'
import { consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import type { Group } from '../group.ts'
import type { CommittedOffset } from '../group-record.ts'
import { GroupTester } from '../group-tester.sim.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { expireOffsets } from './expiry.ts'

const hour = 3_600_000

function subscriptionTo(...topics: string[]): Uint8Array {
  const nothing = { userData: null, ownedPartitions: [], generationId: -1, rackId: null }
  return consumerProtocolSubscription.encode({ topics, ...nothing }, 1)
}

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

test('a consumer group with members forgets only what it does not read any more', () => {
  const group = new GroupTester({ offsetsRetentionMs: 24 * hour })
  const protocols = [['range', subscriptionTo('read')]] as const
  const { ids, generation } = group.stable(1, { sessionTimeoutMs: 90 * hour, protocols })
  group.commit(1, { topic: 'read', memberId: ids[0]!, generation })
  group.commit(2, { topic: 'left', memberId: ids[0]!, generation })
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
  const group = new GroupTester()
  group.commit(1)
  const record = group.records.at(-1)!
  group.shard.apply(record, 77)
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

test('what expires is told: first the offsets, then the group', () => {
  const group = new GroupTester({ offsetsRetentionMs: hour })
  group.commit(1)
  group.commit(1, { partition: 1 })
  group.notes.length = 0
  group.advance(2 * hour)
  assert.deepEqual(group.notes, [
    { kind: 'offsetsDeleted', partitions: 2, reason: 'expired' },
    { kind: 'groupDeleted', reason: 'expired' },
  ])
})

test('what is due is looked for every offsets.retention.check.interval.ms', () => {
  const group = new GroupTester({ offsetsRetentionMs: 1, offsetsRetentionCheckIntervalMs: 5_000 })
  group.commit(1)
  group.advance(4_999)
  assert.equal(group.fetch().committedOffset, 1)
  group.advance(1)
  assert.equal(group.fetch().committedOffset, -1)
})

describe('a group of any kind', () => {
  const offset: CommittedOffset = {
    offset: 1,
    leaderEpoch: -1,
    metadata: '',
    commitTimestamp: 0,
    expireTimestamp: -1,
    topicId: ZERO_UUID,
  }

  function expire(
    rules: { subscribed?: boolean; expired?: boolean; deserted?: boolean },
    { committed = true, pending = false } = {},
  ): string[] {
    const offsets = new CommittedOffsets()
    const place = { groupId: 'g', topic: 't', partition: 0 }
    if (committed) offsets.set(place, offset)
    if (pending) offsets.setPending(77, place, offset)
    const group = {
      groupId: 'g',
      deserted: rules.deserted ?? true,
      isSubscribedTo: () => rules.subscribed ?? false,
      isExpired: () => rules.expired ?? true,
      tombstones: () => [{ kind: 'groupDeleted', groupId: 'g' }],
    } as unknown as Group
    const [append] = expireOffsets([group], offsets, hour, 0)
    return append?.kind === 'append' ? append.records.map(({ kind }) => kind) : []
  }

  for (const { what, rules, stored, gone } of [
    { what: 'loses an offset that is due, and goes with it', rules: {}, gone: ['offsetDeleted', 'groupDeleted'] },
    { what: 'keeps an offset that is not due', rules: { expired: false }, gone: [] },
    { what: 'keeps an offset of a topic that a member reads', rules: { subscribed: true }, gone: [] },
    { what: 'stays while somebody is in it', rules: { deserted: false }, gone: ['offsetDeleted'] },
    {
      what: 'that has no offsets goes when it is deserted',
      rules: {},
      stored: { committed: false },
      gone: ['groupDeleted'],
    },
    {
      what: 'that has no offsets stays with its members',
      rules: { deserted: false },
      stored: { committed: false },
      gone: [],
    },
    { what: 'keeps an offset that a transaction may change', rules: {}, stored: { pending: true }, gone: [] },
    {
      what: 'stays while a transaction may give it an offset',
      rules: {},
      stored: { committed: false, pending: true },
      gone: [],
    },
  ]) {
    test(what, () => assert.deepEqual(expire(rules, stored), gone))
  }
})
