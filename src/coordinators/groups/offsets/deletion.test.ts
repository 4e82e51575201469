import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { ErrorCode, errorName } from '../../../protocol/error-code.ts'
import type { GroupRecord } from '../group-record.ts'
import { ConsumerGroupTester, type HeartbeatOptions } from '../consumer/consumer-group-tester.sim.ts'
import { GroupTester, type JoinOptions } from '../group-tester.sim.ts'
import type { Happening } from '../history/group-note.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { forgetTopics } from './deletion.ts'

const { NONE, GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC, NON_EMPTY_GROUP } = ErrorCode
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const otherId = 'AAAAAAAAAAAAAAAAAAAAAg'
const noId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Consumers that say they read `orders`. */
const readsOrders: JoinOptions = {
  protocols: [
    [
      'range',
      consumerProtocolSubscription.encode(
        { topics: ['orders'], userData: null, ownedPartitions: [], generationId: -1, rackId: null },
        1,
      ),
    ],
  ],
}

function tombstone(topic: string, partition = 0, groupId = 'g'): GroupRecord {
  return { kind: 'offsetDeleted', groupId, topic, partition }
}

function added(group: GroupTester, step: () => void): GroupRecord[] {
  const before = group.records.length
  step()
  return group.records.slice(before)
}

function noted(group: GroupTester, step: () => void): Happening[] {
  const before = group.notes.length
  step()
  return group.notes.slice(before).filter(({ kind }) => kind.startsWith('offsets') || kind === 'groupDeleted')
}

/** A group that has committed offsets of `orders` and `returns`, in a state of its own. */
const states: Record<string, () => GroupTester> = {
  'a group that never had members': () => new GroupTester(),
  'consumers that say what they read': () => {
    const group = new GroupTester()
    group.stable(1, readsOrders)
    return group
  },
  'consumers that do not say what they read': () => {
    const group = new GroupTester()
    group.stable(1)
    return group
  },
  'consumers that rebalance': () => {
    const group = new GroupTester()
    group.stable(2, readsOrders)
    group.join(readsOrders)
    return group
  },
  'members that are no consumers': () => {
    const group = new GroupTester()
    group.stable(1, { protocolType: 'connect' })
    return group
  },
  'a group that members have left': () => {
    const group = new GroupTester()
    const { ids } = group.stable(1, readsOrders)
    group.leave({ memberId: ids[0]! })
    return group
  },
  'a group of others that members have left': () => {
    const group = new GroupTester()
    const { ids } = group.stable(1, { protocolType: 'connect' })
    group.leave({ memberId: ids[0]! })
    return group
  },
  'a group that somebody is about to join': () => {
    const group = new GroupTester()
    group.join()
    return group
  },
}

function withOffsets(name: string): GroupTester {
  const group = states[name]!()
  for (const topic of ['orders', 'returns']) {
    const value = { offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId }
    const record: GroupRecord = { kind: 'offset', groupId: 'g', topic, partition: 0, value }
    group.records.push(record)
    group.shard.apply(record, -1)
  }
  return group
}

describe('OffsetDelete', () => {
  for (const { of, orders, returns } of [
    { of: 'a group that never had members', orders: NONE, returns: NONE },
    { of: 'a group that members have left', orders: NONE, returns: NONE },
    { of: 'a group of others that members have left', orders: NONE, returns: NONE },
    { of: 'a group that somebody is about to join', orders: NONE, returns: NONE },
    { of: 'consumers that say what they read', orders: GROUP_SUBSCRIBED_TO_TOPIC, returns: NONE },
    {
      of: 'consumers that do not say what they read',
      orders: GROUP_SUBSCRIBED_TO_TOPIC,
      returns: GROUP_SUBSCRIBED_TO_TOPIC,
    },
    { of: 'consumers that rebalance', orders: GROUP_SUBSCRIBED_TO_TOPIC, returns: NONE },
    { of: 'members that are no consumers', orders: NON_EMPTY_GROUP, returns: NON_EMPTY_GROUP },
  ]) {
    for (const [topic, answer] of [
      ['orders', orders],
      ['returns', returns],
    ] as const) {
      test(`of ${of}, for ${topic}: ${errorName(answer)}`, () => {
        const group = withOffsets(of)
        const records = added(group, () => assert.equal(group.deleteOffsets(topic), answer))
        assert.deepEqual(records, answer === NONE ? [tombstone(topic)] : [])
        assert.equal(group.fetch({ topic }).committedOffset, answer === NONE ? -1 : 1)
        group.restart()
        assert.equal(group.fetch({ topic }).committedOffset, answer === NONE ? -1 : 1)
      })
    }
  }

  test('of a group that is not there: GROUP_ID_NOT_FOUND', () => {
    assert.equal(new GroupTester().deleteOffsets('orders'), GROUP_ID_NOT_FOUND)
  })

  test('where nothing was committed there is nothing to write, and nothing to tell', () => {
    const group = withOffsets('a group that never had members')
    assert.deepEqual(
      added(group, () => assert.equal(group.deleteOffsets('orders', { partition: 1 }), NONE)),
      [],
    )
    assert.deepEqual(
      noted(group, () => group.deleteOffsets('other')),
      [],
    )
  })

  test('an offset that an open transaction is about to set is deleted too', () => {
    const group = withOffsets('a group that never had members')
    const value = { offset: 9, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId }
    group.shard.apply({ kind: 'offset', groupId: 'g', topic: 'new', partition: 0, value }, 77)
    assert.deepEqual(
      added(group, () => assert.equal(group.deleteOffsets('new'), NONE)),
      [tombstone('new')],
    )
    group.shard.transactionEnded(77, true)
    assert.equal(group.fetch({ topic: 'new' }).committedOffset, -1)
  })

  test('is told', () => {
    const group = withOffsets('a group that never had members')
    assert.deepEqual(
      noted(group, () => group.deleteOffsets('orders')),
      [{ kind: 'offsetsDeleted', partitions: 1, reason: 'asked' }],
    )
  })
})

describe('DeleteGroups', () => {
  for (const { of, answer } of [
    { of: 'a group that never had members', answer: NONE },
    { of: 'a group that members have left', answer: NONE },
    { of: 'a group that somebody is about to join', answer: NONE },
    { of: 'consumers that say what they read', answer: NON_EMPTY_GROUP },
    { of: 'consumers that rebalance', answer: NON_EMPTY_GROUP },
    { of: 'members that are no consumers', answer: NON_EMPTY_GROUP },
  ]) {
    test(`of ${of}: ${errorName(answer)}`, () => {
      const group = withOffsets(of)
      const records = added(group, () => assert.deepEqual(group.deleteGroups('g'), [answer]))
      const all = [tombstone('orders'), tombstone('returns'), { kind: 'groupDeleted', groupId: 'g' }]
      assert.deepEqual(records, answer === NONE ? all : [])
      for (const restarted of [false, true]) {
        if (restarted) group.restart()
        assert.equal(group.list().length, answer === NONE ? 0 : 1)
        assert.equal(group.fetch({ topic: 'orders' }).committedOffset, answer === NONE ? -1 : 1)
      }
    })
  }

  test('of several: each has its answer, and what goes, goes in one append', () => {
    const group = withOffsets('a group that never had members')
    group.commit(3, { group: 'h' })
    const appends = group.effects.filter(({ kind }) => kind === 'append').length
    assert.deepEqual(group.deleteGroups('g', 'unknown', 'h'), [NONE, GROUP_ID_NOT_FOUND, NONE])
    assert.equal(group.effects.filter(({ kind }) => kind === 'append').length, appends + 1)
    assert.deepEqual(group.records.slice(-2), [tombstone('t', 0, 'h'), { kind: 'groupDeleted', groupId: 'h' }])
    assert.deepEqual(group.deleteGroups('g'), [GROUP_ID_NOT_FOUND])
  })

  test('a group with very many offsets goes like any other', () => {
    const group = new GroupTester()
    group.commit(1)
    const record = group.records.at(-1)!
    assert.ok(record.kind === 'offset')
    for (let partition = 1; partition < 200_000; partition++) group.shard.apply({ ...record, partition }, -1)
    assert.deepEqual(group.deleteGroups('g'), [NONE])
    assert.equal(group.fetchAll().topics.length, 0)
  })

  test('offsets that open transactions are about to set go too, each once', () => {
    const group = withOffsets('a group that never had members')
    const value = { offset: 9, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId }
    for (const [producerId, topic] of [
      [77, 'orders'],
      [77, 'new'],
      [78, 'new'],
    ] as const) {
      group.shard.apply({ kind: 'offset', groupId: 'g', topic, partition: 0, value }, producerId)
    }
    const records = added(group, () => assert.deepEqual(group.deleteGroups('g'), [NONE]))
    assert.deepEqual(records.slice(0, -1), [tombstone('orders'), tombstone('returns'), tombstone('new')])
    group.shard.transactionEnded(77, true)
    group.shard.transactionEnded(78, true)
    assert.deepEqual(group.fetchAll().topics, [])
  })

  test('is told: first the offsets, then the group', () => {
    const group = withOffsets('a group that never had members')
    assert.deepEqual(
      noted(group, () => group.deleteGroups('g')),
      [
        { kind: 'offsetsDeleted', partitions: 2, reason: 'asked' },
        { kind: 'groupDeleted', reason: 'asked' },
      ],
    )
  })

  test('whoever was about to join is unknown after, and may begin anew', () => {
    const group = withOffsets('a group that never had members')
    const { memberId } = group.answer(group.join())!
    assert.deepEqual(group.deleteGroups('g'), [NONE])
    assert.equal(group.answer(group.join({ memberId }))!.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    group.stable(1)
    assert.equal(group.describe().groupState, 'Stable')
  })
})

describe('of a group of the consumer protocol', () => {
  function modern(options: HeartbeatOptions): ConsumerGroupTester {
    const group = new ConsumerGroupTester()
    group.topic('orders', 1)
    group.topic('returns', 1)
    for (const topic of ['orders', 'returns']) group.commit(1, { topic })
    assert.equal(group.beat({ member: 'm', ...options }).errorCode, NONE)
    group.advance(1_000) // a regular expression is matched on the side
    return group
  }

  for (const { what, options } of [
    { what: 'by name', options: { topics: ['orders'] } },
    { what: 'by regular expression', options: { topics: [], regex: 'ord.*' } },
  ]) {
    test(`offsets are deleted of what nobody reads: its member subscribes ${what}`, () => {
      const group = modern(options)
      assert.deepEqual(
        [group.deleteOffsets('orders'), group.deleteOffsets('returns')],
        [GROUP_SUBSCRIBED_TO_TOPIC, NONE],
      )
      const left = ['orders', 'returns'].map((topic) => group.fetch({ topic }).committedOffset)
      assert.deepEqual(left, [1, -1])
    })
  }

  test('the group stays while it has members, and goes with its offsets after', () => {
    const group = modern({ topics: ['orders'] })
    assert.deepEqual(group.deleteGroups('g'), [NON_EMPTY_GROUP])
    group.beat({ member: 'm', epoch: -1 })
    assert.equal(group.deleteOffsets('orders'), NONE)
    assert.deepEqual(group.deleteGroups('g'), [NONE])
    group.restart()
    assert.deepEqual([group.list(), group.fetchAll().topics], [[], []])
  })
})

describe('a topic that was deleted', () => {
  for (const { committedTo, deleted, forgotten } of [
    { committedTo: topicId, deleted: topicId, forgotten: true },
    { committedTo: topicId, deleted: otherId, forgotten: false },
    // Committed by an older version.
    { committedTo: noId, deleted: otherId, forgotten: true },
  ]) {
    test(`of id ${deleted} takes ${forgotten ? '' : 'no '}offsets along that belong to ${committedTo}`, () => {
      const group = new GroupTester()
      group.commit(5, { topicId: committedTo })
      const notes = noted(group, () => group.step({ kind: 'topicsDeleted', topics: [{ name: 't', id: deleted }] }))
      assert.equal(group.fetch().committedOffset, forgotten ? -1 : 5)
      const note: Happening = { kind: 'offsetsDeleted', partitions: 1, reason: 'topicDeleted' }
      assert.deepEqual(notes, forgotten ? [note] : [])
    })
  }

  test('is told to each group once', () => {
    const offsets = new CommittedOffsets()
    const value = { offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId }
    for (const [groupId, partition] of [
      ['g', 0],
      ['h', 0],
      ['g', 1],
    ] as const) {
      offsets.set({ groupId, topic: 't', partition }, value)
    }
    const notes = forgetTopics([{ name: 't', id: topicId }], offsets).slice(1)
    assert.deepEqual(
      notes.map((effect) => effect.kind === 'note' && [effect.note.groupId, effect.note.what]),
      [
        ['g', { kind: 'offsetsDeleted', partitions: 2, reason: 'topicDeleted' }],
        ['h', { kind: 'offsetsDeleted', partitions: 1, reason: 'topicDeleted' }],
      ],
    )
  })
})
