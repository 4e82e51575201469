import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { ConsumerGroupTester } from './consumer-group-tester.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID, FENCED_MEMBER_EPOCH, STALE_MEMBER_EPOCH } =
  ErrorCode

const leaving = -1
const leavingForNow = -2

/** `s1` of instance `i` with all of `orders`, in epoch 2. */
function setUp(): ConsumerGroupTester {
  const tester = new ConsumerGroupTester()
  tester.topic('orders', 2)
  tester.enterWith('s1', ['orders'], { instance: 'i' })
  return tester
}

/** `s1` is away, but will be back. */
function away(): ConsumerGroupTester {
  const tester = setUp()
  tester.beat({ member: 's1', epoch: leavingForNow, instance: 'i' })
  return tester
}

test('a static member that leaves for now keeps its partitions, and nobody moves', () => {
  const tester = setUp()
  const answer = tester.beat({ member: 's1', epoch: leavingForNow, instance: 'i' })
  assert.deepEqual([answer.errorCode, answer.memberId, answer.memberEpoch], [NONE, 's1', leavingForNow])
  const { groupEpoch } = tester.describeConsumers()
  assert.equal(groupEpoch, 2)
  assert.deepEqual(tester.holdings['s1']!.has, { orders: [0, 1] })
  const record = tester.records.at(-1)!
  assert.ok(record.kind === 'consumerAssignment' && record.value !== null)
  const since = [...record.value.assignedPartitions.values()].flatMap((epochs) => [...epochs.values()])
  assert.deepEqual(since, [0, 0], 'as of epoch 0, for whoever comes back')
})

test('one that comes back takes up where it left off, under its new id', () => {
  const tester = away()
  const answer = tester.enterWith('s2', ['orders'], { instance: 'i' })
  assert.deepEqual([answer.errorCode, answer.memberEpoch, answer.assignment], [NONE, 2, { orders: [0, 1] }])
  assert.deepEqual(Object.keys(tester.holdings), ['s2'])
  assert.equal(tester.describeConsumers().groupEpoch, 2)
  assert.deepEqual(
    tester.notes
      .filter(({ kind }) => kind === 'memberReplaced')
      .map((note) => 'oldMemberId' in note && note.oldMemberId),
    ['s1'],
  )
  tester.restart()
  assert.deepEqual(tester.holdings['s2'], { epoch: 2, has: { orders: [0, 1] }, target: { orders: [0, 1] } })
})

test('the records of the old member go before those of the new one come', () => {
  const tester = away()
  const records = tester.appended(() => tester.enterWith('s2', ['orders'], { instance: 'i' }))
  assert.deepEqual(
    records.map((record) => [record.kind, 'memberId' in record && record.memberId]),
    [
      ['consumerAssignment', 's1'],
      ['consumerTarget', 's1'],
      ['consumerMember', 's1'],
      ['consumerMember', 's2'],
      ['consumerTarget', 's2'],
      ['consumerAssignment', 's2'],
      ['consumerAssignment', 's2'],
    ],
  )
})

test('one that comes back under the same id is the same member', () => {
  const tester = away()
  const answer = tester.enterWith('s1', ['orders'], { instance: 'i' })
  assert.deepEqual([answer.memberEpoch, answer.assignment], [2, { orders: [0, 1] }])
  assert.deepEqual(Object.keys(tester.holdings), ['s1'])
  tester.restart()
  assert.deepEqual(tester.holdings['s1']!.has, { orders: [0, 1] })
})

test('one that comes back and reads something else moves the group', () => {
  const tester = away()
  tester.topic('payments', 1)
  const answer = tester.enterWith('s2', ['payments'], { instance: 'i' })
  assert.deepEqual([answer.memberEpoch, answer.assignment], [3, { payments: [0] }])
})

test('one that does not come back in time is out', () => {
  const tester = away()
  tester.advance(45_000)
  assert.equal(tester.groupState, 'Empty')
})

test('the session of the one that came back is its own', () => {
  const tester = away()
  tester.advance(30_000)
  tester.enterWith('s2', ['orders'], { instance: 'i' })
  tester.advance(44_999)
  assert.deepEqual(Object.keys(tester.holdings), ['s2'])
})

test('partitions it had to give up when it left are free', () => {
  const tester = setUp()
  tester.enterWith('b')
  tester.beat({ member: 's1', epoch: 2, instance: 'i' })
  assert.deepEqual(tester.beat({ member: 'b', epoch: 3 }).assignment, null)
  tester.beat({ member: 's1', epoch: leavingForNow, instance: 'i' })
  assert.deepEqual(tester.beat({ member: 'b', epoch: 3 }).assignment, { orders: [1] })
})

test('a commit of the one that left is refused once somebody is back for it', () => {
  const tester = away()
  const commit = (memberId: string, generation: number) =>
    tester.commit(1, { topic: 'orders', memberId, generation, version: 9 })
  assert.equal(commit('s1', 2), STALE_MEMBER_EPOCH)
  tester.enterWith('s2', ['orders'], { instance: 'i' })
  assert.equal(commit('s1', 2), UNKNOWN_MEMBER_ID)
  assert.equal(commit('s2', 2), NONE)
})

describe('who may speak for an instance', () => {
  const joining = { instance: 'i', topics: ['orders'] }
  const cases = [
    {
      name: 'another one joins while the holder is there',
      from: setUp,
      request: { member: 's2', ...joining },
      code: UNRELEASED_INSTANCE_ID,
      message:
        'Static member s2 with instance id i cannot join the group because the instance id is owned by s1 member.',
    },
    {
      name: 'the holder itself joins again without having left',
      from: setUp,
      request: { member: 's1', ...joining },
      code: UNRELEASED_INSTANCE_ID,
      message:
        'Static member s1 with instance id i cannot join the group because the instance id is owned by s1 member.',
    },
    {
      name: 'another one sends a heartbeat',
      from: setUp,
      request: { member: 's2', epoch: 2, instance: 'i' },
      code: FENCED_INSTANCE_ID,
      message: 'Static member s2 with instance id i was fenced by member s1.',
    },
    {
      name: 'another one leaves',
      from: setUp,
      request: { member: 's2', epoch: leaving, instance: 'i' },
      code: FENCED_INSTANCE_ID,
      message: 'Static member s2 with instance id i was fenced by member s1.',
    },
    {
      name: 'an instance nobody knows sends a heartbeat',
      from: setUp,
      request: { member: 's1', epoch: 2, instance: 'j' },
      code: UNKNOWN_MEMBER_ID,
      message: 'Instance id j is unknown.',
    },
    {
      name: 'an instance nobody knows leaves for now',
      from: setUp,
      request: { member: 's1', epoch: leavingForNow, instance: 'j' },
      code: UNKNOWN_MEMBER_ID,
      message: 'Instance id j is unknown.',
    },
    {
      name: 'the holder sends a heartbeat',
      from: setUp,
      request: { member: 's1', epoch: 2, instance: 'i' },
      code: NONE,
    },
    { name: 'the holder leaves', from: setUp, request: { member: 's1', epoch: leaving, instance: 'i' }, code: NONE },
    {
      name: 'the one that left for now goes on as if it had not',
      from: away,
      request: { member: 's1', epoch: 2, instance: 'i' },
      code: FENCED_MEMBER_EPOCH,
    },
  ]
  for (const { name, from, request, code, message } of cases) {
    test(`${name}: ${code}`, () => {
      const answer = from().beat(request)
      assert.equal(answer.errorCode, code)
      if (message !== undefined) assert.equal(answer.errorMessage, message)
    })
  }
})

test('a full group takes the static member back under the id it had', () => {
  const tester = new ConsumerGroupTester({ consumerMaxSize: 1 })
  tester.enterWith('s1', ['orders'], { instance: 'i' })
  tester.beat({ member: 's1', epoch: leavingForNow, instance: 'i' })
  assert.equal(tester.enterWith('s1', ['orders'], { instance: 'i' }).errorCode, NONE)
})
