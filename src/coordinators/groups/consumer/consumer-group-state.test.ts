import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConsumerGroupRecord, MemberAssignment, MemberState } from './consumer-group-record.ts'
import { ConsumerGroupState } from './consumer-group-state.ts'
import { newMember } from './consumer-member.ts'

const groupId = 'g'

function state(...records: readonly ConsumerGroupRecord[]): ConsumerGroupState {
  const group = new ConsumerGroupState()
  for (const record of records) group.apply(record)
  return group
}

function member(memberId: string, subscribed: { instanceId?: string; subscribedTopicRegex?: string } = {}) {
  const { memberId: _, ...value } = newMember(memberId)
  return { kind: 'consumerMember', groupId, memberId, value: { ...value, ...subscribed } } as const
}

function assignment(
  memberId: string,
  value: Partial<MemberAssignment> & { has?: readonly number[]; gives?: readonly number[] },
) {
  const { has = [], gives = [], ...rest } = value
  const partitions = (list: readonly number[]) =>
    list.length === 0 ? new Map() : new Map([['t', new Map(list.map((partition) => [partition, 1]))]])
  const all: MemberAssignment = {
    memberEpoch: 1,
    previousMemberEpoch: 0,
    state: 'stable',
    assignedPartitions: partitions(has),
    partitionsPendingRevocation: partitions(gives),
    ...rest,
  }
  return { kind: 'consumerAssignment', groupId, memberId, value: all } as const
}

const epoch = (value: number) =>
  ({ kind: 'consumerEpoch', groupId, value: { epoch: value, metadataHash: 0n } }) as const
const target = (value: number) =>
  ({ kind: 'consumerTargetEpoch', groupId, value: { assignmentEpoch: value, assignmentTimestamp: 0 } }) as const

describe('the state of a group', () => {
  const at = (memberEpoch: number, memberState: MemberState) => [
    member('a'),
    assignment('a', { memberEpoch, state: memberState }),
  ]
  const cases = [
    { name: 'no record', records: [], is: 'Empty' },
    { name: 'no member', records: [epoch(9), target(8)], is: 'Empty' },
    { name: 'an epoch without target', records: [...at(8, 'stable'), epoch(9), target(8)], is: 'Assigning' },
    { name: 'a member of an older epoch', records: [...at(8, 'stable'), epoch(9), target(9)], is: 'Reconciling' },
    { name: 'a member that waits', records: [...at(9, 'unreleased'), epoch(9), target(9)], is: 'Reconciling' },
    { name: 'a member that gives up', records: [...at(9, 'unrevoked'), epoch(9), target(9)], is: 'Reconciling' },
    { name: 'all at the target', records: [...at(9, 'stable'), epoch(9), target(9)], is: 'Stable' },
  ]
  for (const { name, records, is } of cases) {
    test(`${name}: ${is}`, () => assert.equal(state(...records).name, is))
  }
})

describe('who has a partition', () => {
  test('whoever has it, or has yet to give it up', () => {
    const group = state(member('a'), assignment('a', { has: [0], gives: [1] }))
    assert.deepEqual(
      [0, 1, 2].map((partition) => group.ownerOf('t', partition)),
      ['a', 'a', undefined],
    )
    group.apply(assignment('a', { has: [0] }))
    assert.equal(group.ownerOf('t', 1), undefined)
  })

  test('nobody, once its member is gone', () => {
    const group = state(member('a'), assignment('a', { has: [0] }))
    group.apply({ kind: 'consumerAssignment', groupId, memberId: 'a', value: null })
    assert.equal(group.ownerOf('t', 0), undefined)
    assert.equal(group.member('a')?.memberEpoch, -1)
  })

  test('the new one, although the old one lets go later in the log', () => {
    const group = state(member('a'), assignment('a', { has: [0] }), member('b'), assignment('b', { has: [0] }))
    group.apply(assignment('a', {}))
    assert.equal(group.ownerOf('t', 0), 'b')
  })
})

describe('static members', () => {
  test('the last one with an instance id holds it', () => {
    const group = state(member('a', { instanceId: 'i' }), member('b', { instanceId: 'i' }))
    assert.equal(group.holderOf('i')?.memberId, 'b')
    group.apply({ kind: 'consumerMember', groupId, memberId: 'a', value: null })
    assert.equal(group.holderOf('i')?.memberId, 'b')
    group.apply({ kind: 'consumerMember', groupId, memberId: 'b', value: null })
    assert.equal(group.holderOf('i'), undefined)
  })
})

describe('regular expressions', () => {
  test('are in use as long as a member has them', () => {
    const regex = { subscribedTopicRegex: 'x.*' }
    const group = state(member('a', regex), member('b', regex))
    assert.equal(group.membersWith('x.*'), 2)
    group.apply(member('a'))
    assert.deepEqual([group.membersWith('x.*'), group.usesRegexes], [1, true])
    group.apply({ kind: 'consumerMember', groupId, memberId: 'b', value: null })
    assert.deepEqual([group.membersWith('x.*'), group.usesRegexes], [0, false])
  })
})
