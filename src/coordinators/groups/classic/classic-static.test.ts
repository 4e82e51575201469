import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../../protocol/error-code.ts'
import { GroupTester, type JoinOptions } from '../group-tester.sim.ts'
import { staticGroup } from './classic-situations.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID } = ErrorCode
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('a static member needs no second join to get its id', () => {
  const group = staticGroup()
  assert.equal(group.describe().groupState, 'Stable')
})

test('a static follower that restarts gets a new id and its assignment, without a rebalance', () => {
  const group = staticGroup()
  const back = group.answer(group.join({ instanceId: 'i-2', newMemberId: 's-2b' }))!
  assert.deepEqual([back.errorCode, back.memberId, back.generationId, back.leader], [NONE, 's-2b', 1, 's-1'])
  assert.deepEqual([back.skipAssignment, back.members], [false, []])
  assert.equal(group.describe().groupState, 'Stable')
  assert.equal(text(group.answer(group.sync('s-2b', 1, {}, { instanceId: 'i-2' }))!.assignment), 'two')
  assert.equal(group.heartbeat('s-2', 1, 'i-2'), FENCED_INSTANCE_ID)
  assert.equal(group.heartbeat('s-2', 1), UNKNOWN_MEMBER_ID)
})

test('a static member that restarts before it has synced is not thrown out for it', () => {
  const group = new GroupTester()
  group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(6_000)
  group.sync('s-1', 1, { 's-1': 'one', 's-2': 'two' })
  group.join({ instanceId: 'i-2', newMemberId: 's-2b' })
  for (let second = 0; second < 90; second += 5) {
    assert.equal(group.heartbeat('s-1', 1), NONE)
    assert.equal(group.heartbeat('s-2b', 1), NONE)
    group.advance(5_000)
  }
})

test('a static leader that restarts leads on, and is told to leave the assignments alone', () => {
  const group = staticGroup()
  const back = group.answer(group.join({ instanceId: 'i-1', newMemberId: 's-1b' }))!
  assert.deepEqual([back.leader, back.skipAssignment, back.members.length], ['s-1b', true, 2])
  assert.equal(group.describe().groupState, 'Stable')
})

test('before version 9 a static leader that restarts believes that another one leads', () => {
  const group = staticGroup(8)
  const back = group.answer(group.join({ instanceId: 'i-1', newMemberId: 's-1b', version: 8 }))!
  assert.deepEqual([back.leader, back.skipAssignment, back.members], ['s-1', false, []])
})

test('a static member that restarts with what changes the protocol causes a rebalance', () => {
  const group = new GroupTester()
  const both: JoinOptions['protocols'] = [
    ['range', ''],
    ['sticky', ''],
  ]
  group.join({ instanceId: 'i-1', newMemberId: 's-1', protocols: both })
  group.advance(3_000)
  group.sync('s-1', 1)
  const back = group.join({
    instanceId: 'i-1',
    newMemberId: 's-1b',
    protocols: [
      ['sticky', ''],
      ['range', ''],
    ],
  })
  assert.deepEqual([group.answer(back)?.generationId, group.answer(back)?.protocolName], [2, 'sticky'])
})

test('a static member that restarts while the leader assigns causes a rebalance', () => {
  const group = new GroupTester()
  group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(6_000)
  const waiting = group.sync('s-2', 1)
  group.join({ instanceId: 'i-2', newMemberId: 's-2b' })
  assert.equal(group.answer(waiting)?.errorCode, FENCED_INSTANCE_ID)
  assert.equal(group.describe().groupState, 'PreparingRebalance')
})

test('a static member whose join waits is fenced by the next with its name', () => {
  const group = new GroupTester()
  const first = group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  const second = group.join({ instanceId: 'i-1', newMemberId: 's-1b' })
  assert.deepEqual([group.answer(first)?.errorCode, group.answer(first)?.memberId], [FENCED_INSTANCE_ID, 's-1'])
  group.advance(6_000)
  assert.deepEqual([group.answer(second)?.errorCode, group.answer(second)?.leader], [NONE, 's-1b'])
})

const fenced = {
  joins: (group: GroupTester) => group.answer(group.join({ memberId: 's-2', instanceId: 'i-1' }))?.errorCode,
  syncs: (group: GroupTester) => group.answer(group.sync('s-2', 1, {}, { instanceId: 'i-1' }))?.errorCode,
  'sends a heartbeat': (group: GroupTester) => group.heartbeat('s-2', 1, 'i-1'),
  leaves: (group: GroupTester) => group.leave({ memberId: 's-2', instanceId: 'i-1' })[0],
  commits: (group: GroupTester) => group.commit(1, { memberId: 's-2', instanceId: 'i-1', generation: 1 }),
}
for (const [what, act] of Object.entries(fenced)) {
  test(`who ${what} under an instance that another member holds is fenced`, () => {
    assert.equal(act(staticGroup()), FENCED_INSTANCE_ID)
  })
}

test('an administrator removes a static member by its instance', () => {
  const group = staticGroup()
  assert.deepEqual(group.leave({ instanceId: 'i-2' }, { instanceId: 'i-9' }), [NONE, UNKNOWN_MEMBER_ID])
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    ['s-1'],
  )
})

test('a static member that does not rejoin in time stays in the group', () => {
  const group = new GroupTester()
  const join = { sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 20_000 }
  group.join({ ...join, instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ ...join, instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(6_000)
  group.sync('s-2', 1)
  group.sync('s-1', 1)
  const back = group.join({ ...join, memberId: 's-2', instanceId: 'i-2', protocols: [['range', 'new']] })
  group.advance(20_000)
  assert.deepEqual([group.answer(back)?.generationId, group.answer(back)?.leader], [2, 's-2'])
  assert.equal(group.describe().members.length, 2)
})

test('when no static member rejoins the rebalance waits until one does, or their sessions are over', () => {
  const group = new GroupTester()
  const join = { sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 20_000 }
  group.join({ ...join, instanceId: 'i-1', newMemberId: 's-1' })
  group.advance(6_000)
  group.sync('s-1', 1)
  group.join({ version: 3, newMemberId: 'd', ...join })
  group.leave({ memberId: 'd' })
  group.advance(60_000)
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  group.advance(60_000)
  assert.equal(group.describe().groupState, 'Empty')
})

test('static members with hardly any time to rejoin do not keep the coordinator busy until their sessions are over', () => {
  const group = new GroupTester()
  const join = { sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 1 }
  group.join({ ...join, instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ ...join, instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(3_000)
  group.sync('s-1', 1)
  group.sync('s-2', 1)
  assert.deepEqual(group.leave({ memberId: 's-2', instanceId: 'i-2' }), [NONE])
  const before = group.effects.length
  group.advance(10_000)
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  assert.ok(group.effects.length - before < 50, `${group.effects.length - before} effects in 10 s`)
})

test('the first session of a static member that is back is as long as the one before, the next as it says', () => {
  const group = staticGroup()
  group.join({ instanceId: 'i-2', newMemberId: 's-2b', sessionTimeoutMs: 30_000 })
  const beat = () => group.heartbeat('s-2b', 1, 'i-2')
  group.advance(9_999)
  group.heartbeat('s-1', 1)
  assert.equal(beat(), NONE)
  group.advance(9_000)
  group.heartbeat('s-1', 1)
  group.advance(9_000)
  group.heartbeat('s-1', 1)
  assert.equal(beat(), NONE)
  group.join({ instanceId: 'i-2', newMemberId: 's-2c', sessionTimeoutMs: 6_000 })
  group.advance(9_000)
  group.heartbeat('s-1', 1)
  assert.equal(group.heartbeat('s-2c', 1, 'i-2'), NONE)
  group.advance(6_000)
  assert.equal(group.heartbeat('s-2c', 1, 'i-2'), UNKNOWN_MEMBER_ID)
})

test('a full group turns away a static member that is back without its id', () => {
  const group = new GroupTester({ maxSize: 1 })
  group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  group.advance(6_000)
  group.sync('s-1', 1)
  assert.equal(group.answer(group.join({ instanceId: 'i-1' }))?.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
  assert.equal(group.heartbeat('s-1', 1, 'i-1'), NONE)
})

test('a static member that is back under its id, in a stable group, is told of the generation it is in', () => {
  const group = staticGroup()
  const back = group.answer(group.join({ instanceId: 'i-2', memberId: 's-2' }))!
  assert.deepEqual([back.memberId, back.generationId, back.members], ['s-2', 1, []])
})

test('of a static member that is back nothing is left but its new id, in a generation as old as before', () => {
  const group = staticGroup()
  const before = group.records.at(-1)!
  group.advance(1_000)
  const timers = group.timers.size
  group.join({ instanceId: 'i-2', newMemberId: 's-2b' })
  assert.equal(group.timers.size, timers)
  const after = group.records.at(-1)!
  assert.ok(before.kind === 'generation' && after.kind === 'generation')
  assert.deepEqual(after.value.members.map(({ memberId }) => memberId).toSorted(), ['s-1', 's-2b'])
  assert.equal(after.value.currentStateTimestamp, before.value.currentStateTimestamp)
})
