import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../../protocol/error-code.ts'
import { GroupTester } from '../group-tester.sim.ts'
import { stableGroup } from './classic-situations.sim.ts'

const { NONE } = ErrorCode
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('a group is described with metadata and protocol only while it is stable', () => {
  const { group, ids } = stableGroup()
  const stable = group.describe()
  assert.deepEqual(
    [stable.protocolType, stable.protocolData, text(stable.members[0]!.memberMetadata)],
    ['consumer', 'range', 'm'],
  )
  assert.equal(text(stable.members[0]!.memberAssignment), `a-${ids[0]}`)
  group.enter()
  const preparing = group.describe()
  assert.deepEqual([preparing.protocolData, text(preparing.members[0]!.memberMetadata)], ['', ''])
})

test('an unknown group is Dead, and an error from version 6 on', () => {
  const group = new GroupTester()
  assert.deepEqual([group.describe('none', 5).groupState, group.describe('none', 5).errorCode], ['Dead', NONE])
  assert.deepEqual(
    [group.describe('none').groupState, group.describe('none').errorCode],
    ['Dead', ErrorCode.GROUP_ID_NOT_FOUND],
  )
})

test('groups are listed by state and by type', () => {
  const { group } = stableGroup()
  group.commit(1, { group: 'simple' })
  const ids = (states: string[] = [], types: string[] = []) => group.list(states, types).map(({ groupId }) => groupId)
  assert.deepEqual(ids(), ['g', 'simple'])
  assert.deepEqual(ids(['stable']), ['g'])
  assert.deepEqual(ids(['empty', 'stable']), ['g', 'simple'])
  assert.deepEqual(ids(['dead']), [])
  assert.deepEqual(ids([], ['classic']), ['g', 'simple'])
  assert.deepEqual(ids([], ['consumer']), [])
  assert.deepEqual(group.list()[0], {
    groupId: 'g',
    protocolType: 'consumer',
    groupState: 'Stable',
    groupType: 'classic',
  })
})
