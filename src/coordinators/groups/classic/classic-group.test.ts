// Each state, its answer to each event, and the state after it.

import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode, errorName } from '../../../protocol/error-code.ts'
import type { GroupTimerEvent } from '../group-event.ts'
import { inState, type Situation, type State, withStaticFollower } from './classic-situations.sim.ts'

const { NONE, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED } = ErrorCode
const { INCONSISTENT_GROUP_PROTOCOL, FENCED_INSTANCE_ID, GROUP_ID_NOT_FOUND } = ErrorCode

/** `waits` when there is none yet; `nobody asked` for what is told to the group without a request. */
type Answer = ErrorCode | 'waits' | 'nobody asked'

function told(at: Situation, event: GroupTimerEvent): 'nobody asked' {
  at.group.fire(event)
  return 'nobody asked'
}

/** A member that was given an id, and has not come back with it. */
const given = (at: Situation) => at.group.answer(at.group.join())!.memberId
const silent = (at: Situation, memberId: string) => told(at, { kind: 'sessionExpired', groupId: 'g', memberId })

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
  'a new static member joins': (at: Situation) => at.group.answer(at.group.join({ instanceId: 'i-1' }))?.errorCode,
  'a new member of another protocol type joins': (at: Situation) =>
    at.group.answer(at.group.join({ protocolType: 'connect' }))?.errorCode,
  'a new member joins with no protocol in common': (at: Situation) =>
    at.group.answer(at.group.join({ protocols: [['sticky', '']] }))?.errorCode,
  'a stranger joins under an instance': (at: Situation) =>
    at.group.answer(at.group.join({ memberId: 'stranger', instanceId: 'i-1' }))?.errorCode,
  'a stranger syncs': (at: Situation) => at.group.answer(at.group.sync('stranger', at.generation))?.errorCode,
  'a follower syncs under an instance it does not have': (at: Situation) =>
    at.group.answer(at.group.sync(at.follower, at.generation, {}, { instanceId: 'i-1' }))?.errorCode,
  'a follower syncs for another protocol': (at: Situation) =>
    at.group.answer(at.group.sync(at.follower, at.generation, {}, { protocolName: 'sticky' }))?.errorCode,
  'a heartbeat of a stranger': (at: Situation) => at.group.heartbeat('stranger', at.generation),
  'a heartbeat of a generation to come': (at: Situation) => at.group.heartbeat(at.leader, at.generation + 1),
  'the leader leaves': (at: Situation) => at.group.leave({ memberId: at.leader })[0],
  'a stranger leaves': (at: Situation) => at.group.leave({ memberId: 'stranger' })[0],
  'an instance that nobody has leaves': (at: Situation) => at.group.leave({ instanceId: 'i-1' })[0],
  'a member that was given an id leaves': (at: Situation) => at.group.leave({ memberId: given(at) })[0],
  'a follower is silent': (at: Situation) => silent(at, at.follower),
  'a member that was given an id is silent': (at: Situation) => silent(at, given(at)),
  'a stranger is silent': (at: Situation) => silent(at, 'stranger'),
  'the time to join is over': (at: Situation) => told(at, { kind: 'joinPhaseOver', groupId: 'g' }),
  'the time to sync is over': (at: Situation) =>
    told(at, { kind: 'syncOverdue', groupId: 'g', generation: at.generation }),
  'the time to sync of an old generation is over': (at: Situation) =>
    told(at, { kind: 'syncOverdue', groupId: 'g', generation: at.generation - 1 }),
  'a stranger commits': (at: Situation) => at.group.commit(1, { memberId: 'stranger', generation: at.generation }),
  'a member commits without generation': (at: Situation) => at.group.commit(1, { memberId: at.follower }),
  'an instance commits without generation': (at: Situation) => at.group.commit(1, { instanceId: 'i-1' }),
} satisfies Record<string, (at: Situation) => number | 'nobody asked' | undefined>

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
  'a new static member joins': {
    Dead: ['waits', 'PreparingRebalance'],
    Empty: ['waits', 'PreparingRebalance'],
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
  },
  'a new member of another protocol type joins': {
    Dead: [MEMBER_ID_REQUIRED, 'Empty'],
    Empty: [MEMBER_ID_REQUIRED, 'Empty'],
    PreparingRebalance: [INCONSISTENT_GROUP_PROTOCOL, 'PreparingRebalance'],
    CompletingRebalance: [INCONSISTENT_GROUP_PROTOCOL, 'CompletingRebalance'],
    Stable: [INCONSISTENT_GROUP_PROTOCOL, 'Stable'],
  },
  'a new member joins with no protocol in common': {
    Dead: [MEMBER_ID_REQUIRED, 'Empty'],
    Empty: [MEMBER_ID_REQUIRED, 'Empty'],
    PreparingRebalance: [INCONSISTENT_GROUP_PROTOCOL, 'PreparingRebalance'],
    CompletingRebalance: [INCONSISTENT_GROUP_PROTOCOL, 'CompletingRebalance'],
    Stable: [INCONSISTENT_GROUP_PROTOCOL, 'Stable'],
  },
  'a stranger joins under an instance': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'a stranger syncs': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'a follower syncs under an instance it does not have': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'a follower syncs for another protocol': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [INCONSISTENT_GROUP_PROTOCOL, 'PreparingRebalance'],
    CompletingRebalance: [INCONSISTENT_GROUP_PROTOCOL, 'CompletingRebalance'],
    Stable: [INCONSISTENT_GROUP_PROTOCOL, 'Stable'],
  },
  'a heartbeat of a stranger': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'a heartbeat of a generation to come': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [ILLEGAL_GENERATION, 'PreparingRebalance'],
    CompletingRebalance: [ILLEGAL_GENERATION, 'CompletingRebalance'],
    Stable: [ILLEGAL_GENERATION, 'Stable'],
  },
  'the leader leaves': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'PreparingRebalance'],
    Stable: [NONE, 'PreparingRebalance'],
  },
  'a stranger leaves': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'an instance that nobody has leaves': {
    Dead: [UNKNOWN_MEMBER_ID, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'a member that was given an id leaves': {
    Dead: [NONE, 'Empty'],
    Empty: [NONE, 'Empty'],
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'PreparingRebalance'],
    Stable: [NONE, 'PreparingRebalance'],
  },
  'a follower is silent': {
    Dead: ['nobody asked', 'Dead'],
    Empty: ['nobody asked', 'Empty'],
    PreparingRebalance: ['nobody asked', 'PreparingRebalance'],
    CompletingRebalance: ['nobody asked', 'PreparingRebalance'],
    Stable: ['nobody asked', 'PreparingRebalance'],
  },
  'a member that was given an id is silent': {
    Dead: ['nobody asked', 'Empty'],
    Empty: ['nobody asked', 'Empty'],
    PreparingRebalance: ['nobody asked', 'PreparingRebalance'],
    CompletingRebalance: ['nobody asked', 'CompletingRebalance'],
    Stable: ['nobody asked', 'Stable'],
  },
  'a stranger is silent': {
    Dead: ['nobody asked', 'Dead'],
    Empty: ['nobody asked', 'Empty'],
    PreparingRebalance: ['nobody asked', 'PreparingRebalance'],
    CompletingRebalance: ['nobody asked', 'CompletingRebalance'],
    Stable: ['nobody asked', 'Stable'],
  },
  'the time to join is over': {
    Dead: ['nobody asked', 'Dead'],
    Empty: ['nobody asked', 'Empty'],
    PreparingRebalance: ['nobody asked', 'CompletingRebalance'],
    CompletingRebalance: ['nobody asked', 'CompletingRebalance'],
    Stable: ['nobody asked', 'Stable'],
  },
  'the time to sync is over': {
    Dead: ['nobody asked', 'Dead'],
    Empty: ['nobody asked', 'Empty'],
    PreparingRebalance: ['nobody asked', 'PreparingRebalance'],
    CompletingRebalance: ['nobody asked', 'Empty'],
    Stable: ['nobody asked', 'Stable'],
  },
  'the time to sync of an old generation is over': {
    Dead: ['nobody asked', 'Dead'],
    Empty: ['nobody asked', 'Empty'],
    PreparingRebalance: ['nobody asked', 'PreparingRebalance'],
    CompletingRebalance: ['nobody asked', 'CompletingRebalance'],
    Stable: ['nobody asked', 'Stable'],
  },
  'a stranger commits': {
    Dead: [GROUP_ID_NOT_FOUND, 'Dead'],
    Empty: [UNKNOWN_MEMBER_ID, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'a member commits without generation': {
    Dead: [NONE, 'Empty'],
    Empty: [NONE, 'Empty'],
    PreparingRebalance: [ILLEGAL_GENERATION, 'PreparingRebalance'],
    CompletingRebalance: [ILLEGAL_GENERATION, 'CompletingRebalance'],
    Stable: [ILLEGAL_GENERATION, 'Stable'],
  },
  'an instance commits without generation': {
    Dead: [NONE, 'Empty'],
    Empty: [NONE, 'Empty'],
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
}

for (const [event, row] of Object.entries(rows) as [keyof typeof events, (typeof rows)['a heartbeat']][]) {
  for (const [state, [answer, after]] of Object.entries(row) as [State, readonly [Answer, State]][]) {
    test(titleOf(state, event, answer, after), () => check(inState[state](), state, events[event], answer, after))
  }
}

// ---- a static member among dynamic ones (KIP-345)

const staticEvents = {
  'the static member is back': (at: Situation) => at.group.answer(at.group.join({ instanceId: 'i-2' }))?.errorCode,
  'the static member is back with other metadata': (at: Situation) =>
    at.group.answer(at.group.join({ instanceId: 'i-2', protocols: [['range', 'other']] }))?.errorCode,
  'the static member joins again': (at: Situation) =>
    at.group.answer(at.group.join({ instanceId: 'i-2', memberId: 's-2' }))?.errorCode,
  'the static member joins again with its id alone': (at: Situation) =>
    at.group.answer(at.group.join({ memberId: 's-2' }))?.errorCode,
  'the static member joins again with other metadata': (at: Situation) =>
    at.group.answer(at.group.join({ instanceId: 'i-2', memberId: 's-2', protocols: [['range', 'other']] }))?.errorCode,
  'the leader joins under the instance': (at: Situation) =>
    at.group.answer(at.group.join({ instanceId: 'i-2', memberId: at.leader }))?.errorCode,
  'a stranger joins under the instance': (at: Situation) =>
    at.group.answer(at.group.join({ instanceId: 'i-2', memberId: 'stranger' }))?.errorCode,
  'the static member syncs': (at: Situation) =>
    at.group.answer(at.group.sync('s-2', at.generation, {}, { instanceId: 'i-2' }))?.errorCode,
  'the leader syncs under the instance': (at: Situation) =>
    at.group.answer(at.group.sync(at.leader, at.generation, {}, { instanceId: 'i-2' }))?.errorCode,
  'a heartbeat of the static member': (at: Situation) => at.group.heartbeat('s-2', at.generation, 'i-2'),
  'a heartbeat of the leader under the instance': (at: Situation) =>
    at.group.heartbeat(at.leader, at.generation, 'i-2'),
  'a heartbeat of the static member under another instance': (at: Situation) =>
    at.group.heartbeat('s-2', at.generation, 'i-9'),
  'the static member commits': (at: Situation) =>
    at.group.commit(1, { memberId: 's-2', instanceId: 'i-2', generation: at.generation }),
  'the leader commits under the instance': (at: Situation) =>
    at.group.commit(1, { memberId: at.leader, instanceId: 'i-2', generation: at.generation }),
  'the instance commits without id': (at: Situation) =>
    at.group.commit(1, { instanceId: 'i-2', generation: at.generation }),
  'the static member leaves by its instance': (at: Situation) => at.group.leave({ instanceId: 'i-2' })[0],
  'the static member leaves by its id': (at: Situation) => at.group.leave({ memberId: 's-2' })[0],
  'the leader leaves under the instance': (at: Situation) =>
    at.group.leave({ memberId: at.leader, instanceId: 'i-2' })[0],
  'the static member is silent': (at: Situation) => silent(at, 's-2'),
} satisfies Record<string, (at: Situation) => number | 'nobody asked' | undefined>

type StaticState = keyof typeof withStaticFollower

const staticRows: Record<keyof typeof staticEvents, Record<StaticState, readonly [answer: Answer, after: State]>> = {
  'the static member is back': {
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the static member is back with other metadata': {
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the static member joins again': {
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the static member joins again with its id alone': {
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the static member joins again with other metadata': {
    PreparingRebalance: ['waits', 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'PreparingRebalance'],
    Stable: ['waits', 'PreparingRebalance'],
  },
  'the leader joins under the instance': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'a stranger joins under the instance': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'the static member syncs': {
    PreparingRebalance: [REBALANCE_IN_PROGRESS, 'PreparingRebalance'],
    CompletingRebalance: ['waits', 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the leader syncs under the instance': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'a heartbeat of the static member': {
    PreparingRebalance: [REBALANCE_IN_PROGRESS, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'a heartbeat of the leader under the instance': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'a heartbeat of the static member under another instance': {
    PreparingRebalance: [UNKNOWN_MEMBER_ID, 'PreparingRebalance'],
    CompletingRebalance: [UNKNOWN_MEMBER_ID, 'CompletingRebalance'],
    Stable: [UNKNOWN_MEMBER_ID, 'Stable'],
  },
  'the static member commits': {
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [REBALANCE_IN_PROGRESS, 'CompletingRebalance'],
    Stable: [NONE, 'Stable'],
  },
  'the leader commits under the instance': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'the instance commits without id': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'the static member leaves by its instance': {
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'PreparingRebalance'],
    Stable: [NONE, 'PreparingRebalance'],
  },
  'the static member leaves by its id': {
    PreparingRebalance: [NONE, 'PreparingRebalance'],
    CompletingRebalance: [NONE, 'PreparingRebalance'],
    Stable: [NONE, 'PreparingRebalance'],
  },
  'the leader leaves under the instance': {
    PreparingRebalance: [FENCED_INSTANCE_ID, 'PreparingRebalance'],
    CompletingRebalance: [FENCED_INSTANCE_ID, 'CompletingRebalance'],
    Stable: [FENCED_INSTANCE_ID, 'Stable'],
  },
  'the static member is silent': {
    PreparingRebalance: ['nobody asked', 'PreparingRebalance'],
    CompletingRebalance: ['nobody asked', 'PreparingRebalance'],
    Stable: ['nobody asked', 'PreparingRebalance'],
  },
}

for (const [event, row] of Object.entries(staticRows) as [
  keyof typeof staticEvents,
  (typeof staticRows)['the static member syncs'],
][]) {
  for (const [state, [answer, after]] of Object.entries(row) as [StaticState, readonly [Answer, State]][]) {
    test(titleOf(state, event, answer, after), () =>
      check(withStaticFollower[state](), state, staticEvents[event], answer, after),
    )
  }
}

function titleOf(state: State, event: string, answer: Answer, after: State): string {
  const words = { waits: ', which waits', 'nobody asked': '' } as const
  const said = typeof answer === 'string' ? words[answer] : `, which is answered ${errorName(answer)}`
  return `${state}: ${event}${said}; then ${after}`
}

function check(
  at: Situation,
  state: State,
  event: (at: Situation) => number | 'nobody asked' | undefined,
  answer: Answer,
  after: State,
): void {
  assert.equal(at.group.describe().groupState, state, 'the group is where the test begins')
  assert.equal(event(at) ?? 'waits', answer)
  assert.equal(at.group.describe().groupState, after)
}
