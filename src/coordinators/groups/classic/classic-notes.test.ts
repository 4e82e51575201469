// What classic groups tell of themselves.

import assert from 'node:assert/strict'
import test from 'node:test'

import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { GroupTester, type JoinOptions } from '../group-tester.sim.ts'
import type { Happening } from '../history/group-note.ts'

const reading = (...topics: string[]): NonNullable<JoinOptions['protocols']> => [
  ['range', consumerProtocolSubscription.encode({ topics, userData: null, ownedPartitions: [] }, 1)],
]
const given = (topic: string, ...partitions: number[]) =>
  consumerProtocolAssignment.encode({ assignedPartitions: [{ topic, partitions }], userData: null }, 0)

/** In short: the kind, who, and what else the group says. What was committed is the shard's to add. */
function said(what: Happening): readonly unknown[] {
  const { kind, ...rest } = what
  const words = Object.entries(rest)
    .filter(([name]) => name !== 'lastCommit')
    .map(([name, value]) => (name === 'member' ? (value?.memberId ?? null) : value))
  return [kind, ...words]
}

function listen(group: GroupTester) {
  let heard = group.effects.length
  return () => {
    const notes = group.effects
      .slice(heard)
      .flatMap((effect) => (effect.kind === 'note' ? [said(effect.note.what)] : []))
    heard = group.effects.length
    return notes
  }
}

/** `one` leads and has orders-0 and orders-1; `two` has orders-2. */
function consumers() {
  const group = new GroupTester()
  const notes = listen(group)
  const [one, two] = [group.enter({ protocols: reading('orders') }), group.enter({ protocols: reading('orders') })]
  group.advance(6_000)
  const [leader, follower] = [one.memberId, two.memberId]
  group.sync(follower, 1)
  group.sync(leader, 1, { [leader]: given('orders', 0, 1), [follower]: given('orders', 2) })
  return { group, notes, leader, follower }
}

test('a group tells who joined, what each was given, and how long that took', () => {
  const { notes, leader, follower } = consumers()
  assert.deepEqual(notes(), [
    ['memberJoined', leader],
    ['rebalanceStarted', null, leader],
    ['memberJoined', follower],
    ['assignmentChanged', leader, ['orders-0', 'orders-1'], []],
    ['assignmentChanged', follower, ['orders-2'], []],
    ['rebalanceEnded', 1, 2, 'range', 6_000],
  ])
})

test('whoever asks for a rebalance is named, with its reason; only what changed hands is told', () => {
  const { group, notes, leader, follower } = consumers()
  notes()
  group.join({ memberId: leader, protocols: reading('orders'), reason: 'more partitions' })
  group.advance(1_000)
  group.join({ memberId: follower, protocols: reading('orders') })
  group.sync(follower, 2)
  group.sync(leader, 2, { [leader]: given('orders', 0, 1), [follower]: given('orders', 2, 3) })
  assert.deepEqual(notes(), [
    ['rebalanceStarted', 'more partitions', leader],
    ['assignmentChanged', follower, ['orders-3'], []],
    ['rebalanceEnded', 2, 2, 'range', 1_000],
  ])
})

test('other topics are told, other metadata of the same topics is not', () => {
  const { group, notes, follower } = consumers()
  notes()
  const owning = consumerProtocolSubscription.encode(
    { topics: ['orders'], userData: null, ownedPartitions: [{ topic: 'orders', partitions: [2] }] },
    1,
  )
  group.join({ memberId: follower, protocols: [['range', owning]] })
  assert.deepEqual(notes(), [['rebalanceStarted', null, follower]])
  group.join({ memberId: follower, protocols: reading('returns', 'orders') })
  assert.deepEqual(notes(), [['subscriptionChanged', follower, ['orders', 'returns'], null]])
})

test('a member that leaves is told with its reason and what it had', () => {
  const { group, notes, follower } = consumers()
  notes()
  group.leave({ memberId: follower, reason: 'closing' })
  assert.deepEqual(notes(), [
    ['memberLeft', 'closing', follower, ['orders-2']],
    ['rebalanceStarted', null, null],
  ])
})

test('a silent member is told with the time since it was last heard', () => {
  const { group, notes, leader, follower } = consumers()
  group.advance(4_000)
  group.heartbeat(leader, 1)
  group.heartbeat(follower, 1)
  group.advance(5_000)
  group.commit(1, { memberId: leader, generation: 1 })
  notes()
  group.advance(5_000)
  assert.deepEqual(notes(), [
    ['memberSilent', 10_000, follower, ['orders-2']],
    ['rebalanceStarted', null, null],
  ])
})

test('a member whose connection closes is told', () => {
  const { group, notes, follower } = consumers()
  group.heartbeat(follower, 1, null, 7)
  notes()
  group.step({ kind: 'connectionClosed', connectionId: 7 })
  assert.deepEqual(notes(), [
    ['memberDisconnected', follower, ['orders-2']],
    ['rebalanceStarted', null, null],
  ])
})

test('members too slow to join, and to sync, are told with the time they had', () => {
  const { group, notes, leader, follower } = consumers()
  notes()
  group.join({ memberId: leader, protocols: reading('orders') })
  for (let second = 0; second < 60; second += 5) {
    group.heartbeat(follower, 1)
    group.advance(5_000)
  }
  assert.deepEqual(notes(), [
    ['rebalanceStarted', null, leader],
    ['memberOverdue', 'join', 60_000, follower, ['orders-2']],
  ])
  for (let second = 0; second < 60; second += 5) {
    group.heartbeat(leader, 2)
    group.advance(5_000)
  }
  assert.deepEqual(notes(), [
    ['memberOverdue', 'sync', 60_000, leader, ['orders-0', 'orders-1']],
    ['rebalanceStarted', null, null],
    ['rebalanceEnded', 3, 0, null, 120_000],
  ])
})

test('a rebalance that begins anew before it has ended took as long as both together', () => {
  const { group, notes, leader, follower } = consumers()
  group.join({ memberId: leader, protocols: reading('orders') })
  group.advance(1_000)
  group.join({ memberId: follower, protocols: reading('orders') })
  group.advance(1_000)
  notes()
  group.leave({ memberId: follower })
  const again = group.answer(group.join({ memberId: leader, protocols: reading('orders') }))!
  group.advance(1_000)
  group.sync(leader, again.generationId, { [leader]: given('orders', 0, 1, 2) })
  assert.deepEqual(notes(), [
    ['memberLeft', null, follower, ['orders-2']],
    ['rebalanceStarted', null, null],
    ['assignmentChanged', leader, ['orders-2'], []],
    ['rebalanceEnded', 3, 1, 'range', 3_000],
  ])
})

test('a static member that is back is told with its old id, and keeps what it had', () => {
  const group = new GroupTester()
  const notes = listen(group)
  group.join({ instanceId: 'i-1', newMemberId: 's-1', protocols: reading('orders') })
  group.advance(3_000)
  group.sync('s-1', 1, { 's-1': given('orders', 0) })
  notes()
  group.join({ instanceId: 'i-1', newMemberId: 's-1b', protocols: reading('orders') })
  assert.deepEqual(notes(), [['memberReplaced', 's-1b', 's-1']])
  group.leave({ instanceId: 'i-1' })
  assert.deepEqual(notes().slice(0, 1), [['memberLeft', null, 's-1b', ['orders-0']]])
})

test('what was given before a restart is known after it', () => {
  const { group, notes, follower } = consumers()
  group.restart()
  notes()
  group.leave({ memberId: follower })
  assert.deepEqual(notes().slice(0, 1), [['memberLeft', null, follower, ['orders-2']]])
})

test('what cannot be read is not told', () => {
  const group = new GroupTester()
  const notes = listen(group)
  const { ids } = group.stable(1)
  assert.deepEqual(
    notes().map(([kind]) => kind),
    ['memberJoined', 'rebalanceStarted', 'rebalanceEnded'],
  )
  group.join({ memberId: ids[0]!, protocols: [['range', 'else']] })
  group.leave({ memberId: ids[0]! })
  assert.deepEqual(notes(), [
    ['rebalanceStarted', null, ids[0]],
    ['memberLeft', null, ids[0]],
    ['rebalanceStarted', null, null],
    ['rebalanceEnded', 3, 0, null, 0],
  ])
})

test('a member that was only given an id is nobody to tell of', () => {
  const group = new GroupTester()
  const notes = listen(group)
  const { memberId } = group.answer(group.join())!
  group.leave({ memberId })
  assert.deepEqual(notes(), [])
})
