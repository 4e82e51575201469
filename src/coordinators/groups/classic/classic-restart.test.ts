import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../../protocol/error-code.ts'
import { GroupTester } from '../group-tester.sim.ts'
import { stableGroup, staticGroup } from './classic-situations.sim.ts'

const { NONE, FENCED_INSTANCE_ID } = ErrorCode
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('a stable group survives a restart: members go on without joining again, with a fresh session', () => {
  const { group, ids, generation } = stableGroup()
  group.advance(9_000)
  group.restart()
  group.advance(9_000)
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
  assert.equal(text(group.answer(group.sync(ids[1]!, generation))!.assignment), `a-${ids[1]}`)
  assert.equal(group.describe().protocolData, 'range')
  group.advance(1_000)
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    [ids[0]],
    'who was silent since the restart is out',
  )
})

test('a restored leader leads, and static identities are kept', () => {
  const group = staticGroup()
  group.restart()
  assert.equal(group.heartbeat('s-1', 1, 'i-1'), NONE)
  assert.equal(group.heartbeat('other', 1, 'i-1'), FENCED_INSTANCE_ID)
  const back = group.answer(group.join({ instanceId: 'i-1', newMemberId: 's-1b' }))!
  assert.deepEqual([back.leader, back.skipAssignment], ['s-1b', true])
})

test('a rebalance under way is forgotten by a restart: the last generation is back', () => {
  const { group, ids, generation } = stableGroup()
  group.enter()
  group.restart()
  assert.equal(group.describe().groupState, 'Stable')
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
})

test('a group that is larger than it may be now rebalances after a restart', () => {
  const group = new GroupTester({ maxSize: 3 })
  group.stable(3)
  ;(group.settings as { maxSize: number }).maxSize = 2
  group.restart()
  assert.equal(group.describe().groupState, 'PreparingRebalance')
})

test('a group whose log names no leader is led by its first member', () => {
  const { group, ids } = stableGroup()
  const last = group.records.at(-1)!
  assert.ok(last.kind === 'generation')
  group.records.push({ ...last, value: { ...last.value, leader: null } })
  group.restart()
  const [leader, follower] = [group.join({ memberId: ids[1]! }), group.join({ memberId: ids[0]! })].toReversed()
  assert.equal(group.answer(follower!)?.leader, ids[0])
  assert.equal(group.answer(leader!), undefined, 'a leader that joins asks for a rebalance')
})

test('a rebalance that was under way when the coordinator moved is not needed by those who had not joined it', () => {
  const { group, ids, generation } = stableGroup()
  group.enter()
  group.join({ memberId: ids[1]! })
  group.restart()
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
  assert.equal(group.answer(group.join({ memberId: ids[1]! }))?.generationId, generation)
  assert.equal(group.describe().groupState, 'Stable')
})

test('a member of a generation that was never stored has to join anew after a restart', () => {
  const { group, ids, generation } = stableGroup()
  const third = group.enter()
  const replies = ids.map((memberId) => group.join({ memberId }))
  assert.equal(group.answer(replies[0]!)?.generationId, generation + 1)
  group.restart()
  assert.equal(group.heartbeat(ids[0]!, generation + 1), ErrorCode.ILLEGAL_GENERATION)
  assert.equal(group.answer(group.sync(ids[0]!, generation + 1))?.errorCode, ErrorCode.ILLEGAL_GENERATION)
  assert.equal(group.answer(group.sync(third.memberId, generation + 1))?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
})
