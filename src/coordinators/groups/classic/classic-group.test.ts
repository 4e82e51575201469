import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode, errorName } from '../../../protocol/error-code.ts'
import { GroupTester, type JoinOptions } from '../group-tester.sim.ts'

const { NONE, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, INCONSISTENT_GROUP_PROTOCOL } = ErrorCode
const { MEMBER_ID_REQUIRED, FENCED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED } = ErrorCode
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** A group in each state, with a member `leader` and a member `follower` of generation `generation`, where the state has them. */
const inState = {
  Dead: () => ({ group: new GroupTester(), leader: 'nobody', follower: 'nobody', generation: 0 }),
  Empty: () => {
    const group = new GroupTester()
    const { ids, generation } = group.stable(1)
    group.leave({ memberId: ids[0]! })
    return { group, leader: ids[0]!, follower: 'nobody', generation: generation + 1 }
  },
  PreparingRebalance: () => {
    const { group, ids, generation } = stableGroup()
    group.enter()
    return { group, leader: ids[0]!, follower: ids[1]!, generation }
  },
  CompletingRebalance: () => {
    const group = new GroupTester()
    const one = group.enter()
    const two = group.enter()
    group.advance(6_000)
    return { group, leader: one.memberId, follower: two.memberId, generation: group.answer(one.replyTo)!.generationId }
  },
  Stable: () => {
    const { group, ids, generation } = stableGroup()
    return { group, leader: ids[0]!, follower: ids[1]!, generation }
  },
}
type State = keyof typeof inState

function stableGroup() {
  const group = new GroupTester()
  return { group, ...group.stable(2) }
}

// ---- state x event, with the answer: `waits` when there is none yet, and the state after it

type Answer = ErrorCode | 'waits'
type Situation = ReturnType<(typeof inState)[State]>

const events = {
  'a new member joins': (at: Situation) => at.group.answer(at.group.join())?.errorCode,
  'a new member of version 3 joins': (at: Situation) => at.group.answer(at.group.join({ version: 3 }))?.errorCode,
  'a member that was given an id joins': (at: Situation) => at.group.answer(at.group.enter().replyTo)?.errorCode,
  'a stranger joins with an id': (at: Situation) => at.group.answer(at.group.join({ memberId: 'stranger' }))?.errorCode,
  'the leader joins again': (at: Situation) => at.group.answer(at.group.join({ memberId: at.leader }))?.errorCode,
  'a follower joins again': (at: Situation) => at.group.answer(at.group.join({ memberId: at.follower }))?.errorCode,
  'a follower joins with other metadata': (at: Situation) =>
    at.group.answer(at.group.join({ memberId: at.follower, protocols: [['range', 'other']] }))?.errorCode,
  'a follower syncs': (at: Situation) => at.group.answer(at.group.sync(at.follower, at.generation))?.errorCode,
  'the leader syncs': (at: Situation) => at.group.answer(at.group.sync(at.leader, at.generation))?.errorCode,
  'the leader syncs with an old generation': (at: Situation) =>
    at.group.answer(at.group.sync(at.leader, at.generation - 1))?.errorCode,
  'a heartbeat': (at: Situation) => at.group.heartbeat(at.leader, at.generation),
  'a heartbeat of an old generation': (at: Situation) => at.group.heartbeat(at.leader, at.generation - 1),
  'a follower leaves': (at: Situation) => at.group.leave({ memberId: at.follower })[0],
  'a member commits': (at: Situation) => at.group.commit(1, { memberId: at.follower, generation: at.generation }),
  'a member commits an old generation': (at: Situation) =>
    at.group.commit(1, { memberId: at.follower, generation: at.generation - 1 }),
  'an outsider commits without generation': (at: Situation) => at.group.commit(1),
} satisfies Record<string, (at: Situation) => number | undefined>

const rows: Record<keyof typeof events, Record<State, readonly [answer: Answer, after: State]>> = {
  'a new member joins': {
    Dead: [MEMBER_ID_REQUIRED, 'Empty'],
    Empty: [MEMBER_ID_REQUIRED, 'Empty'],
    PreparingRebalance: [MEMBER_ID_REQUIRED, 'PreparingRebalance'],
    CompletingRebalance: [MEMBER_ID_REQUIRED, 'CompletingRebalance'],
    Stable: [MEMBER_ID_REQUIRED, 'Stable'],
  },
  'a new member of version 3 joins': {
    Dead: ['waits', 'PreparingRebalance'],
    Empty: ['waits', 'PreparingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
  },
  'a member that was given an id joins': {
    Dead: ['waits', 'PreparingRebalance'],
    Empty: ['waits', 'PreparingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
  },
  'a stranger joins with an id': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'the leader joins again': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'CompletingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
  },
  'a follower joins again': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'a follower joins with other metadata': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
  },
  'a follower syncs': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [REBALANCE_IN_PROGRESS, 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the leader syncs': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [REBALANCE_IN_PROGRESS, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'Stable'],
    Stable: [NONE, 'Stable'],
  },
  'the leader syncs with an old generation': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [ILLEGAL_GENERATION, 'PreparingRebalance'],
    CompletingRebalance: [ILLEGAL_GENERATION, 'CompletingRebalance'],
    Stable: [ILLEGAL_GENERATION, 'Stable'],
  },
  'a heartbeat': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [REBALANCE_IN_PROGRESS, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'a heartbeat of an old generation': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [ILLEGAL_GENERATION, 'PreparingRebalance'],
    CompletingRebalance: [ILLEGAL_GENERATION, 'CompletingRebalance'],
    Stable: [ILLEGAL_GENERATION, 'Stable'],
  },
  'a follower leaves': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'PreparingRebalance'],
    Stable: [NONE, 'PreparingRebalance'],
  },
  'a member commits': {
    Dead: [ErrorCode.GROUP_ID_NOT_FOUND, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [REBALANCE_IN_PROGRESS, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'a member commits an old generation': {
    Dead: [NONE, 'Empty'], // -1: no generation at all
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [ILLEGAL_GENERATION, 'PreparingRebalance'],
    CompletingRebalance: [ILLEGAL_GENERATION, 'CompletingRebalance'],
    Stable: [ILLEGAL_GENERATION, 'Stable'],
  },
  'an outsider commits without generation': {
    Dead: [NONE, 'Empty'],
    Empty: [NONE, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
}

for (const [event, row] of Object.entries(rows) as [keyof typeof events, (typeof rows)['a heartbeat']][]) {
  for (const [state, [answer, after]] of Object.entries(row) as [State, readonly [Answer, State]][]) {
    const words = answer === 'waits' ? 'waits' : `is answered ${errorName(answer)}`
    test(`${state}: ${event}, which ${words}${after === state ? '' : `; then ${after}`}`, () => {
      const situation = inState[state]()
      assert.equal(situation.group.describe().groupState, state, 'the group is where the test begins')
      assert.equal(events[event](situation) ?? 'waits', answer)
      assert.equal(situation.group.describe().groupState, after)
    })
  }
}

// ---- joining

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

test('a refused first join leaves no group behind', () => {
  const group = new GroupTester()
  assert.equal(group.answer(group.join({ protocols: [] }))?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
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

// ---- syncing

test("the leader's assignments reach everyone who waits; members it left out get nothing", () => {
  const group = new GroupTester()
  const members = [group.enter(), group.enter(), group.enter()]
  group.advance(6_000)
  const [one, two, three] = members.map(({ memberId }) => memberId) as [string, string, string]
  const second = group.sync(two, 1)
  const third = group.sync(three, 1)
  const first = group.sync(one, 1, { [one]: 'x', [two]: 'y', stranger: 'z' })
  assert.deepEqual(
    [first, second, third].map((each) => text(group.answer(each)!.assignment)),
    ['x', 'y', ''],
  )
  assert.equal(group.answer(first)!.protocolName, 'range')
})

test("a sync that names another protocol than the group's is refused", () => {
  const { group, leader, generation } = inState.CompletingRebalance()
  const named = group.sync(leader, generation, {}, { protocolType: 'consumer', protocolName: 'sticky' })
  assert.equal(group.answer(named)?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
  const typed = group.sync(leader, generation, {}, { protocolType: 'connect', protocolName: 'range' })
  assert.equal(group.answer(typed)?.errorCode, INCONSISTENT_GROUP_PROTOCOL)
  const right = group.sync(leader, generation, {}, { protocolType: 'consumer', protocolName: 'range' })
  assert.equal(group.answer(right)?.errorCode, NONE)
})

test('a rebalance sends those who wait for an assignment back to join', () => {
  const { group, follower, generation } = inState.CompletingRebalance()
  const waiting = group.sync(follower, generation)
  group.enter()
  assert.equal(group.answer(waiting)?.errorCode, REBALANCE_IN_PROGRESS)
})

test('members that never sync are out when the rebalance timeout is over', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  group.sync(leader, generation)
  for (let second = 0; second < 60; second += 5) {
    group.heartbeat(leader, generation)
    group.heartbeat(follower, generation)
    group.advance(5_000)
  }
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  assert.equal(group.heartbeat(follower, generation), UNKNOWN_MEMBER_ID)
  assert.equal(group.heartbeat(leader, generation), REBALANCE_IN_PROGRESS)
})

test('a rebalance that interrupts the next one leaves nobody with an old assignment', () => {
  const { group, ids } = stableGroup()
  for (const memberId of ids) group.join({ memberId, protocols: [['range', 'new']] })
  group.enter()
  assert.deepEqual(
    group.describe().members.map(({ memberAssignment }) => text(memberAssignment)),
    ['', '', ''],
  )
})

test('whoever was to sync and left meanwhile is not waited for', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  group.leave({ memberId: follower })
  const rejoined = group.answer(group.join({ memberId: leader }))!
  assert.equal(rejoined.generationId, generation + 1)
  group.sync(leader, generation + 1)
  for (let second = 0; second < 90; second += 5) {
    assert.equal(group.heartbeat(leader, generation + 1), NONE)
    group.advance(5_000)
  }
})

test('a member that drops out of a rebalance is not waited for in the next generation', () => {
  const { group, leader, follower, generation } = inState.CompletingRebalance()
  const third = group.enter()
  const one = group.join({ memberId: leader })
  for (let second = 0; second < 60; second += 5) {
    assert.equal(group.heartbeat(follower, generation), REBALANCE_IN_PROGRESS, 'it lives, but does not rejoin')
    group.advance(5_000)
  }
  assert.equal(group.answer(one)?.generationId, generation + 1)
  const syncs = [third.memberId, leader].map((memberId) => group.sync(memberId, generation + 1))
  assert.equal(group.answer(syncs[0]!)?.errorCode, NONE)
  for (let second = 0; second < 90; second += 5) {
    for (const memberId of [leader, third.memberId]) {
      assert.equal(group.heartbeat(memberId, generation + 1), NONE)
    }
    group.advance(5_000)
  }
})

// ---- leaving and expiring

test('a member that is silent for its session timeout is out, and the others rebalance', () => {
  const { group, ids, generation } = stableGroup()
  group.advance(9_999)
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
  group.advance(1)
  assert.equal(group.heartbeat(ids[1]!, generation), UNKNOWN_MEMBER_ID)
  assert.equal(group.heartbeat(ids[0]!, generation), REBALANCE_IN_PROGRESS)
})

test('a commit is a sign of life', () => {
  const { group, ids, generation } = stableGroup()
  group.advance(9_000)
  group.commit(5, { memberId: ids[0]!, generation })
  group.advance(9_000)
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    [ids[0]],
  )
})

test('members whose requests wait are not silent', () => {
  const { group, ids } = stableGroup()
  const waiting = group.join({ memberId: ids[0]! })
  for (let second = 0; second < 30; second += 5) {
    group.heartbeat(ids[1]!, 1)
    group.advance(5_000)
  }
  assert.equal(group.answer(waiting), undefined)
  group.join({ memberId: ids[1]! })
  assert.equal(group.answer(waiting)?.errorCode, NONE)
})

test('the last member leaves an empty group of the next generation behind', () => {
  const { group, ids, generation } = stableGroup()
  assert.deepEqual(group.leave({ memberId: ids[0]! }, { memberId: 'stranger' }, { memberId: ids[1]! }), [
    NONE,
    UNKNOWN_MEMBER_ID,
    NONE,
  ])
  assert.equal(group.describe().groupState, 'Empty')
  const last = group.records.at(-1)!
  assert.ok(last.kind === 'generation')
  assert.deepEqual(last.value, {
    protocolType: 'consumer',
    generation: generation + 1,
    protocol: null,
    leader: null,
    currentStateTimestamp: group.now,
    members: [],
  })
})

test('a member that leaves while its join waits is answered', () => {
  const { group, ids } = stableGroup()
  const waiting = group.join({ memberId: ids[0]! })
  group.leave({ memberId: ids[0]! })
  assert.equal(group.answer(waiting)?.errorCode, UNKNOWN_MEMBER_ID)
})

test('a member that leaves before it has come back with its id is forgotten', () => {
  const group = new GroupTester()
  const { memberId } = group.answer(group.join())!
  assert.deepEqual(group.leave({ memberId }), [NONE])
  assert.equal(group.answer(group.join({ memberId }))?.errorCode, UNKNOWN_MEMBER_ID)
})

test('members whose connection closes are gone at once, save static ones', () => {
  const group = new GroupTester()
  const one = group.enter({ connectionId: 1 })
  group.join({ instanceId: 'static', newMemberId: 's', connectionId: 1 })
  const other = group.enter({ connectionId: 2 })
  group.advance(6_000)
  for (const id of [one.memberId, other.memberId, 's'])
    group.sync(id, 1, {}, { connectionId: id === other.memberId ? 2 : 1 })
  group.step({ kind: 'connectionClosed', connectionId: 1 })
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    ['s', other.memberId],
  )
  assert.equal(group.describe().groupState, 'PreparingRebalance')
})

test('a member is where it was last heard', () => {
  const { group, ids, generation } = stableGroup()
  group.heartbeat(ids[0]!, generation, null, 7)
  group.heartbeat(ids[1]!, generation, null, 7)
  group.step({ kind: 'connectionClosed', connectionId: 1 })
  assert.equal(group.describe().groupState, 'Stable')
})

// ---- static members (KIP-345)

function staticGroup(version = 9) {
  const group = new GroupTester()
  const leader = group.join({ instanceId: 'i-1', newMemberId: 's-1', version })
  group.join({ instanceId: 'i-2', newMemberId: 's-2', version })
  group.advance(6_000)
  group.sync('s-2', 1)
  group.sync('s-1', 1, { 's-1': 'one', 's-2': 'two' })
  assert.equal(group.answer(leader)?.errorCode, NONE)
  return group
}

test('a static member needs no second join to get its id', () => {
  const group = staticGroup()
  assert.equal(group.describe().groupState, 'Stable')
})

test('a static follower that restarts gets a new id and its assignment, without a rebalance', () => {
  const group = staticGroup()
  const back = group.answer(group.join({ instanceId: 'i-2', newMemberId: 's-2b' }))!
  assert.deepEqual([back.errorCode, back.memberId, back.generationId, back.leader], [NONE, 's-2b', 1, 's-1'])
  assert.equal(group.describe().groupState, 'Stable')
  assert.equal(text(group.answer(group.sync('s-2b', 1, {}, { instanceId: 'i-2' }))!.assignment), 'two')
  assert.equal(group.heartbeat('s-2', 1, 'i-2'), FENCED_INSTANCE_ID)
  assert.equal(group.heartbeat('s-2', 1), UNKNOWN_MEMBER_ID)
})

test('a static member that restarts before it has synced is not thrown out for it', () => {
  const group = new GroupTester()
  group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(6_000)
  group.sync('s-1', 1, { 's-1': 'one', 's-2': 'two' })
  group.join({ instanceId: 'i-2', newMemberId: 's-2b' })
  for (let second = 0; second < 90; second += 5) {
    assert.equal(group.heartbeat('s-1', 1), NONE)
    assert.equal(group.heartbeat('s-2b', 1), NONE)
    group.advance(5_000)
  }
})

test('a static leader that restarts leads on, and is told to leave the assignments alone', () => {
  const group = staticGroup()
  const back = group.answer(group.join({ instanceId: 'i-1', newMemberId: 's-1b' }))!
  assert.deepEqual([back.leader, back.skipAssignment, back.members.length], ['s-1b', true, 2])
  assert.equal(group.describe().groupState, 'Stable')
})

test('before version 9 a static leader that restarts believes that another one leads', () => {
  const group = staticGroup(8)
  const back = group.answer(group.join({ instanceId: 'i-1', newMemberId: 's-1b', version: 8 }))!
  assert.deepEqual([back.leader, back.skipAssignment, back.members], ['s-1', false, []])
})

test('a static member that restarts with what changes the protocol causes a rebalance', () => {
  const group = new GroupTester()
  const both: JoinOptions['protocols'] = [
    ['range', ''],
    ['sticky', ''],
  ]
  group.join({ instanceId: 'i-1', newMemberId: 's-1', protocols: both })
  group.advance(3_000)
  group.sync('s-1', 1)
  const back = group.join({
    instanceId: 'i-1',
    newMemberId: 's-1b',
    protocols: [
      ['sticky', ''],
      ['range', ''],
    ],
  })
  assert.deepEqual([group.answer(back)?.generationId, group.answer(back)?.protocolName], [2, 'sticky'])
})

test('a static member that restarts while the leader assigns causes a rebalance', () => {
  const group = new GroupTester()
  group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(6_000)
  const waiting = group.sync('s-2', 1)
  group.join({ instanceId: 'i-2', newMemberId: 's-2b' })
  assert.equal(group.answer(waiting)?.errorCode, FENCED_INSTANCE_ID)
  assert.equal(group.describe().groupState, 'PreparingRebalance')
})

test('a static member whose join waits is fenced by the next with its name', () => {
  const group = new GroupTester()
  const first = group.join({ instanceId: 'i-1', newMemberId: 's-1' })
  const second = group.join({ instanceId: 'i-1', newMemberId: 's-1b' })
  assert.deepEqual([group.answer(first)?.errorCode, group.answer(first)?.memberId], [FENCED_INSTANCE_ID, 's-1'])
  group.advance(6_000)
  assert.deepEqual([group.answer(second)?.errorCode, group.answer(second)?.leader], [NONE, 's-1b'])
})

const fenced = {
  joins: (group: GroupTester) => group.answer(group.join({ memberId: 's-2', instanceId: 'i-1' }))?.errorCode,
  syncs: (group: GroupTester) => group.answer(group.sync('s-2', 1, {}, { instanceId: 'i-1' }))?.errorCode,
  'sends a heartbeat': (group: GroupTester) => group.heartbeat('s-2', 1, 'i-1'),
  leaves: (group: GroupTester) => group.leave({ memberId: 's-2', instanceId: 'i-1' })[0],
  commits: (group: GroupTester) => group.commit(1, { memberId: 's-2', instanceId: 'i-1', generation: 1 }),
}
for (const [what, act] of Object.entries(fenced)) {
  test(`who ${what} under an instance that another member holds is fenced`, () => {
    assert.equal(act(staticGroup()), FENCED_INSTANCE_ID)
  })
}

test('an administrator removes a static member by its instance', () => {
  const group = staticGroup()
  assert.deepEqual(group.leave({ instanceId: 'i-2' }, { instanceId: 'i-9' }), [NONE, UNKNOWN_MEMBER_ID])
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    ['s-1'],
  )
})

test('a static member that does not rejoin in time stays in the group', () => {
  const group = new GroupTester()
  const join = { sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 20_000 }
  group.join({ ...join, instanceId: 'i-1', newMemberId: 's-1' })
  group.join({ ...join, instanceId: 'i-2', newMemberId: 's-2' })
  group.advance(6_000)
  group.sync('s-2', 1)
  group.sync('s-1', 1)
  const back = group.join({ ...join, memberId: 's-2', instanceId: 'i-2', protocols: [['range', 'new']] })
  group.advance(20_000)
  assert.deepEqual([group.answer(back)?.generationId, group.answer(back)?.leader], [2, 's-2'])
  assert.equal(group.describe().members.length, 2)
})

test('when no static member rejoins the rebalance waits until one does, or their sessions are over', () => {
  const group = new GroupTester()
  const join = { sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 20_000 }
  group.join({ ...join, instanceId: 'i-1', newMemberId: 's-1' })
  group.advance(6_000)
  group.sync('s-1', 1)
  group.join({ version: 3, newMemberId: 'd', ...join })
  group.leave({ memberId: 'd' })
  group.advance(60_000)
  assert.equal(group.describe().groupState, 'PreparingRebalance')
  group.advance(60_000)
  assert.equal(group.describe().groupState, 'Empty')
})

// ---- restart

test('a stable group survives a restart: members go on without joining again, with a fresh session', () => {
  const { group, ids, generation } = stableGroup()
  group.advance(9_000)
  group.restart()
  group.advance(9_000)
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
  assert.equal(text(group.answer(group.sync(ids[1]!, generation))!.assignment), `a-${ids[1]}`)
  assert.equal(group.describe().protocolData, 'range')
  group.advance(1_000)
  assert.deepEqual(
    group.describe().members.map(({ memberId }) => memberId),
    [ids[0]],
    'who was silent since the restart is out',
  )
})

test('a restored leader leads, and static identities are kept', () => {
  const group = staticGroup()
  group.restart()
  assert.equal(group.heartbeat('s-1', 1, 'i-1'), NONE)
  assert.equal(group.heartbeat('other', 1, 'i-1'), FENCED_INSTANCE_ID)
  const back = group.answer(group.join({ instanceId: 'i-1', newMemberId: 's-1b' }))!
  assert.deepEqual([back.leader, back.skipAssignment], ['s-1b', true])
})

test('a rebalance under way is forgotten by a restart: the last generation is back', () => {
  const { group, ids, generation } = stableGroup()
  group.enter()
  group.restart()
  assert.equal(group.describe().groupState, 'Stable')
  assert.equal(group.heartbeat(ids[0]!, generation), NONE)
})

test('a group that is larger than it may be now rebalances after a restart', () => {
  const group = new GroupTester({ maxSize: 3 })
  group.stable(3)
  ;(group.settings as { maxSize: number }).maxSize = 2
  group.restart()
  assert.equal(group.describe().groupState, 'PreparingRebalance')
})

// ---- describing and listing

test('a group is described with metadata and protocol only while it is stable', () => {
  const { group, ids } = stableGroup()
  const stable = group.describe()
  assert.deepEqual(
    [stable.protocolType, stable.protocolData, text(stable.members[0]!.memberMetadata)],
    ['consumer', 'range', 'm'],
  )
  assert.equal(text(stable.members[0]!.memberAssignment), `a-${ids[0]}`)
  group.enter()
  const preparing = group.describe()
  assert.deepEqual([preparing.protocolData, text(preparing.members[0]!.memberMetadata)], ['', ''])
})

test('an unknown group is Dead, and an error from version 6 on', () => {
  const group = new GroupTester()
  assert.deepEqual([group.describe('none', 5).groupState, group.describe('none', 5).errorCode], ['Dead', NONE])
  assert.deepEqual(
    [group.describe('none').groupState, group.describe('none').errorCode],
    ['Dead', ErrorCode.GROUP_ID_NOT_FOUND],
  )
})

test('groups are listed by state and by type', () => {
  const { group } = stableGroup()
  group.commit(1, { group: 'simple' })
  const ids = (states: string[] = [], types: string[] = []) => group.list(states, types).map(({ groupId }) => groupId)
  assert.deepEqual(ids(), ['g', 'simple'])
  assert.deepEqual(ids(['stable']), ['g'])
  assert.deepEqual(ids(['empty', 'stable']), ['g', 'simple'])
  assert.deepEqual(ids(['dead']), [])
  assert.deepEqual(ids([], ['classic']), ['g', 'simple'])
  assert.deepEqual(ids([], ['consumer']), [])
  assert.deepEqual(group.list()[0], {
    groupId: 'g',
    protocolType: 'consumer',
    groupState: 'Stable',
    groupType: 'classic',
  })
})
