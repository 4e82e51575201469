import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../../protocol/error-code.ts'
import { GroupTester, type JoinOptions } from '../group-tester.sim.ts'
import { inState, stableGroup } from './classic-situations.sim.ts'

const { NONE, UNKNOWN_MEMBER_ID, INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED } = ErrorCode
const { MEMBER_ID_REQUIRED, REBALANCE_IN_PROGRESS } = ErrorCode
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('the first member leads, hears who is in the group, and the others do not', () => {
  const group = new GroupTester()
  const one = group.enter({ protocols: [['range', 'one']] })
  const two = group.enter({ protocols: [['range', 'two']] })
  group.advance(6_000)
  const leader = group.answer(one.replyTo)!
  assert.equal(leader.generationId, 1)
  assert.equal(leader.leader, one.memberId)
  assert.deepEqual(
    leader.members.map(({ memberId, metadata }) => [memberId, text(metadata)]),
    [
      [one.memberId, 'one'],
      [two.memberId, 'two'],
    ],
  )
  const follower = group.answer(two.replyTo)!
  assert.deepEqual([follower.leader, follower.members, follower.generationId], [one.memberId, [], 1])
})

test('what a member says is kept when the buffer it came in is used again', () => {
  const group = new GroupTester()
  const { memberId } = group.answer(group.join())!
  const event = group.joinEvent({ memberId, protocols: [['range', 'kept']] })
  group.step(event)
  event.request.protocols[0]!.metadata.fill(0)
  group.advance(6_000)
  assert.equal(text(group.answer(event.replyTo)!.members[0]!.metadata), 'kept')
})

test('an empty group waits for its initial delay, as long again for every new member, at most its rebalance timeout', () => {
  const group = new GroupTester({ initialRebalanceDelayMs: 3_000 })
  const first = group.enter({ rebalanceTimeoutMs: 10_000 })
  for (const at of [2_000, 5_000, 8_000]) {
    group.advance(at - (group.now - 1_000_000))
    group.enter({ rebalanceTimeoutMs: 10_000 })
  }
  group.advance(999)
  assert.equal(group.answer(first.replyTo), undefined)
  group.advance(1_001)
  assert.equal(group.answer(first.replyTo)?.errorCode, NONE)
  assert.equal(group.describe().members.length, 4)
})

test('without initial delay the first member is answered as soon as time moves', () => {
  const group = new GroupTester({ initialRebalanceDelayMs: 0 })
  const { replyTo } = group.enter()
  group.advance(0)
  assert.equal(group.answer(replyTo)?.errorCode, NONE)
})

test('a rebalance ends as soon as all members have rejoined', () => {
  const { group, ids, generation } = stableGroup()
  const three = group.enter()
  const two = group.join({ memberId: ids[1]! })
  assert.equal(group.answer(two), undefined)
  const one = group.join({ memberId: ids[0]! })
  for (const replyTo of [one, two, three.replyTo]) {
    assert.deepEqual([group.answer(replyTo)?.errorCode, group.answer(replyTo)?.generationId], [NONE, generation + 1])
  }
  assert.equal(group.answer(one)!.leader, ids[0])
})

test('who has not rejoined when the rebalance timeout is over is out, and another member leads', () => {
  const { group, ids, generation } = stableGroup()
  const follower = group.join({ memberId: ids[1]!, protocols: [['range', 'new']], rebalanceTimeoutMs: 5_000 })
  group.heartbeat(ids[0]!, generation)
  group.advance(9_000)
  assert.equal(group.answer(follower), undefined, 'the longest timeout of the members counts')
  for (let second = 9; second < 60; second += 3) {
    group.heartbeat(ids[0]!, generation)
    group.advance(3_000)
  }
  assert.equal(group.answer(follower)?.leader, ids[1])
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    [ids[1]],
  )
})

test('a member that was asked to come back with its id holds a rebalance up, until its session is over', () => {
  const { group, ids } = stableGroup()
  group.join({ sessionTimeoutMs: 7_000 })
  const replies = ids.map((memberId) => group.join({ memberId, protocols: [['range', 'again']] }))
  assert.equal(group.answer(replies[0]!), undefined)
  group.advance(7_000)
  assert.equal(group.answer(replies[0]!)?.errorCode, NONE)
})

test('a client that gives up its first join is not kept for ever', () => {
  const group = new GroupTester({ newMemberJoinTimeoutMs: 20_000 })
  group.stable(1)
  const stuck = group.join({ version: 3 })
  for (let second = 0; second < 20; second += 5) {
    group.heartbeat('member-1', 1)
    group.advance(5_000)
  }
  assert.equal(group.answer(stuck)?.errorCode, UNKNOWN_MEMBER_ID)
})

test('a join that is sent again answers the one before it, so that none waits for ever', () => {
  const { group, ids } = stableGroup()
  const first = group.join({ memberId: ids[0]! })
  const second = group.join({ memberId: ids[0]! })
  assert.equal(group.answer(first)?.errorCode, UNKNOWN_MEMBER_ID)
  assert.equal(group.answer(second), undefined)
})

const protocolCases: { name: string; members: JoinOptions['protocols'][]; chosen: string }[] = [
  {
    name: 'the favourite of most',
    members: [
      [
        ['a', ''],
        ['b', ''],
      ],
      [
        ['b', ''],
        ['a', ''],
      ],
      [
        ['b', ''],
        ['a', ''],
      ],
    ],
    chosen: 'b',
  },
  {
    name: 'only what all support',
    members: [
      [
        ['a', ''],
        ['b', ''],
      ],
      [['b', '']],
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    chosen: 'b',
  },
  {
    name: 'the first favourite among equals',
    members: [
      [
        ['a', ''],
        ['b', ''],
      ],
      [
        ['b', ''],
        ['a', ''],
      ],
    ],
    chosen: 'a',
  },
]
for (const { name, members, chosen } of protocolCases) {
  test(`the group takes ${name}`, () => {
    const group = new GroupTester()
    const replies = members.map((protocols) => group.enter({ protocols: protocols! }).replyTo)
    group.advance(60_000)
    assert.equal(group.answer(replies[0]!)?.protocolName, chosen)
  })
}

const refusedJoins: { name: string; options: JoinOptions }[] = [
  { name: 'another protocol type', options: { protocolType: 'connect' } },
  { name: 'no protocol in common', options: { protocols: [['cooperative', '']] } },
  { name: 'no protocol at all', options: { protocols: [] } },
]
for (const { name, options } of refusedJoins) {
  test(`a member with ${name} is refused`, () => {
    const { group } = stableGroup()
    assert.equal(group.answer(group.join(options))?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(group.describe().groupState, 'Stable')
  })
}

test('a refused first join leaves an empty group behind, as Kafka does, unless it came with an id', () => {
  const group = new GroupTester()
  assert.equal(group.answer(group.join({ protocols: [] }))?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
  assert.equal(group.answer(group.join({ group: 'other', memberId: 'nobody' }))?.errorCode, UNKNOWN_MEMBER_ID)
  assert.deepEqual(group.list(), [{ groupId: 'g', protocolType: '', groupState: 'Empty', groupType: 'classic' }])
  group.restart()
  assert.equal(group.describe().groupState, 'Empty')
  group.advance(group.settings.offsetsRetentionCheckIntervalMs)
  assert.deepEqual(group.list(), [])
})

test('a full group takes no more members, but keeps those it has', () => {
  const group = new GroupTester({ maxSize: 2 })
  const { ids } = group.stable(2)
  assert.equal(group.answer(group.join())?.errorCode, GROUP_MAX_SIZE_REACHED)
  assert.equal(group.answer(group.join({ memberId: ids[1]! }))?.errorCode, NONE)
})

test('in version 0 the session timeout is the rebalance timeout too', () => {
  const { group, ids } = stableGroup()
  group.leave({ memberId: ids[1]! })
  const one = group.join({ memberId: ids[0]!, version: 0, sessionTimeoutMs: 8_000, rebalanceTimeoutMs: -1 })
  group.sync(ids[0]!, group.answer(one)!.generationId)
  group.join({ version: 3, rebalanceTimeoutMs: 1 })
  group.advance(7_999)
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  group.advance(1)
  assert.equal(group.describe().groupState, 'CompletingRebalance')
})

test('until a rebalance that everybody has left is over, only members of its type are let in', () => {
  const group = new GroupTester()
  group.join({ version: 3, newMemberId: 'gone' })
  group.leave({ memberId: 'gone' })
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  const connect: JoinOptions = { protocolType: 'connect', protocols: [['eager', '']] }
  assert.equal(group.answer(group.join(connect))?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
  assert.equal(group.answer(group.join({ protocols: [['another', '']] }))?.errorCode, MEMBER_ID_REQUIRED)
  group.advance(20_000)
  assert.equal(group.describe().groupState, 'Empty')
  assert.equal(group.answer(group.join(connect))?.errorCode, MEMBER_ID_REQUIRED)
})

test('a member that joins again while its sync waits hears in the sync that the group rebalances', () => {
  const { group, follower, generation } = inState.CompletingRebalance()
  const waiting = group.sync(follower, generation)
  group.join({ memberId: follower, protocols: [['range', 'new']] })
  assert.equal(group.answer(waiting)?.errorCode, REBALANCE_IN_PROGRESS)
})

test('a client that never comes back with the id it was given leaves a stable group in peace', () => {
  const { group, ids, generation } = stableGroup()
  group.join({ sessionTimeoutMs: 6_000 })
  group.advance(5_000)
  for (const memberId of ids) group.heartbeat(memberId, generation)
  group.advance(5_000)
  assert.equal(group.describe().groupState, 'Stable')
})

test('of a group that is too large the last to rejoin has to go, and the others need not wait for it', () => {
  const group = new GroupTester({ maxSize: 3 })
  const { ids } = group.stable(3)
  ;(group.settings as { maxSize: number }).maxSize = 2
  group.restart()
  const replies = ids.map((memberId) => group.join({ memberId }))
  assert.equal(group.answer(replies[2]!)?.errorCode, GROUP_MAX_SIZE_REACHED)
  assert.deepEqual(
    replies.slice(0, 2).map((reply) => group.answer(reply)?.errorCode),
    [NONE, NONE],
  )
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    ids.slice(0, 2),
  )
})

test('while members rejoin, a full group turns away whoever is new, and lets in who already waits', () => {
  const group = new GroupTester({ maxSize: 2 })
  const { ids } = group.stable(2)
  const changed: JoinOptions = { memberId: ids[1]!, protocols: [['range', 'new']] }
  group.leave({ memberId: ids[0]! })
  const [one, two] = [group.join({ version: 3 }), group.join({ version: 3 })]
  assert.equal(group.answer(one), undefined)
  assert.equal(group.answer(two), undefined)
  assert.equal(group.answer(group.join(changed))?.errorCode, GROUP_MAX_SIZE_REACHED)
})

test('who comes back with its id too late for a place is not waited for any longer', () => {
  const group = new GroupTester({ maxSize: 2 })
  const { ids } = group.stable(1)
  const { memberId: late } = group.answer(group.join())!
  const second = group.join({ version: 3 })
  const first = group.join({ memberId: ids[0]! })
  assert.equal(group.answer(first), undefined, 'somebody has an id, and may come back with it')
  assert.equal(group.answer(group.join({ memberId: late }))?.errorCode, GROUP_MAX_SIZE_REACHED)
  assert.deepEqual([group.answer(first)?.errorCode, group.answer(second)?.errorCode], [NONE, NONE])
})

test('a group that has settled waits for nothing but signs of life', () => {
  const { group, ids } = stableGroup()
  const phases = () => [...group.timers.keys()].filter((key) => key.startsWith('join/') || key.startsWith('sync/'))
  assert.deepEqual(phases(), [])
  const replies = ids.map((memberId) => group.join({ memberId, protocols: [['range', 'new']] }))
  const { generationId } = group.answer(replies[0]!)!
  assert.deepEqual(phases(), ['sync/g'])
  group.sync(ids[1]!, generationId)
  group.enter()
  assert.deepEqual(phases(), ['join/g'])
})
