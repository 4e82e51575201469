import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { ConsumerGroupTester, ObedientClient } from './consumer-group-tester.sim.ts'
import { assignment, ClassicClient, type ClassicClientOptions, read, subscription } from './migration-tester.sim.ts'

function testerWith(partitions: number, settings: ConstructorParameters<typeof ConsumerGroupTester>[0] = {}) {
  const tester = new ConsumerGroupTester({ initialRebalanceDelayMs: 0, ...settings })
  tester.topic('orders', partitions)
  return tester
}

/** A stable classic group of so many consumers. */
function classicGroup(tester: ConsumerGroupTester, count: number, options: ClassicClientOptions = {}): ClassicClient[] {
  const clients = Array.from({ length: count }, () => new ClassicClient(tester, options))
  settle(tester, clients)
  return clients
}

/** Everybody goes on until nothing changes any more. */
function settle(
  tester: ConsumerGroupTester,
  clients: readonly ClassicClient[],
  others: readonly ObedientClient[] = [],
): void {
  for (let round = 0; round < 30; round++) {
    for (const client of clients) client.step()
    for (const client of others) client.beat()
    tester.advance(500)
  }
  assert.ok(
    clients.every((client) => client.isStable),
    'all classic members have settled',
  )
}

function all(...owned: readonly Readonly<Record<string, readonly number[]>>[]): number[] {
  return owned.flatMap(({ orders = [] }) => orders).toSorted((one, other) => one - other)
}

const listed = (tester: ConsumerGroupTester) =>
  tester.list().map(({ groupType, groupState }) => `${groupType} ${groupState}`)

test('a classic group becomes a consumer group when a member of the consumer protocol joins; its members keep what they have', () => {
  const tester = testerWith(4)
  const [one, two] = classicGroup(tester, 2)
  const { generation } = one!
  const records = tester.appended(() => {
    const joined = tester.enterWith('new')
    assert.equal(joined.errorCode, ErrorCode.NONE)
    assert.equal(joined.memberEpoch, generation + 1)
    assert.deepEqual(joined.assignment, {})
  })
  assert.deepEqual(
    records.map(({ kind }) => kind),
    [
      'groupDeleted',
      'consumerMember',
      'consumerMember',
      'consumerEpoch',
      'consumerTarget',
      'consumerTarget',
      'consumerTargetEpoch',
      'consumerAssignment',
      'consumerAssignment',
      // From here on the member that joined.
      'consumerMember',
      'consumerEpoch',
      'consumerTarget',
      'consumerTarget',
      'consumerTargetEpoch',
      'consumerAssignment',
    ],
  )
  assert.deepEqual(listed(tester), ['consumer Reconciling'])
  const { [one!.memberId]: first, [two!.memberId]: second } = tester.holdings
  assert.deepEqual([first!.has, second!.has], [one!.owned, two!.owned])
  assert.deepEqual([first!.epoch, second!.epoch], [generation, generation])
  assert.ok(tester.notes.some((note) => note.kind === 'converted' && note.to === 'consumer'))
})

test('the records of an upgrade are written at once: there is one append', () => {
  const tester = testerWith(2)
  classicGroup(tester, 1)
  const before = tester.effects.length
  tester.enterWith('new')
  assert.equal(tester.effects.slice(before).filter(({ kind }) => kind === 'append').length, 1)
})

test('classic members are told by heartbeats to rejoin, and end with their share of what the consumer member leaves them', () => {
  for (const cooperative of [false, true]) {
    const tester = testerWith(6)
    const clients = classicGroup(tester, 2, { cooperative })
    const modern = new ObedientClient(tester, 'new')
    modern.beat()
    assert.equal(tester.heartbeat(clients[0]!.memberId, clients[0]!.generation), ErrorCode.REBALANCE_IN_PROGRESS)
    settle(tester, clients, [modern])
    assert.deepEqual(all(modern.owned, ...clients.map(({ owned }) => owned)), [0, 1, 2, 3, 4, 5])
    assert.deepEqual(
      [modern, ...clients].map(({ owned }) => owned['orders']!.length),
      [2, 2, 2],
    )
    assert.equal(tester.groupState, 'Stable')
  }
})

test('a group goes from one protocol to the other member by member, and back', () => {
  const tester = testerWith(6)
  tester.commit(41, { topic: 'orders' })
  let classic = classicGroup(tester, 3)
  const modern: ObedientClient[] = []
  while (classic.length > 0) {
    classic.pop()!.leave()
    modern.push(new ObedientClient(tester, `modern-${modern.length}`))
    settle(tester, classic, modern)
    assert.deepEqual(all(...classic.map(({ owned }) => owned), ...modern.map(({ owned }) => owned)), [0, 1, 2, 3, 4, 5])
    assert.deepEqual(listed(tester), ['consumer Stable'])
  }
  while (modern.length > 0) {
    const leaving = modern.pop()!
    tester.beat({ member: leaving.memberId, epoch: -1 })
    classic = [...classic, new ClassicClient(tester)]
    settle(tester, classic, modern)
    assert.deepEqual(all(...classic.map(({ owned }) => owned), ...modern.map(({ owned }) => owned)), [0, 1, 2, 3, 4, 5])
  }
  assert.deepEqual(listed(tester), ['classic Stable'])
  assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 41)
})

test('a group with members of both protocols survives a restart', () => {
  const tester = testerWith(4)
  const clients = classicGroup(tester, 1)
  const modern = new ObedientClient(tester, 'new')
  settle(tester, clients, [modern])
  const before = tester.holdings
  tester.restart()
  assert.deepEqual(tester.holdings, before)
  settle(tester, clients, [modern])
  assert.deepEqual(tester.holdings, before)
})

test('when the last consumer member leaves, those that stay are a classic group that rebalances', () => {
  const tester = testerWith(4)
  const clients = classicGroup(tester, 2)
  const modern = new ObedientClient(tester, 'new')
  settle(tester, clients, [modern])
  const records = tester.appended(() => tester.beat({ member: 'new', epoch: -1 }))
  assert.equal(records.at(-1)!.kind, 'generation')
  assert.equal(records.at(-2)!.kind, 'consumerEpoch')
  assert.deepEqual(listed(tester), ['classic PreparingRebalance'])
  assert.equal(tester.heartbeat(clients[0]!.memberId, clients[0]!.generation), ErrorCode.REBALANCE_IN_PROGRESS)
  settle(tester, clients)
  assert.deepEqual(all(...clients.map(({ owned }) => owned)), [0, 1, 2, 3])
  assert.ok(tester.notes.some((note) => note.kind === 'converted' && note.to === 'classic'))
})

test('a downgraded group that is read from the log again goes on as the classic group it is', () => {
  const tester = testerWith(4)
  const clients = classicGroup(tester, 2)
  settle(tester, clients, [new ObedientClient(tester, 'new')])
  tester.beat({ member: 'new', epoch: -1 })
  tester.restart()
  assert.deepEqual(listed(tester), ['classic Stable'])
  const [client] = clients
  assert.equal(tester.heartbeat(client!.memberId, client!.generation), ErrorCode.ILLEGAL_GENERATION, 'it must rejoin')
  settle(tester, clients)
  assert.deepEqual(all(...clients.map(({ owned }) => owned)), [0, 1, 2, 3])
})

test('a silent consumer member makes its group classic too', () => {
  const tester = testerWith(2)
  const clients = classicGroup(tester, 1)
  settle(tester, clients, [new ObedientClient(tester, 'new')])
  for (let ms = 0; ms < 60_000; ms += 1_000) {
    tester.advance(1_000)
    for (const client of clients) client.step()
  }
  assert.deepEqual(listed(tester), ['classic Stable'])
  assert.deepEqual(all(clients[0]!.owned), [0, 1])
})

test('a converted group has no timers of the group it was', () => {
  const tester = testerWith(4)
  const clients = classicGroup(tester, 2)
  tester.join({ protocols: [['range', subscription(['orders'])]] }) // given an id, yet to come back with it
  tester.enter({ protocols: [['range', subscription(['orders'])]] }) // everybody else has to rejoin
  tester.enterWith('new')
  const keys = () => [...tester.timers.keys()].filter((key) => key !== 'retention')
  assert.ok(
    keys().every((key) => key.startsWith('consumer-')),
    keys().join(),
  )
  settle(tester, clients, [new ObedientClient(tester, 'new')])
  tester.beat({ member: 'new', epoch: -1 })
  assert.ok(keys().length > 0 && keys().every((key) => !key.startsWith('consumer-')), keys().join())
})

test('members of both protocols are where they say they are', () => {
  for (const rackId of ['r', '', null]) {
    const tester = testerWith(1)
    const metadata = subscription(['orders'], { rackId })
    const { memberId, replyTo } = tester.enter({ protocols: [['range', metadata]] })
    tester.advance(0)
    const { generationId } = tester.answer(replyTo)!
    tester.sync(memberId, generationId)
    tester.enterWith('new')
    const late = tester.enter({ protocols: [['range', metadata]] })
    const racks = new Map(tester.describeConsumers().members.map((member) => [member.memberId, member.rackId]))
    assert.deepEqual([racks.get(memberId), racks.get(late.memberId)], rackId === 'r' ? ['r', 'r'] : [null, null])
  }
})

test('classic members of a downgraded group may choose any protocol they offered, not only the one that the log keeps', () => {
  const tester = testerWith(2)
  const [client] = classicGroup(tester, 1, { protocols: ['range', 'roundrobin'] })
  settle(tester, [client!], [new ObedientClient(tester, 'new')])
  tester.beat({ member: 'new', epoch: -1 })
  const late = tester.answer(tester.join({ protocols: [['roundrobin', subscription(['orders'])]] }))!
  assert.equal(late.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
  const other = new ClassicClient(tester, { protocols: ['roundrobin'] })
  tester.advance(15_000) // nobody comes back with that id
  for (let ms = 0; ms < 70_000; ms += 500) {
    for (const each of [client!, other]) each.step()
    tester.advance(500)
  }
  assert.deepEqual(all(client!.owned, other.owned), [0, 1])
})

const policies = [
  { policy: 'bidirectional', upgrades: true, downgrades: true },
  { policy: 'upgrade', upgrades: true, downgrades: false },
  { policy: 'downgrade', upgrades: false, downgrades: true },
  { policy: 'disabled', upgrades: false, downgrades: false },
] as const

for (const { policy, upgrades, downgrades } of policies) {
  test(`policy ${policy}: a classic group with members ${upgrades ? 'becomes' : 'does not become'} a consumer group`, () => {
    const tester = testerWith(2, { consumerMigrationPolicy: policy })
    classicGroup(tester, 1)
    const records = tester.appended(() => {
      const { errorCode, errorMessage } = tester.enterWith('new')
      assert.equal(errorCode, upgrades ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND)
      const why = 'Cannot upgrade classic group g to consumer group because online upgrade is disabled.'
      assert.equal(errorMessage, upgrades ? null : why)
    })
    assert.equal(records.length > 0, upgrades)
    assert.equal(tester.list()[0]!.groupType, upgrades ? 'consumer' : 'classic')
  })

  test(`policy ${policy}: a group whose members are all classic ${downgrades ? 'becomes' : 'does not become'} classic`, () => {
    const tester = testerWith(2, { consumerMigrationPolicy: policy })
    tester.enterWith('new')
    const client = new ClassicClient(tester)
    client.step()
    // Where nobody may move at all, no classic member gets into a consumer group.
    const isIn = policy !== 'disabled'
    assert.equal(client.memberId !== '', isIn)
    tester.beat({ member: 'new', epoch: -1 })
    assert.equal(tester.list()[0]!.groupType, downgrades && isIn ? 'classic' : 'consumer')
  })

  test(`policy ${policy}: an empty group changes protocol all the same`, () => {
    const tester = testerWith(2, { consumerMigrationPolicy: policy })
    const [client] = classicGroup(tester, 1)
    client!.leave()
    assert.equal(tester.enterWith('new').errorCode, ErrorCode.NONE)
    assert.deepEqual(listed(tester), ['consumer Stable'])
    tester.beat({ member: 'new', epoch: -1 })
    assert.deepEqual(listed(tester), ['consumer Empty'])
    settle(tester, [new ClassicClient(tester)])
    assert.deepEqual(listed(tester), ['classic Stable'])
  })
}

test('a group that only has offsets becomes a consumer group and keeps them', () => {
  const tester = testerWith(1)
  tester.commit(7, { topic: 'orders' })
  assert.deepEqual(listed(tester), ['classic Empty'])
  assert.equal(tester.enterWith('new').errorCode, ErrorCode.NONE)
  assert.deepEqual(listed(tester), ['consumer Stable'])
  tester.restart()
  assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 7)
})

const unreadable = [
  {
    what: 'an assignor keeps something of its own in assignments',
    metadata: subscription(['orders']),
    given: assignment({ orders: [0] }, { userData: Buffer.from('secret') }),
    message:
      'an unsupported custom assignor is in use. ' +
      'Please refer to the documentation or switch to a default assignor before re-attempting the upgrade',
  },
  {
    what: 'a subscription cannot be read',
    metadata: Buffer.from('nonsense'),
    given: assignment({}),
    message: 'the embedded consumer protocol is malformed',
  },
  {
    what: 'an assignment cannot be read',
    metadata: subscription(['orders']),
    given: Buffer.from('nonsense'),
    message: 'the embedded consumer protocol is malformed',
  },
]

for (const { what, metadata, given, message } of unreadable) {
  test(`a classic group stays as it is where ${what}`, () => {
    const tester = testerWith(1)
    const { memberId, replyTo } = tester.enter({ protocols: [['custom', metadata]] })
    tester.advance(0)
    const { generationId } = tester.answer(replyTo)!
    tester.sync(memberId, generationId, { [memberId]: given })
    const records = tester.appended(() => {
      const answer = tester.enterWith('new')
      assert.equal(answer.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
      assert.equal(answer.errorMessage, `Cannot upgrade classic group g to consumer group because ${message}.`)
    })
    assert.deepEqual(records, [])
    assert.equal(tester.heartbeat(memberId, generationId), ErrorCode.NONE)
  })
}

test('a group of other members than consumers stays classic', () => {
  const tester = testerWith(1)
  tester.stable(1, { protocolType: 'connect' })
  const { errorCode, errorMessage } = tester.enterWith('new')
  assert.equal(errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
  assert.match(errorMessage!, /does not use the consumer embedded protocol/)
})

test('a classic group too large for a consumer group stays classic; one that is full then lets nobody in', () => {
  for (const consumerMaxSize of [1, 2]) {
    const tester = testerWith(1, { consumerMaxSize })
    const clients = classicGroup(tester, 2)
    const { errorCode } = tester.enterWith('new')
    const { GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED } = ErrorCode
    assert.equal(errorCode, consumerMaxSize === 1 ? GROUP_ID_NOT_FOUND : GROUP_MAX_SIZE_REACHED)
    assert.deepEqual(listed(tester), ['classic Stable'])
    settle(tester, clients)
  }
})

test('a group stays a consumer group while it has more members than a classic group may have', () => {
  const tester = testerWith(2, { maxSize: 1 })
  tester.enterWith('new')
  const clients = [new ClassicClient(tester), new ClassicClient(tester)]
  const modern = new ObedientClient(tester, 'new')
  settle(tester, clients, [modern])
  tester.beat({ member: 'new', epoch: -1 })
  assert.equal(tester.list()[0]!.groupType, 'consumer')
  settle(tester, clients)
  clients.pop()!.leave()
  assert.equal(tester.list()[0]!.groupType, 'classic')
})

test('a member waiting in SyncGroup is told to join again', () => {
  const tester = testerWith(1)
  const protocols = [['range', subscription(['orders'])]] as const
  const one = tester.enter({ protocols })
  tester.advance(0)
  const two = tester.enter({ protocols })
  const again = tester.join({ memberId: one.memberId, protocols })
  const { generationId, leader } = tester.answer(again)!
  const follower = leader === one.memberId ? two.memberId : one.memberId
  const sync = tester.sync(follower, generationId)
  assert.equal(tester.answer(sync), undefined)
  tester.enterWith('new')
  assert.equal(tester.answer(sync)!.errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
})

test('a member waiting in JoinGroup hears its id and that it is to join again', () => {
  const tester = testerWith(1)
  classicGroup(tester, 2)
  const other = tester.enter({ protocols: [['range', subscription(['orders'])]] })
  assert.equal(tester.answer(other.replyTo), undefined)
  tester.enterWith('new')
  const { errorCode, memberId } = tester.answer(other.replyTo)!
  assert.equal(errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
  assert.equal(memberId, other.memberId)
})

test('a static classic member that comes back with the consumer protocol takes over its place', () => {
  const tester = testerWith(2)
  const [client] = classicGroup(tester, 1, { instance: 'i' })
  const old = client!.memberId
  const { errorCode, assignment: got } = tester.enterWith('new', ['orders'], { instance: 'i' })
  assert.equal(errorCode, ErrorCode.NONE)
  assert.deepEqual(got, { orders: [0, 1] })
  assert.deepEqual(Object.keys(tester.holdings), ['new'])
  assert.equal(tester.heartbeat(old, client!.generation, 'i'), ErrorCode.FENCED_INSTANCE_ID)
})

test('a group that was about to assign its partitions assigns them as a consumer group, whoever joins it', () => {
  const tester = testerWith(2)
  tester.join({ instanceId: 'i', protocols: [['range', subscription(['orders'])]] })
  tester.advance(0)
  assert.deepEqual(listed(tester), ['classic CompletingRebalance'])
  assert.deepEqual(tester.enterWith('new', ['orders'], { instance: 'i' }).assignment, { orders: [0, 1] })
})

test('partitions that a classic group has not seen yet are assigned when it becomes a consumer group, whoever joins it', () => {
  const tester = testerWith(2)
  classicGroup(tester, 1, { instance: 'i' })
  tester.topic('orders', 3)
  assert.deepEqual(tester.enterWith('new', ['orders'], { instance: 'i' }).assignment, { orders: [0, 1, 2] })
})

test('a static consumer member that comes back classic, the last of its protocol, makes the group classic without a rebalance', () => {
  const tester = testerWith(2)
  tester.enterWith('modern', ['orders'], { instance: 'i' })
  const client = new ClassicClient(tester, { instance: 'i' })
  client.step()
  assert.deepEqual(listed(tester), ['classic Stable'])
  assert.ok(client.isStable)
  assert.deepEqual(client.owned, { orders: [0, 1] })
  assert.equal(tester.beat({ member: 'modern', epoch: 1, instance: 'i' }).errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
  settle(tester, [client])
  assert.deepEqual(client.owned, { orders: [0, 1] })
  tester.restart()
  settle(tester, [client])
  assert.deepEqual(client.owned, { orders: [0, 1] })
})

test('it leads the classic group then, and is told so; before JoinGroup 9 that takes a rebalance', () => {
  for (const version of [8, 9]) {
    const tester = testerWith(2)
    tester.enterWith('modern', ['orders'], { instance: 'i' })
    const protocols = [['range', subscription(['orders'])]] as const
    const replyTo = tester.join({ instanceId: 'i', protocols, version, newMemberId: 'c' })
    const { leader, skipAssignment, members } = tester.answer(replyTo)!
    assert.deepEqual([leader, skipAssignment, members.length], ['c', version === 9, 1])
    assert.deepEqual(listed(tester), [version === 9 ? 'classic Stable' : 'classic CompletingRebalance'])
  }
})

test('a static consumer member that comes back classic while others wait for their share makes the group classic, and rebalances it', () => {
  const tester = testerWith(4)
  tester.enterWith('modern', ['orders'], { instance: 'i' })
  const waiting = new ClassicClient(tester)
  waiting.step()
  assert.deepEqual(waiting.owned, {})
  const client = new ClassicClient(tester, { instance: 'i' })
  client.step()
  assert.deepEqual(listed(tester), ['classic PreparingRebalance'])
  settle(tester, [waiting, client])
  assert.deepEqual(
    [waiting, client].map(({ owned }) => owned['orders']!.length),
    [2, 2],
  )
})

test('a static classic member that comes back classic leaves a consumer group what it is, even where all are classic', () => {
  const tester = testerWith(2)
  tester.enterWith('modern')
  const one = new ClassicClient(tester, { instance: 'i' })
  settle(tester, [one], [new ObedientClient(tester, 'modern')])
  tester.join({ memberId: 'modern', protocols: [['range', subscription(['orders'])]] })
  new ClassicClient(tester, { instance: 'i' }).step()
  assert.equal(tester.list()[0]!.groupType, 'consumer')
})

test('a group that is asked to rejoin while it becomes a consumer group gives newcomers their share, whoever joins it', () => {
  const tester = testerWith(4)
  const [old] = classicGroup(tester, 1, { instance: 'i' })
  const newcomer = new ClassicClient(tester)
  newcomer.step()
  assert.deepEqual(listed(tester), ['classic PreparingRebalance'])
  assert.equal(tester.enterWith('new', ['orders'], { instance: old!.instance }).errorCode, ErrorCode.NONE)
  const modern = new ObedientClient(tester, 'new', { instance: 'i' })
  settle(tester, [newcomer], [modern])
  assert.equal(newcomer.owned['orders']!.length, 2)
})

test('a static consumer member that comes back classic while topics have grown makes the group classic, and rebalances it', () => {
  const tester = testerWith(2)
  tester.enterWith('modern', ['orders'], { instance: 'i' })
  tester.topic('orders', 3)
  const client = new ClassicClient(tester, { instance: 'i' })
  client.step()
  assert.deepEqual(client.owned, { orders: [0, 1, 2] })
  settle(tester, [client])
  assert.deepEqual(listed(tester), ['classic Stable'])
  assert.deepEqual(client.owned, { orders: [0, 1, 2] })
})

test('a static consumer member that comes back classic and reads something else makes the group classic, and rebalances it', () => {
  const tester = testerWith(2)
  tester.topic('others', 1)
  tester.enterWith('modern', ['orders'], { instance: 'i' })
  const client = new ClassicClient(tester, { instance: 'i', topics: ['others'] })
  settle(tester, [client])
  assert.deepEqual(listed(tester), ['classic Stable'])
  assert.deepEqual(client.owned, { others: [0] })
})

test('offsets are committed by members of both protocols, each in its own epoch or generation', () => {
  const tester = testerWith(2)
  const [client] = classicGroup(tester, 1)
  const modern = new ObedientClient(tester, 'new')
  settle(tester, [client!], [modern])
  const { memberId, generation, owned } = client!
  const partition = owned['orders']![0]!
  const commit = (epoch: number, version = 9) =>
    tester.commit(5, { memberId, generation: epoch, version, topic: 'orders', partition })
  assert.equal(commit(generation, 7), ErrorCode.NONE)
  assert.equal(commit(generation + 1), ErrorCode.ILLEGAL_GENERATION)
  const mine = { memberId: 'new', generation: modern.epoch, topic: 'orders', partition: modern.owned['orders']![0]! }
  assert.equal(tester.commit(6, mine), ErrorCode.NONE)
  assert.equal(tester.commit(6, { ...mine, generation: modern.epoch + 1 }), ErrorCode.STALE_MEMBER_EPOCH)
  assert.equal(tester.commit(6, { ...mine, version: 8 }), ErrorCode.UNSUPPORTED_VERSION)
  assert.equal(tester.fetch({ topic: 'orders', partition }).committedOffset, 5)
})

test('assignments are written in the version that the member reads', () => {
  for (const version of [0, 1, 3]) {
    const tester = testerWith(1)
    tester.enterWith('new', ['others'])
    const protocols = [['range', subscription(['orders'], { version })]] as const
    const { memberId, replyTo } = tester.enter({ protocols })
    const { generationId } = tester.answer(replyTo)!
    const given = tester.answer(tester.sync(memberId, generationId))!.assignment
    assert.equal(Buffer.from(given).readInt16BE(0), version)
    assert.deepEqual(read(given), { orders: [0] })
  }
})

/** As metadata of a protocol that nobody has had to read yet. */
const versionless = [
  { what: 'no bytes at all', metadata: [] },
  { what: 'half a version', metadata: [0] },
  { what: 'a version below all', metadata: [0xff, 0xff] },
]

for (const { what, metadata } of versionless) {
  test(`a protocol whose metadata is ${what} is no obstacle: its assignments are written in the oldest version`, () => {
    const garbled = Uint8Array.from(metadata)
    const good = subscription(['orders'])
    const upgraded = testerWith(2)
    const { memberId, replyTo } = upgraded.enter({ protocols: [['other', garbled] as const, ['range', good] as const] })
    upgraded.enter({ protocols: [['range', good] as const] })
    upgraded.advance(1)
    const { generationId } = upgraded.answer(replyTo)!
    upgraded.sync(memberId, generationId, { [memberId]: assignment({ orders: [0, 1] }) })
    assert.equal(upgraded.enterWith('new', []).errorCode, ErrorCode.NONE)
    const { assignment: synced } = upgraded.answer(upgraded.sync(memberId, generationId))!
    assert.deepEqual([Buffer.from(synced).readInt16BE(0), read(synced)], [0, { orders: [0, 1] }])

    const downgraded = testerWith(2)
    downgraded.enterWith('new')
    downgraded.enter({ protocols: [['range', good] as const, ['other', garbled] as const] })
    downgraded.enter({ protocols: [['other', good] as const] })
    downgraded.beat({ member: 'new', epoch: -1 })
    assert.equal(downgraded.describe().groupState, 'PreparingRebalance')
  })
}
