import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AssignedMember, cooperativeSticky, range } from './client-assignors.ts'

function member(memberId: string, given: Partial<AssignedMember> = {}): AssignedMember {
  return { memberId, instanceId: null, topics: ['t'], owned: [], ownedSince: -1, ...given }
}

const four = new Map([['t', 4]])

test('ranges are consecutive, and the first have one more', () => {
  const assigned = range([member('b'), member('a'), member('c', { instanceId: 'static' })], four)
  assert.deepEqual(Object.fromEntries(assigned), { c: ['t-0', 't-1'], a: ['t-2'], b: ['t-3'] })
})

test('a partition that moves is nobody’s until its owner has given it up', () => {
  const one = member('one', { owned: ['t-0', 't-1', 't-2', 't-3'], ownedSince: 1 })
  const first = cooperativeSticky([one, member('other')], four)
  assert.deepEqual([first.get('one')!.length, first.get('other')], [2, []])
  const kept = member('one', { owned: first.get('one')!, ownedSince: 2 })
  const second = cooperativeSticky([kept, member('other', { ownedSince: 2 })], four)
  assert.deepEqual(second.get('one'), first.get('one'))
  assert.equal(second.get('other')!.length, 2)
})

test('of two that claim a partition the later owner has it; of two of one generation neither', () => {
  const owned = ['t-0', 't-1']
  const two = new Map([['t', 2]])
  const later = cooperativeSticky(
    [member('old', { owned, ownedSince: 3 }), member('new', { owned: ['t-0'], ownedSince: 4 })],
    two,
  )
  assert.deepEqual(Object.fromEntries(later), { old: ['t-1'], new: ['t-0'] })
  const same = cooperativeSticky([member('a', { owned, ownedSince: 3 }), member('b', { owned, ownedSince: 3 })], two)
  assert.deepEqual(same.get('a')!.length + same.get('b')!.length, 2)
})

test('members get only what they read', () => {
  const counts = new Map([
    ['t', 2],
    ['u', 2],
  ])
  for (const assign of [range, cooperativeSticky]) {
    const assigned = assign([member('one'), member('both', { topics: ['t', 'u'] })], counts)
    assert.deepEqual(
      assigned.get('one')!.filter((name) => name.startsWith('u')),
      [],
    )
    assert.equal([...assigned.values()].flat().length, 4)
  }
})
