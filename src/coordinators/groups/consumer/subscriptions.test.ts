import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConsumerGroupState } from './consumer-group-state.ts'
import { ConsumerGroupTester } from './consumer-group-tester.sim.ts'
import { type ConsumerMember, newMember } from './consumer-member.ts'
import { Subscriptions, topicsReadBy } from './subscriptions.ts'

function members(...all: readonly (readonly [topics: readonly string[], regex?: string])[]): ConsumerMember[] {
  return all.map(([subscribedTopicNames, regex], index) => ({
    ...newMember(`m${index}`),
    subscribedTopicNames,
    subscribedTopicRegex: regex ?? '',
  }))
}

const resolved = new Map([
  ['x.*', { topics: ['xa', 'xb'] }],
  ['.*a', { topics: ['xa'] }],
])

describe('whether all members read the same', () => {
  const cases = [
    { name: 'no members', of: members(), homogeneous: true },
    { name: 'members that read nothing', of: members([[]], [[]]), homogeneous: true },
    { name: 'the same names', of: members([['a', 'b']], [['a', 'b']]), homogeneous: true },
    { name: 'other names', of: members([['a', 'b']], [['a']]), homogeneous: false },
    { name: 'one expression of all', of: members([[], 'x.*'], [[], 'x.*']), homogeneous: true },
    { name: 'one expression of some', of: members([[], 'x.*'], [[]]), homogeneous: false },
    { name: 'two expressions', of: members([[], 'x.*'], [[], '.*a']), homogeneous: false },
    { name: 'one expression of all, and a name', of: members([['a'], 'x.*'], [[], 'x.*']), homogeneous: false },
    { name: 'one expression that nobody knows yet', of: members([[], 'new'], [[], 'new']), homogeneous: true },
  ]
  for (const { name, of, homogeneous } of cases) {
    test(`${name}: ${homogeneous ? 'yes' : 'no'}`, () => {
      assert.equal(new Subscriptions(of, resolved).homogeneous, homogeneous)
    })
  }
})

test('a group reads what its members name, and what their expressions stand for', () => {
  const subscriptions = new Subscriptions(members([['a']], [['b'], 'x.*'], [[], 'new']), resolved)
  assert.deepEqual([...subscriptions.topics].toSorted(), ['a', 'b', 'xa', 'xb'])
  assert.equal(subscriptions.reads('xb'), true)
  assert.equal(subscriptions.reads('c'), false)
})

test('an expression nobody has any more stands for nothing', () => {
  assert.deepEqual([...new Subscriptions(members([['a']]), resolved).topics], ['a'])
})

test('a member reads its names and its expression together', () => {
  const [one, other, unresolved] = members([['a', 'xa'], 'x.*'], [['a']], [['a'], 'new'])
  assert.deepEqual([...topicsReadBy(one!, resolved)].toSorted(), ['a', 'xa', 'xb'])
  assert.deepEqual([...topicsReadBy(other!, resolved)], ['a'])
  assert.deepEqual([...topicsReadBy(unresolved!, resolved)], ['a'])
})

test('a list of topics that many members share is looked at once', () => {
  let looks = 0
  const names = new Proxy(['a', 'b'], {
    get(target, property, receiver) {
      if (property === Symbol.iterator) looks++
      return Reflect.get(target, property, receiver)
    },
  })
  const subscriptions = new Subscriptions(members([names], [names], [['b']], [names]), resolved)
  assert.equal(looks, 1)
  assert.deepEqual([[...subscriptions.topics], subscriptions.homogeneous], [['a', 'b'], false])
})

test('members that read the same share the list of it', () => {
  const tester = new ConsumerGroupTester()
  for (const member of ['a', 'b', 'c']) tester.enterWith(member, ['orders', 'invoices'])
  tester.enterWith('d', ['orders'])
  const state = new ConsumerGroupState()
  for (const record of tester.records) if (record.kind === 'consumerMember') state.apply(record)
  const lists = new Set(Array.from(state.members, ({ subscribedTopicNames }) => subscribedTopicNames))
  assert.deepEqual([...lists], [['invoices', 'orders'], ['orders']])
})
