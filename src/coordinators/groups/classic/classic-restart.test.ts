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
