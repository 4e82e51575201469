import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../../protocol/error-code.ts'
import { GroupTester } from '../group-tester.sim.ts'
import { stableGroup } from './classic-situations.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS } = ErrorCode

test('a member that is silent for its session timeout is out, and the others rebalance', () => {
  const { group, ids, generation } = stableGroup()
  group.advance(9_999)
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
  group.advance(1)
  assert.equal(group.heartbeat(ids[1]!, generation), UNKNOWN_MEMBER_ID)
  assert.equal(group.heartbeat(ids[0]!, generation), REBALANCE_IN_PROGRESS)
})

test('a commit is a sign of life', () => {
  const { group, ids, generation } = stableGroup()
  group.advance(9_000)
  group.commit(5, { memberId: ids[0]!, generation })
  group.advance(9_000)
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    [ids[0]],
  )
})

test('members whose requests wait are not silent', () => {
  const { group, ids } = stableGroup()
  const waiting = group.join({ memberId: ids[0]! })
  for (let second = 0; second < 30; second += 5) {
    group.heartbeat(ids[1]!, 1)
    group.advance(5_000)
  }
  assert.equal(group.answer(waiting), undefined)
  group.join({ memberId: ids[1]! })
  assert.equal(group.answer(waiting)?.errorCode, NONE)
})

test('the last member leaves an empty group of the next generation behind', () => {
  const { group, ids, generation } = stableGroup()
  assert.deepEqual(group.leave({ memberId: ids[0]! }, { memberId: 'stranger' }, { memberId: ids[1]! }), [
    NONE,
    UNKNOWN_MEMBER_ID,
    NONE,
  ])
  assert.equal(group.describe().groupState, 'Empty')
  const last = group.records.at(-1)!
  assert.ok(last.kind === 'generation')
  assert.deepEqual(last.value, {
    protocolType: 'consumer',
    generation: generation + 1,
    protocol: null,
    leader: null,
    currentStateTimestamp: group.now,
    members: [],
  })
})

test('a member that leaves while its join waits is answered', () => {
  const { group, ids } = stableGroup()
  const waiting = group.join({ memberId: ids[0]! })
  group.leave({ memberId: ids[0]! })
  assert.equal(group.answer(waiting)?.errorCode, UNKNOWN_MEMBER_ID)
})

test('a member that leaves before it has come back with its id is forgotten', () => {
  const group = new GroupTester()
  const { memberId } = group.answer(group.join())!
  assert.deepEqual(group.leave({ memberId }), [NONE])
  assert.equal(group.answer(group.join({ memberId }))?.errorCode, UNKNOWN_MEMBER_ID)
})

test('members whose connection closes are gone at once, save static ones', () => {
  const group = new GroupTester()
  const one = group.enter({ connectionId: 1 })
  group.join({ instanceId: 'static', newMemberId: 's', connectionId: 1 })
  const other = group.enter({ connectionId: 2 })
  group.advance(6_000)
  for (const id of [one.memberId, other.memberId, 's'])
    group.sync(id, 1, {}, { connectionId: id === other.memberId ? 2 : 1 })
  group.step({ kind: 'connectionClosed', connectionId: 1 })
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    ['s', other.memberId],
  )
  assert.equal(group.describe().groupState, 'PreparingRebalance')
})

test('a member is where it was last heard', () => {
  const { group, ids, generation } = stableGroup()
  group.heartbeat(ids[0]!, generation, null, 7)
  group.heartbeat(ids[1]!, generation, null, 7)
  group.step({ kind: 'connectionClosed', connectionId: 1 })
  assert.equal(group.describe().groupState, 'Stable')
})

test('a connection that closes before a member came back with its id leaves a stable group in peace', () => {
  const { group } = stableGroup()
  const { memberId } = group.answer(group.join({ connectionId: 7 }))!
  group.step({ kind: 'connectionClosed', connectionId: 7 })
  assert.equal(group.describe().groupState, 'Stable')
  assert.equal(group.answer(group.join({ memberId }))?.errorCode, UNKNOWN_MEMBER_ID)
})
