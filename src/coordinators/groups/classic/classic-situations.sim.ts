// A classic group in each of its states, as tests find it.

import { GroupTester } from '../group-tester.sim.ts'

/** With a member `leader` and a member `follower` of generation `generation`, where the state has them. */
export interface Situation {
  readonly group: GroupTester
  readonly leader: string
  readonly follower: string
  readonly generation: number
}

export function stableGroup() {
  const group = new GroupTester()
  return { group, ...group.stable(2) }
}

export const inState = {
  Dead: (): Situation => ({ group: new GroupTester(), leader: 'nobody', follower: 'nobody', generation: 0 }),
  Empty: (): Situation => {
    const group = new GroupTester()
    const { ids, generation } = group.stable(1)
    group.leave({ memberId: ids[0]! })
    return { group, leader: ids[0]!, follower: 'nobody', generation: generation + 1 }
  },
  PreparingRebalance: (): Situation => {
    const { group, ids, generation } = stableGroup()
    group.enter()
    return { group, leader: ids[0]!, follower: ids[1]!, generation }
  },
  CompletingRebalance: (): Situation => {
    const group = new GroupTester()
    const one = group.enter()
    const two = group.enter()
    group.advance(6_000)
    return { group, leader: one.memberId, follower: two.memberId, generation: group.answer(one.replyTo)!.generationId }
  },
  Stable: (): Situation => {
    const { group, ids, generation } = stableGroup()
    return { group, leader: ids[0]!, follower: ids[1]!, generation }
  },
}
export type State = keyof typeof inState

/** The follower is the static member `i-2`; the leader is dynamic, and so is a third member. */
export const withStaticFollower = {
  PreparingRebalance: (): Situation => {
    const situation = withStaticFollower.Stable()
    situation.group.enter()
    return situation
  },
  CompletingRebalance: (): Situation => {
    const group = new GroupTester()
    const leader = group.enter()
    group.join({ instanceId: 'i-2', newMemberId: 's-2' })
    group.advance(6_000)
    return { group, leader: leader.memberId, follower: 's-2', generation: 1 }
  },
  Stable: (): Situation => {
    const situation = withStaticFollower.CompletingRebalance()
    const { group, leader } = situation
    group.sync('s-2', 1)
    group.sync(leader, 1, { [leader]: 'one', 's-2': 'two' })
    return situation
  },
}

/** Two static members, `s-1` of `i-1` who leads, and `s-2` of `i-2`; their protocol version is `version`. */
export function staticGroup(version = 9): GroupTester {
  const group = new GroupTester()
  group.join({ instanceId: 'i-1', newMemberId: 's-1', version })
  group.join({ instanceId: 'i-2', newMemberId: 's-2', version })
  group.advance(6_000)
  group.sync('s-2', 1)
  group.sync('s-1', 1, { 's-1': 'one', 's-2': 'two' })
  return group
}
