import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../../protocol/error-code.ts'
import { GroupTester } from '../group-tester.sim.ts'
import { inState, stableGroup } from './classic-situations.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, INCONSISTENT_GROUP_PROTOCOL } = ErrorCode
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test("the leader's assignments reach everyone who waits; members it left out get nothing", () => {
  const group = new GroupTester()
  const members = [group.enter(), group.enter(), group.enter()]
  group.advance(6_000)
  const [one, two, three] = members.map(({ memberId }) => memberId) as [string, string, string]
  const second = group.sync(two, 1)
  const third = group.sync(three, 1)
  const first = group.sync(one, 1, { [one]: 'x', [two]: 'y', stranger: 'z' })
  assert.deepEqual(
    [first, second, third].map((each) => text(group.answer(each)!.assignment)),
    ['x', 'y', ''],
  )
  assert.equal(group.answer(first)!.protocolName, 'range')
})

test("a sync that names another protocol than the group's is refused", () => {
  const { group, leader, generation } = inState.CompletingRebalance()
  const named = group.sync(leader, generation, {}, { protocolType: 'consumer', protocolName: 'sticky' })
  assert.equal(group.answer(named)?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
  const typed = group.sync(leader, generation, {}, { protocolType: 'connect', protocolName: 'range' })
  assert.equal(group.answer(typed)?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
  const right = group.sync(leader, generation, {}, { protocolType: 'consumer', protocolName: 'range' })
  assert.equal(group.answer(right)?.errorCode, NONE)
})

test('a rebalance sends those who wait for an assignment back to join', () => {
  const { group, follower, generation } = inState.CompletingRebalance()
  const waiting = group.sync(follower, generation)
  group.enter()
  assert.equal(group.answer(waiting)?.errorCode, REBALANCE_IN_PROGRESS)
})

test('members that never sync are out when the rebalance timeout is over', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  group.sync(leader, generation)
  for (let second = 0; second < 60; second += 5) {
    group.heartbeat(leader, generation)
    group.heartbeat(follower, generation)
    group.advance(5_000)
  }
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  assert.equal(group.heartbeat(follower, generation), UNKNOWN_MEMBER_ID)
  assert.equal(group.heartbeat(leader, generation), REBALANCE_IN_PROGRESS)
})

test('a rebalance that interrupts the next one leaves nobody with an old assignment', () => {
  const { group, ids } = stableGroup()
  for (const memberId of ids) group.join({ memberId, protocols: [['range', 'new']] })
  group.enter()
  assert.deepEqual(
    group.describe().members.map(({ memberAssignment }) => text(memberAssignment)),
    ['', '', ''],
  )
})

test('whoever was to sync and left meanwhile is not waited for', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  group.leave({ memberId: follower })
  const rejoined = group.answer(group.join({ memberId: leader }))!
  assert.equal(rejoined.generationId, generation + 1)
  group.sync(leader, generation + 1)
  for (let second = 0; second < 90; second += 5) {
    assert.equal(group.heartbeat(leader, generation + 1), NONE)
    group.advance(5_000)
  }
})

test('a member that drops out of a rebalance is not waited for in the next generation', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  const third = group.enter()
  const one = group.join({ memberId: leader })
  for (let second = 0; second < 60; second += 5) {
    assert.equal(group.heartbeat(follower, generation), REBALANCE_IN_PROGRESS, 'it lives, but does not rejoin')
    group.advance(5_000)
  }
  assert.equal(group.answer(one)?.generationId, generation + 1)
  const syncs = [third.memberId, leader].map((memberId) => group.sync(memberId, generation + 1))
  assert.equal(group.answer(syncs[0]!)?.errorCode, NONE)
  for (let second = 0; second < 90; second += 5) {
    for (const memberId of [leader, third.memberId]) {
      assert.equal(group.heartbeat(memberId, generation + 1), NONE)
    }
    group.advance(5_000)
  }
})

test('a sync that is sent again answers the one before it, so that none waits for ever', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  const [first, second] = [group.sync(follower, generation), group.sync(follower, generation)]
  assert.equal(group.answer(first)?.errorCode, REBALANCE_IN_PROGRESS)
  assert.equal(group.answer(second), undefined)
  group.sync(leader, generation)
  assert.equal(group.answer(second)?.errorCode, NONE)
})

test('a member that has waited in its sync longer than its session has a new one with the answer', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  group.sync(follower, generation)
  for (let second = 0; second < 30; second += 5) {
    group.heartbeat(leader, generation)
    group.advance(5_000)
  }
  group.sync(leader, generation)
  const members = () => group.describe().members.map(({ memberId }) => memberId)
  group.advance(9_999)
  assert.ok(members().includes(follower))
  group.advance(1)
  assert.ok(!members().includes(follower))
})
