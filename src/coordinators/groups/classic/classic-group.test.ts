// Each state, its answer to each event, and the state after it.

import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode, errorName } from '../../../protocol/error-code.ts'
import { inState, type Situation, type State } from './classic-situations.sim.ts'

const { NONE, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED } = ErrorCode

/** `waits` when there is none yet. */
type Answer = ErrorCode | 'waits'

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
