import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { ConsumerGroupTester } from './consumer-group-tester.sim.ts'

function setUp(): ConsumerGroupTester {
  const tester = new ConsumerGroupTester({ consumerRegexRefreshIntervalMs: 60_000 })
  tester.topic('orders-eu', 1)
  tester.topic('orders-us', 1)
  tester.topic('payments', 1)
  return tester
}

/** `a` reads `orders-.*` and has both of them, in epoch 2. */
function subscribed(): ConsumerGroupTester {
  const tester = setUp()
  tester.beat({ member: 'a', regex: 'orders-.*' })
  tester.advance(0)
  tester.beat({ member: 'a', epoch: 1 })
  return tester
}

const lookups = (tester: ConsumerGroupTester) =>
  tester.records.flatMap((record) => (record.kind === 'consumerRegex' ? [record.value?.topics ?? null] : []))

test('an expression is looked up after the heartbeat that brought it; the next one gives what it stands for', () => {
  const tester = setUp()
  const joined = tester.beat({ member: 'a', regex: 'orders-.*' })
  assert.deepEqual([joined.memberEpoch, joined.assignment], [1, {}])
  assert.deepEqual(lookups(tester), [])
  tester.advance(0)
  assert.deepEqual(lookups(tester), [['orders-eu', 'orders-us']])
  const answer = tester.beat({ member: 'a', epoch: 1 })
  assert.deepEqual([answer.memberEpoch, answer.assignment], [2, { 'orders-eu': [0], 'orders-us': [0] }])
})

test('what is no expression is refused, and leaves nothing behind', () => {
  const tester = setUp()
  const { errorCode, errorMessage } = tester.beat({ member: 'a', regex: '(' })
  assert.equal(errorCode, ErrorCode.INVALID_REGULAR_EXPRESSION)
  assert.equal(errorMessage, 'SubscribedTopicRegex `(` is not a valid regular expression: missing closing ).')
  assert.deepEqual(tester.list(), [])
})

test('members with the same expression share what it stands for', () => {
  const tester = subscribed()
  const second = tester.beat({ member: 'b', regex: 'orders-.*' })
  assert.equal(second.memberEpoch, 3)
  assert.equal(lookups(tester).length, 1)
  assert.deepEqual(tester.holdings['b']!.target, { 'orders-us': [0] })
})

test('the last member with an expression takes it along', () => {
  const tester = subscribed()
  tester.beat({ member: 'b', regex: 'orders-.*' })
  tester.beat({ member: 'b', epoch: -1 })
  assert.equal(lookups(tester).at(-1)?.length, 2)
  tester.beat({ member: 'a', epoch: -1 })
  assert.equal(lookups(tester).at(-1), null)
})

test('a member may drop its expression, and then reads nothing by it', () => {
  const tester = subscribed()
  const answer = tester.beat({ member: 'a', epoch: 2, regex: '', owned: {} })
  assert.deepEqual([answer.memberEpoch, answer.assignment], [3, {}])
  assert.equal(lookups(tester).at(-1), null)
})

test('another expression gives up at once what the old one stood for, and is looked up when the last lookup is old enough', () => {
  const tester = subscribed()
  const told = tester.beat({ member: 'a', epoch: 2, regex: 'pay.*', owned: { 'orders-eu': [0], 'orders-us': [0] } })
  assert.deepEqual(told.assignment, {})
  tester.advance(0)
  const moved = () => tester.beat({ member: 'a', epoch: tester.holdings['a']!.epoch, owned: {} })
  moved()
  tester.advance(0)
  assert.deepEqual(tester.beat({ member: 'a', epoch: tester.holdings['a']!.epoch, owned: {} }).assignment, {
    payments: [0],
  })
})

test('names and an expression are read together', () => {
  const tester = setUp()
  tester.beat({ member: 'a', topics: ['payments'], regex: 'orders-e.' })
  tester.advance(0)
  const { assignment } = tester.beat({ member: 'a', epoch: 2 })
  assert.deepEqual(assignment, { payments: [0], 'orders-eu': [0] })
})

test('a topic that is created is found, not sooner than ten seconds after the last lookup', () => {
  const tester = subscribed()
  tester.topic('orders-jp', 1)
  tester.advance(10_000)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.equal(lookups(tester).length, 1)
  tester.advance(1)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.deepEqual(lookups(tester).at(-1), ['orders-eu', 'orders-jp', 'orders-us'])
  assert.ok('orders-jp' in tester.beat({ member: 'a', epoch: 2 }).assignment!)
})

test('a lookup from a clock that is ahead holds up no other', () => {
  const tester = subscribed()
  tester.topic('orders-jp', 1)
  tester.now -= 600_000
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.deepEqual(lookups(tester).at(-1), ['orders-eu', 'orders-jp', 'orders-us'])
})

test('a topic that is deleted leaves the assignment at once, and the expression with the next lookup', () => {
  const tester = subscribed()
  tester.deleteTopic('orders-us')
  assert.deepEqual(tester.beat({ member: 'a', epoch: 2 }).assignment, { 'orders-eu': [0] })
  assert.equal(lookups(tester).length, 1)
  for (let waited = 0; waited <= 60_000; waited += 20_000) {
    tester.advance(20_000)
    tester.beat({ member: 'a', epoch: 2, owned: { 'orders-eu': [0] } })
    tester.beat({ member: 'a', epoch: 3 })
  }
  tester.advance(1)
  assert.deepEqual(lookups(tester).at(-1), ['orders-eu'])
})

test('expressions are looked up again from time to time, and a lookup that finds the same moves nobody', () => {
  const tester = subscribed()
  tester.advance(30_000)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(30_000)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.equal(lookups(tester).length, 1)
  tester.advance(1)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.equal(lookups(tester).length, 2)
  assert.equal(tester.describeConsumers().groupEpoch, 2)
})

test('after a restart expressions are looked up anew, for topics may have been created meanwhile', () => {
  const tester = subscribed()
  tester.topics.set('orders-jp', 1)
  tester.restart()
  tester.advance(10_001)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.deepEqual(lookups(tester).at(-1), ['orders-eu', 'orders-jp', 'orders-us'])
})

test('an expression that another cluster looked up, whose revisions are further on, is looked up anew', () => {
  const tester = subscribed()
  const last = tester.records.findLastIndex(({ kind }) => kind === 'consumerRegex')
  const record = tester.records[last]!
  assert.ok(record.kind === 'consumerRegex' && record.value !== null)
  tester.records[last] = { ...record, value: { ...record.value, version: 1_000_000 } }
  tester.restart()
  tester.topic('orders-jp', 1)
  tester.advance(10_001)
  tester.beat({ member: 'a', epoch: 2 })
  tester.advance(0)
  assert.deepEqual(lookups(tester).at(-1), ['orders-eu', 'orders-jp', 'orders-us'])
})

test('a group of one expression is deleted with it', () => {
  const tester = subscribed()
  tester.beat({ member: 'a', epoch: -1 })
  assert.deepEqual(tester.deleteGroups('g'), [ErrorCode.NONE])
  tester.restart()
  assert.deepEqual(tester.list(), [])
})
