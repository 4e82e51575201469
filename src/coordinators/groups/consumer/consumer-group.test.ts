import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { ConsumerGroupTester, ObedientClient, type Partitions } from './consumer-group-tester.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED } = ErrorCode

/** `orders` with four partitions. */
function setUp(settings: ConstructorParameters<typeof ConsumerGroupTester>[0] = {}): ConsumerGroupTester {
  const tester = new ConsumerGroupTester(settings)
  tester.topic('orders', 4)
  return tester
}

/** Two members with two partitions each, both in epoch 3. `a` has 0 and 1. */
function settled(settings: ConstructorParameters<typeof ConsumerGroupTester>[0] = {}): ConsumerGroupTester {
  const tester = setUp(settings)
  tester.enterWith('a')
  tester.enterWith('b')
  const given = tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1, 2, 3] } })
  tester.beat({ member: 'a', epoch: 2, owned: given.assignment! })
  tester.beat({ member: 'b', epoch: 3, owned: {} })
  assert.equal(tester.groupState, 'Stable')
  return tester
}

describe('joining', () => {
  test('the first member gets everything with its first heartbeat', () => {
    const tester = setUp()
    assert.deepEqual(tester.enterWith('a'), {
      errorCode: NONE,
      errorMessage: null,
      memberId: 'a',
      memberEpoch: 2,
      heartbeatIntervalMs: 5_000,
      assignment: { orders: [0, 1, 2, 3] },
    })
    assert.equal(tester.groupState, 'Stable')
  })

  test('a member without an id is given one', () => {
    const tester = setUp()
    const { memberId } = tester.beat({ topics: ['orders'] })
    assert.equal(memberId, 'made-1')
    assert.equal(tester.beat({ member: 'made-1', epoch: 2 }).errorCode, NONE)
  })

  test('what is written first is the member, then the epoch, the target and what the member has', () => {
    const tester = setUp()
    const records = tester.appended(() => tester.enterWith('a'))
    assert.deepEqual(
      records.map(({ kind }) => kind),
      ['consumerMember', 'consumerEpoch', 'consumerTarget', 'consumerTargetEpoch', 'consumerAssignment'],
    )
  })

  test('a member that reads nothing, or what does not exist, is in the group all the same', () => {
    const tester = setUp()
    assert.deepEqual(tester.enterWith('a', []).assignment, {})
    assert.deepEqual(tester.enterWith('b', ['missing']).assignment, {})
    assert.deepEqual(Object.keys(tester.holdings), ['a', 'b'])
  })

  test('one that joins again keeps what it has, in a new answer', () => {
    const tester = setUp()
    tester.enterWith('a')
    const again = tester.enterWith('a')
    assert.deepEqual([again.memberEpoch, again.assignment], [2, { orders: [0, 1, 2, 3] }])
    assert.equal(tester.appended(() => tester.enterWith('a')).length, 0)
  })

  test('a full group takes nobody, but hears its own', () => {
    const tester = setUp({ consumerMaxSize: 1 })
    tester.enterWith('a')
    const { errorCode, errorMessage } = tester.enterWith('b')
    assert.equal(errorCode, GROUP_MAX_SIZE_REACHED)
    assert.equal(errorMessage, 'The consumer group has reached its maximum capacity of 1 members.')
    assert.equal(tester.enterWith('a').errorCode, NONE)
  })

  test('only a join makes a group', () => {
    const tester = setUp()
    const answer = tester.beat({ member: 'a', epoch: 1 })
    assert.deepEqual([answer.errorCode, answer.errorMessage], [GROUP_ID_NOT_FOUND, 'Consumer group g not found.'])
    assert.equal(tester.beat({ member: 'a', epoch: -1 }).errorMessage, 'Group g not found.')
    assert.equal(tester.list().length, 0)
  })

  test('a classic group without members makes way, and its offsets stay', () => {
    const tester = setUp()
    tester.commit(7, { topic: 'orders' })
    assert.deepEqual(
      tester.list().map(({ groupType }) => groupType),
      ['classic'],
    )
    const [first] = tester.appended(() => assert.equal(tester.enterWith('a').errorCode, NONE))
    assert.equal(first?.kind, 'groupDeleted')
    assert.deepEqual(
      tester.list().map(({ groupType, groupState }) => [groupType, groupState]),
      [['consumer', 'Stable']],
    )
    assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 7)
    tester.restart()
    assert.equal(tester.groupState, 'Stable')
    assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 7)
  })
})

describe('partitions on their way from one member to another', () => {
  test('the new owner waits until the old one says that it has none of them any more', () => {
    const tester = setUp()
    tester.enterWith('a')
    const b = tester.enterWith('b')
    assert.deepEqual([b.memberEpoch, b.assignment], [3, {}])
    assert.equal(tester.groupState, 'Reconciling')

    const told = tester.beat({ member: 'a', epoch: 2 })
    assert.deepEqual([told.memberEpoch, told.assignment], [2, { orders: [0, 1] }])
    assert.equal(tester.beat({ member: 'b', epoch: 3 }).assignment, null)
    const stillOwns = tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1, 2] } })
    assert.deepEqual([stillOwns.memberEpoch, stillOwns.assignment], [2, null])
    assert.equal(tester.beat({ member: 'b', epoch: 3 }).assignment, null)

    const revoked = tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1] } })
    assert.deepEqual([revoked.memberEpoch, revoked.assignment], [3, null])
    assert.deepEqual(tester.beat({ member: 'b', epoch: 3 }).assignment, { orders: [2, 3] })
    assert.equal(tester.groupState, 'Stable')
  })

  test('what a member keeps it is told to have at every moment', () => {
    const tester = setUp()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new ObedientClient(tester, name))
    for (let round = 0; round < 4; round++) [a!, b!].forEach((client) => client.beat())
    const before = { a: a!.owned['orders']!, b: b!.owned['orders']! }
    const kept = { a: new Set(before.a), b: new Set(before.b) }
    for (let round = 0; round < 6; round++) {
      for (const client of [c!, a!, b!]) client.beat()
      for (const name of ['a', 'b'] as const) {
        const target = new Set(tester.holdings[name]!.target['orders'])
        for (const partition of kept[name]) if (!target.has(partition)) kept[name].delete(partition)
        const owned = (name === 'a' ? a! : b!).owned['orders']!
        assert.ok([...kept[name]].every((partition) => owned.includes(partition)))
      }
    }
    assert.equal(tester.groupState, 'Stable')
    assert.deepEqual(
      [a, b, c].map((client) => client!.owned['orders']!.length).toSorted((one, other) => one - other),
      [1, 1, 2],
    )
  })

  test('one that is too slow to give up is out, and what it had is free', () => {
    const tester = setUp()
    tester.enterWith('a', ['orders'], { rebalanceTimeoutMs: 20_000 })
    tester.enterWith('b')
    tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1, 2, 3] } })
    tester.advance(19_999)
    assert.equal(tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1, 2, 3] } }).errorCode, NONE)
    tester.advance(1)
    assert.ok(tester.notes.some((note) => note.kind === 'memberOverdue' && note.phase === 'revocation'))
    assert.equal(tester.beat({ member: 'a', epoch: 2 }).errorCode, UNKNOWN_MEMBER_ID)
    assert.deepEqual(tester.beat({ member: 'b', epoch: 3 }).assignment, { orders: [0, 1, 2, 3] })
  })

  test('one that has given up in time stays', () => {
    const tester = setUp()
    tester.enterWith('a', ['orders'], { rebalanceTimeoutMs: 20_000 })
    tester.enterWith('b')
    tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1, 2, 3] } })
    tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1] } })
    tester.advance(30_000)
    assert.equal(tester.beat({ member: 'a', epoch: 3 }).errorCode, NONE)
  })
})

describe('which epoch a member may come with', () => {
  const all: Partitions = { orders: [0, 1] }
  const cases = [
    { name: 'its own', epoch: 3, owned: null, code: NONE },
    { name: 'a later one', epoch: 4, owned: all, code: FENCED_MEMBER_EPOCH },
    { name: 'the one before, with what it has', epoch: 2, owned: all, code: NONE },
    { name: 'the one before, with less than it has', epoch: 2, owned: { orders: [1] }, code: NONE },
    { name: 'the one before, with nothing', epoch: 2, owned: {}, code: NONE },
    {
      name: 'the one before, with more than it has',
      epoch: 2,
      owned: { orders: [0, 1, 2] },
      code: FENCED_MEMBER_EPOCH,
    },
    { name: 'the one before, with another topic', epoch: 2, owned: { other: [0] }, code: FENCED_MEMBER_EPOCH },
    { name: 'the one before, without a word', epoch: 2, owned: null, code: FENCED_MEMBER_EPOCH },
    { name: 'an older one', epoch: 1, owned: {}, code: FENCED_MEMBER_EPOCH },
  ]
  for (const { name, epoch, owned, code } of cases) {
    test(`${name}: ${code === NONE ? 'heard' : 'fenced'}`, () => {
      const tester = settled()
      tester.topic('other', 1)
      const answer = tester.beat({ member: 'a', epoch, owned })
      assert.equal(answer.errorCode, code)
      if (code === NONE) return assert.equal(answer.memberEpoch, 3)
      const which = epoch > 3 ? 'greater' : 'smaller'
      assert.equal(
        answer.errorMessage,
        `The consumer group member has a ${which} member epoch (${epoch}) than the one known by the group coordinator (3). ` +
          'The member must abandon all its partitions and rejoin.',
      )
    })
  }

  test('a stranger is told so', () => {
    const { errorCode, errorMessage } = settled().beat({ member: 'c', epoch: 3 })
    assert.deepEqual([errorCode, errorMessage], [UNKNOWN_MEMBER_ID, 'Member c is not a member of group g.'])
  })
})

describe('when the answer says what the member has', () => {
  const full = { rebalanceTimeoutMs: 60_000, topics: ['orders'], owned: { orders: [0, 1] } }
  const cases = [
    { name: 'nothing is new', request: {}, tells: false },
    { name: 'the member asks with a full request', request: full, tells: true },
    { name: 'a full request by regular expression', request: { ...full, topics: null, regex: '' }, tells: true },
    { name: 'the request lacks the timeout', request: { ...full, rebalanceTimeoutMs: -1 }, tells: false },
    { name: 'the request lacks the subscription', request: { ...full, topics: null }, tells: false },
    { name: 'the request lacks what the member owns', request: { ...full, owned: null }, tells: false },
  ]
  for (const { name, request, tells } of cases) {
    test(`${name}: ${tells ? 'yes' : 'no'}`, () => {
      const { assignment } = settled().beat({ member: 'a', epoch: 3, ...request })
      assert.deepEqual(assignment, tells ? { orders: [0, 1] } : null)
    })
  }
})

describe('members that go', () => {
  test('one that leaves is answered, and what it had is free at once', () => {
    const tester = settled()
    const answer = tester.beat({ member: 'a', epoch: -1 })
    assert.deepEqual(
      [answer.errorCode, answer.memberId, answer.memberEpoch, answer.heartbeatIntervalMs],
      [NONE, 'a', -1, 0],
    )
    assert.equal(tester.groupState, 'Assigning')
    assert.deepEqual(tester.beat({ member: 'b', epoch: 3 }).assignment, { orders: [0, 1, 2, 3] })
    assert.equal(tester.beat({ member: 'a', epoch: -1 }).errorCode, UNKNOWN_MEMBER_ID)
  })

  test('it takes its records along, in the order in which Kafka wants to read it', () => {
    const tester = settled()
    const records = tester.appended(() => tester.beat({ member: 'a', epoch: -1 }))
    assert.deepEqual(
      records.map((record) => [record.kind, 'value' in record && record.value === null]),
      [
        ['consumerAssignment', true],
        ['consumerTarget', true],
        ['consumerMember', true],
        ['consumerEpoch', false],
      ],
    )
  })

  test('one that is silent for as long as its session lasts is out', () => {
    const tester = settled()
    tester.advance(44_000)
    tester.beat({ member: 'b', epoch: 3 })
    tester.advance(999)
    assert.equal(Object.keys(tester.holdings).length, 2)
    tester.advance(1)
    assert.deepEqual(Object.keys(tester.holdings), ['b'])
    assert.deepEqual(
      tester.notes.filter(({ kind }) => kind === 'memberSilent').map((note) => 'silentMs' in note && note.silentMs),
      [45_000],
    )
  })

  test('a session is as long as the config of the group says when the member was last heard', () => {
    const tester = settled()
    tester.configs = tester.withConfig({ sessionTimeoutMs: 50_000 })
    tester.beat({ member: 'b', epoch: 3 })
    tester.advance(49_999)
    assert.deepEqual(Object.keys(tester.holdings), ['b'])
    tester.advance(1)
    assert.equal(tester.groupState, 'Empty')
  })

  test('where closed connections count, dynamic members go with theirs and static ones stay', () => {
    const tester = setUp({ removeMembersOnDisconnect: true })
    tester.enterWith('a', ['orders'], { connectionId: 7 })
    tester.enterWith('s', ['orders'], { connectionId: 7, instance: 'i' })
    tester.enterWith('b', ['orders'], { connectionId: 8 })
    tester.step({ kind: 'connectionClosed', connectionId: 7 })
    assert.deepEqual(Object.keys(tester.holdings), ['s', 'b'])
  })

  test('elsewhere a closed connection means nothing', () => {
    const tester = settled()
    tester.step({ kind: 'connectionClosed', connectionId: 1 })
    assert.deepEqual(Object.keys(tester.holdings), ['a', 'b'])
  })

  test('a group without members is empty, knows its epoch, and is deleted with everything it wrote', () => {
    const tester = settled()
    tester.beat({ member: 'a', epoch: -1 })
    tester.beat({ member: 'b', epoch: -1 })
    assert.equal(tester.groupState, 'Empty')
    assert.equal(tester.describeConsumers().groupEpoch, 5)
    assert.deepEqual(tester.deleteGroups('g'), [NONE])
    assert.equal(tester.describeConsumers().errorCode, GROUP_ID_NOT_FOUND)
    const left = new Map<string, unknown>()
    for (const record of tester.records) {
      if (!('value' in record)) continue
      const { kind, value } = record
      left.set(`${kind}/${'memberId' in record ? record.memberId : ''}`, value)
    }
    assert.deepEqual(
      [...left.values()].filter((value) => value !== null),
      [],
    )
  })
})

describe('what the group reads', () => {
  test('a member that reads other topics gives up the old ones and gets the new', () => {
    const tester = setUp()
    tester.topic('payments', 2)
    tester.enterWith('a')
    const told = tester.beat({ member: 'a', epoch: 2, topics: ['payments'], owned: { orders: [0, 1, 2, 3] } })
    assert.deepEqual([told.memberEpoch, told.assignment], [2, {}])
    const moved = tester.beat({ member: 'a', epoch: 2, owned: {} })
    assert.deepEqual([moved.memberEpoch, moved.assignment], [3, { payments: [0, 1] }])
    assert.deepEqual(
      tester.notes.filter(({ kind }) => kind === 'subscriptionChanged').map((note) => 'topics' in note && note.topics),
      [['payments']],
    )
  })

  test('the order and repetition of topics mean nothing', () => {
    const tester = setUp()
    tester.enterWith('a', ['orders', 'b'])
    const records = tester.appended(() => tester.beat({ member: 'a', epoch: 2, topics: ['b', 'orders', 'b'] }))
    assert.equal(records.length, 0)
  })

  test('more partitions are handed out with the next heartbeat', () => {
    const tester = setUp()
    tester.enterWith('a')
    tester.topic('orders', 6)
    const answer = tester.beat({ member: 'a', epoch: 2 })
    assert.deepEqual([answer.memberEpoch, answer.assignment], [3, { orders: [0, 1, 2, 3, 4, 5] }])
    assert.deepEqual(tester.notes.filter(({ kind }) => kind === 'topicsChanged').length, 1)
  })

  test('a topic that is created is handed out, one that is deleted is given up', () => {
    const tester = setUp()
    tester.enterWith('a', ['orders', 'payments'])
    tester.topic('payments', 1)
    const more = tester.beat({ member: 'a', epoch: 2 })
    assert.deepEqual(more.assignment, { orders: [0, 1, 2, 3], payments: [0] })
    tester.deleteTopic('payments')
    assert.deepEqual(tester.beat({ member: 'a', epoch: 3 }).assignment, { orders: [0, 1, 2, 3] })
    tester.beat({ member: 'a', epoch: 3, owned: { orders: [0, 1, 2, 3] } })
    assert.equal(tester.groupState, 'Stable')
  })

  test('topics nobody reads concern nobody', () => {
    const tester = setUp()
    tester.enterWith('a')
    const records = tester.appended(() => {
      tester.topic('other', 3)
      tester.beat({ member: 'a', epoch: 2 })
    })
    assert.equal(records.length, 0)
  })

  test('replicas that move to other racks are a change', () => {
    const tester = setUp()
    tester.enterWith('a')
    tester.topic('orders', 4, () => ['rack-1'])
    assert.equal(tester.beat({ member: 'a', epoch: 2 }).memberEpoch, 3)
  })

  test('a heartbeat with nothing new writes nothing', () => {
    const tester = settled()
    assert.equal(tester.appended(() => tester.beat({ member: 'a', epoch: 3, owned: { orders: [0, 1] } })).length, 0)
  })

  test('a client under another name is written down, and moves nothing', () => {
    const tester = settled()
    const records = tester.appended(() => tester.beat({ member: 'a', epoch: 3, clientId: 'other' }))
    assert.deepEqual(
      records.map(({ kind }) => kind),
      ['consumerMember'],
    )
  })
})

describe('targets', () => {
  test('a new one waits until the last is old enough', () => {
    const tester = setUp()
    tester.configs = tester.withConfig({ assignmentIntervalMs: 1_000 })
    tester.enterWith('a')
    const b = tester.enterWith('b')
    assert.deepEqual([b.memberEpoch, b.assignment], [2, {}])
    assert.equal(tester.groupState, 'Assigning')
    tester.advance(999)
    assert.equal(tester.beat({ member: 'a', epoch: 2 }).assignment, null)
    tester.advance(1)
    assert.deepEqual(tester.beat({ member: 'a', epoch: 2 }).assignment, { orders: [0, 1] })
    assert.equal(tester.beat({ member: 'b', epoch: 2 }).memberEpoch, 3)
  })

  test('the assignor is the one most members ask for, or the first of the broker', () => {
    const tester = setUp()
    const assignor = () => tester.describeConsumers().assignorName
    tester.enterWith('a')
    assert.equal(assignor(), 'uniform')
    tester.enterWith('b', ['orders'], { assignor: 'range' })
    assert.equal(assignor(), 'range')
    tester.enterWith('c', ['orders'], { assignor: 'uniform' })
    tester.enterWith('d', ['orders'], { assignor: 'uniform' })
    assert.equal(assignor(), 'uniform')
    tester.beat({ member: 'd', epoch: tester.holdings['d']!.epoch, assignor: 'range' })
    assert.equal(assignor(), 'range')
  })

  test('the range assignor gives each member the same partitions of every topic', () => {
    const tester = setUp()
    tester.topic('payments', 4)
    const options = { assignor: 'range' }
    tester.enterWith('a', ['orders', 'payments'], options)
    tester.enterWith('b', ['orders', 'payments'], options)
    assert.deepEqual(tester.holdings['a']!.target, { orders: [0, 1], payments: [0, 1] })
    assert.deepEqual(tester.holdings['b']!.target, { orders: [2, 3], payments: [2, 3] })
  })
})

describe('after a restart', () => {
  test('everything is as before, and nobody moves', () => {
    const tester = settled()
    const before = tester.describeConsumers()
    tester.restart()
    assert.deepEqual(tester.describeConsumers(), before)
    const records = tester.appended(() => {
      assert.equal(tester.beat({ member: 'a', epoch: 3, owned: { orders: [0, 1] } }).assignment, null)
      assert.equal(tester.beat({ member: 'b', epoch: 3, owned: { orders: [2, 3] } }).assignment, null)
    })
    assert.equal(records.length, 0)
  })

  test('sessions begin anew', () => {
    const tester = settled()
    tester.advance(40_000)
    tester.restart()
    tester.advance(44_999)
    assert.equal(Object.keys(tester.holdings).length, 2)
    tester.advance(1)
    assert.equal(tester.groupState, 'Empty')
  })

  test('the time to give up partitions begins anew', () => {
    const tester = setUp()
    tester.enterWith('a', ['orders'], { rebalanceTimeoutMs: 20_000 })
    tester.enterWith('b')
    tester.beat({ member: 'a', epoch: 2 })
    tester.advance(15_000)
    tester.restart()
    tester.advance(19_999)
    assert.ok('a' in tester.holdings)
    tester.advance(1)
    assert.ok(!('a' in tester.holdings))
  })

  test('what changed meanwhile is noticed', () => {
    const tester = settled()
    tester.topics.set('orders', 5)
    tester.restart()
    tester.beat({ member: 'a', epoch: 3 })
    assert.equal(tester.describeConsumers().groupEpoch, 4)
  })
})

describe('what others see', () => {
  test('what a member has to give up is its own until it has done so', () => {
    const tester = setUp()
    tester.enterWith('a', ['orders'], { rack: 'r', instance: 'i' })
    tester.enterWith('b')
    tester.beat({ member: 'a', epoch: 2, instance: 'i' })
    const { groupState, groupEpoch, assignmentEpoch, members } = tester.describeConsumers()
    assert.deepEqual([groupState, groupEpoch, assignmentEpoch], ['Reconciling', 3, 3])
    const a = members.find(({ memberId }) => memberId === 'a')!
    assert.deepEqual([a.instanceId, a.rackId, a.memberEpoch, a.memberType], ['i', 'r', 2, 1])
    assert.deepEqual([a.clientId, a.clientHost, a.subscribedTopicNames], ['client', '/127.0.0.1', ['orders']])
    assert.deepEqual(tester.named(a.assignment.topicPartitions), { orders: [0, 1, 2, 3] })
    assert.deepEqual(tester.named(a.targetAssignment.topicPartitions), { orders: [0, 1] })
    assert.equal(a.assignment.topicPartitions[0]!.topicName, 'orders')
  })

  test('ConsumerGroupDescribe knows no classic group, DescribeGroups no other', () => {
    const tester = setUp()
    tester.stable(1, { group: 'classic' })
    const { errorCode, errorMessage } = tester.describeConsumers('classic')
    assert.deepEqual([errorCode, errorMessage], [GROUP_ID_NOT_FOUND, 'Group classic is not a consumer group.'])
    assert.equal(tester.describeConsumers('none').errorMessage, 'Group none not found.')
    tester.enterWith('a')
    assert.deepEqual([tester.describe('g').errorCode, tester.describe('g').groupState], [GROUP_ID_NOT_FOUND, 'Dead'])
    assert.equal(tester.describe('g', 5).errorCode, NONE)
  })

  test('ListGroups shows type and state, and filters by them', () => {
    const tester = settled()
    const listed = { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' }
    assert.deepEqual(tester.list(), [listed])
    assert.deepEqual(tester.list(['stable'], ['consumer']), [listed])
    assert.deepEqual(tester.list(['reconciling']), [])
    assert.deepEqual(tester.list([], ['classic']), [])
  })

  test('the story of a rebalance is told: who came, what moved, when it was over', () => {
    const tester = setUp()
    tester.enterWith('a')
    tester.notes.length = 0
    tester.enterWith('b')
    tester.advance(2_000)
    tester.beat({ member: 'a', epoch: 2 })
    tester.advance(1_000)
    tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1] } })
    tester.advance(500)
    tester.beat({ member: 'b', epoch: 3 })
    const told = tester.notes.map((note) => {
      if (note.kind === 'assignmentChanged') return [note.member.memberId, note.gained, note.lost]
      return note.kind === 'rebalanceEnded' ? [note.kind, note.epoch, note.members, note.durationMs] : note.kind
    })
    assert.deepEqual(told, [
      'memberJoined',
      'rebalanceStarted',
      ['a', [], ['orders-2', 'orders-3']],
      ['b', ['orders-2', 'orders-3'], []],
      ['rebalanceEnded', 3, 2, 3_500],
    ])
  })
})
