import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { JoinOptions } from '../group-tester.sim.ts'
import { ConsumerGroupTester, ObedientClient } from './consumer-group-tester.sim.ts'
import { ClassicClient, read, subscription } from './migration-tester.sim.ts'

const orders = [['range', subscription(['orders'])]] as const

/** A consumer group with one member of its own protocol, `modern`, and the topic `orders`. */
function consumerGroup(settings: ConstructorParameters<typeof ConsumerGroupTester>[0] = {}, partitions = 4) {
  const tester = new ConsumerGroupTester(settings)
  tester.topic('orders', partitions)
  tester.enterWith('modern')
  return tester
}

/** A classic member that has joined and synced, and has all that it can have without `modern` giving up anything. */
function withClassic(tester: ConsumerGroupTester, options: JoinOptions = {}) {
  const { memberId, replyTo } = tester.enter({ protocols: orders, ...options })
  const { generationId } = tester.answer(replyTo)!
  tester.sync(memberId, generationId, {}, options.instanceId ? { instanceId: options.instanceId } : {})
  return { memberId, generation: generationId }
}

/** All partitions shared, everybody at rest. */
function settled(tester: ConsumerGroupTester) {
  const client = new ClassicClient(tester)
  const modern = new ObedientClient(tester, 'modern')
  for (let round = 0; round < 10; round++) {
    client.step()
    modern.beat()
  }
  assert.equal(tester.groupState, 'Stable')
  return { client, modern }
}

test('a classic member is asked to come back with an id, which is nobody until it does', () => {
  const tester = consumerGroup()
  const records = tester.appended(() => {
    const answer = tester.answer(tester.join({ protocols: orders, newMemberId: 'c' }))!
    assert.equal(answer.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
    assert.equal(answer.memberId, 'c')
  })
  assert.deepEqual(records, [])
  assert.equal(tester.heartbeat('c', -1), ErrorCode.UNKNOWN_MEMBER_ID)
})

for (const { who, options } of [
  { who: 'before version 4', options: { version: 3 } },
  { who: 'with an instance id', options: { instanceId: 'i' } },
]) {
  test(`a classic member ${who} gets in without coming twice`, () => {
    const tester = consumerGroup()
    const { errorCode, memberId } = tester.answer(tester.join({ protocols: orders, newMemberId: 'c', ...options }))!
    assert.equal(errorCode, ErrorCode.NONE)
    assert.equal(memberId, 'c')
  })
}

test('a classic member that joins follows: it has no leader, hears of nobody, and its generation is its epoch', () => {
  const tester = consumerGroup()
  const { memberId, replyTo } = tester.enter({ protocols: orders })
  assert.deepEqual(tester.answer(replyTo), {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: 3,
    protocolType: 'consumer',
    protocolName: 'range',
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  })
})

const joins = [
  { does: 'another type of member', options: { protocolType: 'connect' }, code: ErrorCode.INCONSISTENT_GROUP_PROTOCOL },
  { does: 'no protocol at all', options: { protocols: [] }, code: ErrorCode.INCONSISTENT_GROUP_PROTOCOL },
  {
    does: 'no protocol in common with the classic members',
    options: { protocols: [['sticky', subscription(['orders'])]] as const },
    code: ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
  },
  {
    does: 'one protocol in common with them',
    options: {
      protocols: [
        ['sticky', subscription(['orders'])],
        ['range', subscription(['orders'])],
      ] as const,
    },
    code: ErrorCode.MEMBER_ID_REQUIRED,
  },
  {
    does: 'a subscription nobody can read',
    options: { memberId: 'c', protocols: [['range', 'x']] as const },
    code: ErrorCode.UNKNOWN_SERVER_ERROR,
  },
  {
    does: 'an id and an instance id that nobody has',
    options: { memberId: 'c', instanceId: 'nobody' },
    code: ErrorCode.UNKNOWN_MEMBER_ID,
  },
  {
    does: 'the instance id of somebody else',
    options: { memberId: 'c', instanceId: 'i' },
    code: ErrorCode.FENCED_INSTANCE_ID,
  },
] satisfies { does: string; options: JoinOptions; code: ErrorCode }[]

for (const { does, options, code } of joins) {
  test(`JoinGroup with ${does}: ${code}`, () => {
    const tester = consumerGroup()
    withClassic(tester, { instanceId: 'i' })
    const records = tester.appended(() => {
      const answer = tester.answer(tester.join({ protocols: orders, ...options }))!
      assert.equal(answer.errorCode, code)
    })
    assert.deepEqual(records, [])
  })
}

test('a full consumer group lets no classic member in; one that is in it may rejoin', () => {
  const tester = consumerGroup({ consumerMaxSize: 2 })
  const { memberId } = withClassic(tester)
  assert.equal(tester.answer(tester.join({ protocols: orders }))!.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
  assert.equal(tester.answer(tester.join({ memberId, protocols: orders }))!.errorCode, ErrorCode.NONE)
})

test('a member that rejoins and says nothing new writes nothing about itself', () => {
  const tester = consumerGroup()
  const { client } = settled(tester)
  const records = tester.appended(() => {
    tester.join({ memberId: client.memberId, protocols: [['range', subscription(['orders'])]] })
  })
  assert.deepEqual(records, [])
})

test('a member that reads other topics when it rejoins loses what it no longer reads', () => {
  const tester = consumerGroup()
  tester.topic('others', 1)
  const { client, modern } = settled(tester)
  client.topics = ['others']
  client.join()
  for (let round = 0; round < 10; round++) {
    modern.beat()
    client.step()
  }
  assert.deepEqual(client.owned, { others: [0] })
  assert.deepEqual(modern.owned, { orders: [0, 1, 2, 3] })
})

const senders = [
  { who: 'nobody', memberId: 'nobody', code: ErrorCode.UNKNOWN_MEMBER_ID },
  { who: 'a member of the consumer protocol', memberId: 'modern', code: ErrorCode.UNKNOWN_MEMBER_ID },
  { who: 'an unknown instance', memberId: 'nobody', instanceId: 'other', code: ErrorCode.UNKNOWN_MEMBER_ID },
  { who: 'an instance that is somebody else', memberId: 'nobody', instanceId: 'i', code: ErrorCode.FENCED_INSTANCE_ID },
  { who: 'a member of another generation', generation: 1, code: ErrorCode.ILLEGAL_GENERATION },
]

for (const { who, memberId, instanceId, generation, code } of senders) {
  test(`Heartbeat and SyncGroup of ${who}: ${code}`, () => {
    const tester = consumerGroup()
    const classic = withClassic(tester, { instanceId: 'i' })
    const [id, epoch] = [memberId ?? classic.memberId, generation ?? classic.generation]
    const instance = instanceId ?? (memberId === undefined ? 'i' : null)
    assert.equal(tester.heartbeat(id, epoch, instance), code)
    const sync = tester.sync(id, epoch, {}, instance === null ? {} : { instanceId: instance })
    assert.equal(tester.answer(sync)!.errorCode, code)
  })
}

for (const { options, code } of [
  { options: {}, code: ErrorCode.NONE },
  { options: { protocolType: 'consumer', protocolName: 'range' }, code: ErrorCode.NONE },
  { options: { protocolType: 'connect' }, code: ErrorCode.INCONSISTENT_GROUP_PROTOCOL },
  { options: { protocolName: 'sticky' }, code: ErrorCode.INCONSISTENT_GROUP_PROTOCOL },
]) {
  test(`SyncGroup that says ${JSON.stringify(options)}: ${code}`, () => {
    const tester = consumerGroup()
    const { client } = settled(tester)
    const answer = tester.answer(tester.sync(client.memberId, client.generation, {}, options))!
    assert.equal(answer.errorCode, code)
    if (code !== ErrorCode.NONE) return
    const { protocolType, protocolName } = answer
    assert.deepEqual({ protocolType, protocolName }, { protocolType: null, protocolName: null, ...options })
    assert.deepEqual(read(answer.assignment), client.owned)
  })
}

test('a member behind the target is told to rejoin, by Heartbeat and by SyncGroup', () => {
  const tester = consumerGroup()
  const { client } = settled(tester)
  tester.enterWith('newcomer')
  const { memberId, generation } = client
  assert.equal(tester.heartbeat(memberId, generation), ErrorCode.REBALANCE_IN_PROGRESS)
  assert.equal(tester.answer(tester.sync(memberId, generation))!.errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
})

test('a cooperative member hears in SyncGroup what it may keep, and in heartbeats that it is to rejoin when it has given up the rest', () => {
  const tester = consumerGroup({}, 6)
  const { client } = settled(tester)
  const { memberId, owned } = client
  assert.equal(owned['orders']!.length, 3)
  tester.enterWith('newcomer')
  const cooperative = (has: typeof owned) =>
    tester.join({ memberId, protocols: [['range', subscription(['orders'], { owned: has })]] })
  const joined = tester.answer(cooperative(owned))!
  assert.equal(joined.generationId, client.generation, 'it keeps its epoch while it has something to give up')
  const keeps = read(tester.answer(tester.sync(memberId, joined.generationId))!.assignment)
  assert.equal(keeps['orders']!.length, 2)
  assert.equal(tester.heartbeat(memberId, joined.generationId), ErrorCode.REBALANCE_IN_PROGRESS)
  const again = tester.answer(cooperative(keeps))!
  assert.ok(again.generationId > joined.generationId)
  assert.equal(tester.heartbeat(memberId, again.generationId), ErrorCode.NONE)
})

test('a member that waits for partitions of others is left alone until they are free', () => {
  const tester = consumerGroup()
  const { memberId, generation } = withClassic(tester)
  assert.deepEqual(tester.holdings[memberId]!.has, {})
  assert.equal(tester.heartbeat(memberId, generation), ErrorCode.NONE)
  const modern = new ObedientClient(tester, 'modern')
  for (let round = 0; round < 3; round++) modern.beat()
  assert.equal(tester.heartbeat(memberId, generation), ErrorCode.REBALANCE_IN_PROGRESS)
})

test('a member that was told to rejoin has its rebalance timeout to do so, however often it is told', () => {
  const tester = consumerGroup()
  const { client } = settled(tester)
  const { memberId, generation } = client
  tester.enterWith('newcomer')
  for (let ms = 0; ms < 59_000; ms += 1_000) {
    tester.beat({ member: 'modern', epoch: tester.holdings['modern']!.epoch, owned: {} })
    tester.beat({ member: 'newcomer', epoch: tester.holdings['newcomer']!.epoch })
    assert.equal(tester.heartbeat(memberId, generation), ErrorCode.REBALANCE_IN_PROGRESS)
    tester.advance(1_000)
  }
  tester.advance(999)
  assert.equal(tester.heartbeat(memberId, generation), ErrorCode.REBALANCE_IN_PROGRESS)
  tester.advance(1)
  assert.equal(tester.heartbeat(memberId, generation), ErrorCode.UNKNOWN_MEMBER_ID)
  const note = tester.notes.findLast(({ kind }) => kind === 'memberOverdue')
  assert.ok(note?.kind === 'memberOverdue' && note.phase === 'join' && note.afterMs === 60_000)
})

test('a member that has rejoined in time has as long again the next time', () => {
  const tester = consumerGroup()
  const { client } = settled(tester)
  tester.enterWith('newcomer')
  client.step()
  tester.advance(1_000)
  client.join()
  for (let ms = 0; ms < 70_000; ms += 1_000) {
    for (const member of ['modern', 'newcomer']) {
      tester.beat({ member, epoch: tester.holdings[member]!.epoch, owned: tester.holdings[member]!.target })
    }
    client.step()
    tester.advance(1_000)
  }
  assert.ok(client.isStable)
  assert.ok(client.memberId in tester.holdings)
})

test('a member that joins in version 0 has one timeout for all', () => {
  const tester = consumerGroup()
  const { memberId } = tester.answer(tester.join({ protocols: orders, version: 0, sessionTimeoutMs: 7_000 }))!
  tester.advance(6_999)
  assert.ok(memberId in tester.holdings)
  tester.heartbeat(memberId, 3)
  tester.advance(1)
  assert.ok(!(memberId in tester.holdings), 'it was heard, and has not synced')
})

test('a member that reads something else before there is a new target gives up what it no longer reads, and is told to rejoin for it', () => {
  const tester = consumerGroup()
  tester.topic('others', 1)
  const { client } = settled(tester)
  tester.configs = tester.withConfig({ assignmentIntervalMs: 10_000 })
  tester.restart()
  const { memberId, owned } = client
  const joined = tester.answer(tester.join({ memberId, protocols: [['range', subscription(['others'], { owned })]] }))!
  assert.equal(joined.generationId, client.generation)
  assert.deepEqual(read(tester.answer(tester.sync(memberId, joined.generationId))!.assignment), {})
  assert.equal(tester.heartbeat(memberId, joined.generationId), ErrorCode.REBALANCE_IN_PROGRESS)
})

test('a member that has joined has its rebalance timeout to sync', () => {
  const tester = consumerGroup()
  const { memberId } = tester.enter({ protocols: orders, rebalanceTimeoutMs: 5_000 })
  tester.advance(4_999)
  assert.ok(memberId in tester.holdings)
  tester.advance(1)
  assert.ok(!(memberId in tester.holdings))
  const note = tester.notes.findLast(({ kind }) => kind === 'memberOverdue')
  assert.ok(note?.kind === 'memberOverdue' && note.phase === 'sync')
})

test('a classic member may be silent for its own session timeout', () => {
  const tester = consumerGroup()
  const { memberId, generation } = withClassic(tester, { sessionTimeoutMs: 10_000 })
  tester.advance(9_000)
  assert.equal(tester.heartbeat(memberId, generation), ErrorCode.NONE)
  tester.advance(9_999)
  assert.ok(memberId in tester.holdings)
  tester.advance(1)
  assert.ok(!(memberId in tester.holdings))
})

test('a member that becomes one of the consumer protocol has no time to keep as a classic one any more', () => {
  const tester = consumerGroup()
  const { memberId } = tester.enter({ protocols: orders, rebalanceTimeoutMs: 5_000 })
  tester.enterWith(memberId)
  tester.advance(6_000)
  assert.ok(memberId in tester.holdings)
})

test('members leave one by one or together, and whoever is none is told so', () => {
  const tester = consumerGroup()
  const one = withClassic(tester)
  withClassic(tester, { instanceId: 'i' })
  const { UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NONE } = ErrorCode
  assert.deepEqual(
    tester.leave(
      { memberId: 'nobody' },
      { instanceId: 'nobody' },
      { memberId: 'nobody', instanceId: 'i' },
      { memberId: one.memberId, reason: 'enough' },
      { instanceId: 'i' },
    ),
    [UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NONE, NONE],
  )
  assert.deepEqual(Object.keys(tester.holdings), ['modern'])
  const left = tester.notes.filter(({ kind }) => kind === 'memberLeft')
  assert.deepEqual(
    left.map((note) => (note.kind === 'memberLeft' ? note.reason : undefined)),
    ['enough', null],
  )
})

test('an administrator removes a member of the consumer protocol by its id', () => {
  const tester = consumerGroup()
  assert.deepEqual(tester.leave({ memberId: 'modern' }), [ErrorCode.NONE])
  assert.equal(tester.groupState, 'Empty')
})

test('leaving without anybody who can leave changes nothing', () => {
  const tester = consumerGroup()
  const records = tester.appended(() =>
    assert.deepEqual(tester.leave({ memberId: 'x' }), [ErrorCode.UNKNOWN_MEMBER_ID]),
  )
  assert.deepEqual(records, [])
})

test('a static classic member that comes back classic keeps its place under a new id', () => {
  const tester = consumerGroup()
  const first = withClassic(tester, { instanceId: 'i' })
  const second = tester.answer(tester.join({ protocols: orders, instanceId: 'i', newMemberId: 'again' }))!
  assert.equal(second.errorCode, ErrorCode.NONE)
  assert.equal(second.generationId, first.generation)
  assert.deepEqual(Object.keys(tester.holdings).toSorted(), ['again', 'modern'])
  assert.equal(tester.heartbeat(first.memberId, first.generation, 'i'), ErrorCode.FENCED_INSTANCE_ID)
})

test('a dynamic classic member is gone when its connection closes, where that counts', () => {
  const tester = consumerGroup({ removeMembersOnDisconnect: true })
  const { memberId } = withClassic(tester, { connectionId: 7 })
  tester.heartbeat(memberId, 3, null, 8)
  tester.step({ kind: 'connectionClosed', connectionId: 7 })
  assert.ok(memberId in tester.holdings, 'it has been heard elsewhere since')
  tester.step({ kind: 'connectionClosed', connectionId: 8 })
  assert.ok(!(memberId in tester.holdings))
})

test('a classic member has no regular expression, even in the place of a static member that had one', () => {
  const tester = consumerGroup()
  tester.beat({ member: 'regex', regex: 'ord.*', instance: 'i' })
  tester.advance(0)
  assert.equal(
    tester.describeConsumers().members.find(({ memberId }) => memberId === 'regex')!.subscribedTopicRegex,
    'ord.*',
  )
  const records = tester.appended(() => tester.join({ protocols: orders, instanceId: 'i', newMemberId: 'c' }))
  const regex = records.find(({ kind }) => kind === 'consumerRegex')
  assert.ok(regex?.kind === 'consumerRegex' && regex.value === null, 'nobody has it any more')
  assert.equal(tester.describeConsumers().members.find(({ memberId }) => memberId === 'c')!.subscribedTopicRegex, '')
})
