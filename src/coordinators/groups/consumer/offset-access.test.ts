import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { ConsumerGroupTester } from './consumer-group-tester.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, UNSUPPORTED_VERSION, OFFSET_METADATA_TOO_LARGE } = ErrorCode

/** `a` has orders-0 since epoch 2 and keeps it, and is in epoch 3; `b` has orders-1 since epoch 3. */
function setUp(): ConsumerGroupTester {
  const tester = new ConsumerGroupTester()
  tester.topic('orders', 2)
  tester.enterWith('a')
  tester.enterWith('b')
  tester.beat({ member: 'a', epoch: 2 })
  tester.beat({ member: 'a', epoch: 2, owned: { orders: [0] } })
  tester.beat({ member: 'b', epoch: 3 })
  return tester
}

describe('who may commit', () => {
  const cases = [
    { name: 'a member in its epoch', memberId: 'a', epoch: 3, partition: 0, code: NONE },
    { name: 'a member in its epoch, what is not its own', memberId: 'a', epoch: 3, partition: 1, code: NONE },
    { name: 'a member of an epoch ago, what it has had since then', memberId: 'a', epoch: 2, partition: 0, code: NONE },
    {
      name: 'a member of before it had the partition',
      memberId: 'a',
      epoch: 1,
      partition: 0,
      code: STALE_MEMBER_EPOCH,
    },
    {
      name: 'a member of an epoch ago, what it has lost',
      memberId: 'a',
      epoch: 2,
      partition: 1,
      code: STALE_MEMBER_EPOCH,
    },
    {
      name: 'a member of an epoch ago, what it has got since',
      memberId: 'b',
      epoch: 2,
      partition: 1,
      code: STALE_MEMBER_EPOCH,
    },
    { name: 'a member of an epoch to come', memberId: 'a', epoch: 4, partition: 0, code: STALE_MEMBER_EPOCH },
    {
      name: 'a member by a version that knows no epochs',
      memberId: 'a',
      epoch: 3,
      version: 8,
      code: UNSUPPORTED_VERSION,
    },
    { name: 'a stranger', memberId: 'c', epoch: 3, code: UNKNOWN_MEMBER_ID },
    { name: 'nobody, while there are members', memberId: '', epoch: -1, code: UNKNOWN_MEMBER_ID },
  ]
  for (const { name, memberId, epoch, partition = 0, version = 9, code } of cases) {
    test(`${name}: ${code}`, () => {
      const options = { topic: 'orders', memberId, generation: epoch, partition, version }
      assert.equal(setUp().commit(5, options), code)
    })
  }

  test('what a member has yet to give up it may commit', () => {
    const tester = setUp()
    tester.enterWith('c')
    const { epoch } = tester.holdings['b']!
    tester.beat({ member: 'b', epoch, topics: [], owned: { orders: [1] } })
    assert.equal(
      tester.commit(5, { topic: 'orders', memberId: 'b', generation: epoch, partition: 1, version: 9 }),
      NONE,
    )
  })

  test('metadata that is too long is all that is wrong with a partition', () => {
    const options = {
      topic: 'orders',
      memberId: 'a',
      generation: 2,
      partition: 1,
      version: 9,
      metadata: 'x'.repeat(4_097),
    }
    assert.equal(setUp().commit(5, options), OFFSET_METADATA_TOO_LARGE)
  })

  test('anybody without epoch, once the group is empty', () => {
    const tester = setUp()
    tester.beat({ member: 'a', epoch: -1 })
    tester.beat({ member: 'b', epoch: -1 })
    assert.equal(tester.commit(5, { topic: 'orders' }), NONE)
  })
})

describe('who may read', () => {
  const cases = [
    { name: 'whoever does not say who it is', memberId: null, memberEpoch: -1, code: NONE },
    { name: 'a member in its epoch', memberId: 'a', memberEpoch: 3, code: NONE },
    { name: 'a member of another epoch', memberId: 'a', memberEpoch: 2, code: STALE_MEMBER_EPOCH },
    { name: 'a stranger', memberId: 'c', memberEpoch: 3, code: UNKNOWN_MEMBER_ID },
    { name: 'an epoch of nobody', memberId: null, memberEpoch: 3, code: UNKNOWN_MEMBER_ID },
  ]
  for (const { name, memberId, memberEpoch, code } of cases) {
    test(`${name}: ${code}`, () => {
      assert.equal(setUp().fetchAll({ memberId, memberEpoch }).errorCode, code)
    })
  }
})

describe('offsets that nobody needs', () => {
  const retentionMs = 7 * 24 * 3_600_000

  test('go when their retention is over, unless a member reads their topic', () => {
    const tester = new ConsumerGroupTester()
    tester.topic('orders', 1)
    tester.topic('old', 1)
    tester.commit(5, { topic: 'orders' })
    tester.commit(5, { topic: 'old' })
    tester.enterWith('a')
    tester.configs = tester.withConfig({ sessionTimeoutMs: 3_600_000 })
    tester.beat({ member: 'a', epoch: 2 })
    for (let passed = 0; passed <= retentionMs; passed += 1_800_000) {
      tester.advance(1_800_000)
      tester.beat({ member: 'a', epoch: 2 })
    }
    assert.equal(tester.fetch({ topic: 'old' }).committedOffset, -1)
    assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 5)
  })

  test('go from an empty group too, and the group with the last of them', () => {
    const tester = new ConsumerGroupTester()
    tester.topic('orders', 1)
    tester.enterWith('a')
    tester.commit(5, { topic: 'orders', memberId: 'a', generation: 2, version: 9 })
    tester.beat({ member: 'a', epoch: -1 })
    tester.advance(retentionMs - 600_000)
    assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 5)
    tester.advance(1_200_000)
    assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, -1)
    assert.deepEqual(tester.list(), [])
    tester.restart()
    assert.deepEqual(tester.list(), [])
  })
})
