// The two phases of a rebalance: members join, which ends with a new generation, and then wait until they have synced.

import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect } from '../group-event.ts'
import { syncRefused } from '../group-response.ts'
import { noted } from '../history/group-note.ts'
import { type ClassicMember, noBytes } from './classic-member.ts'
import { farewell, type RebalanceCause, rebalanceEnded, rebalanceStarted } from './classic-notes.ts'
import { appendGeneration, foundingGeneration } from './classic-record.ts'
import type { ClassicState } from './classic-state.ts'
import { cancelPhase, cancelSession, initialDelayTimer, joinTimer, syncTimer } from './classic-timers.ts'
import { answerSync, joined } from './classic-waits.ts'

/** Clients may give a rebalance no time at all: whoever waits on waits for so long at least. */
const waitAgainMsMin: Millis = 1_000

/** What a member does that changes the group: a rebalance begins, or one more has joined the one under way. */
export function rebalanceOrCompleteJoin(group: ClassicState, cause: RebalanceCause | null): GroupEffect[] {
  return group.phase === 'PreparingRebalance' ? completeJoinIfAllThere(group) : prepareRebalance(group, cause)
}

/** All members have to join again. An empty group waits a while for more of them to come. */
export function prepareRebalance(group: ClassicState, cause: RebalanceCause | null): GroupEffect[] {
  const { groupId, roster, settings } = group
  const effects: GroupEffect[] = [rebalanceStarted(group, cause)]
  if (group.phase === 'CompletingRebalance') {
    for (const member of roster) {
      member.assignment = noBytes
      effects.push(...answerSync(group, member, syncRefused(ErrorCode.REBALANCE_IN_PROGRESS)))
    }
  }
  group.pendingSyncs.clear()
  effects.push(cancelPhase(groupId, 'sync'))
  group.initial = group.phase === 'Empty'
  group.moreMembersCame = false
  group.phase = 'PreparingRebalance'
  group.phaseSince = group.now
  group.rebalancingSince ??= group.now
  if (group.initial) {
    const delayMs = settings.initialRebalanceDelayMs
    const remainingMs = Math.max(roster.rebalanceTimeoutMs - delayMs, 0)
    return [...effects, initialDelayTimer(groupId, delayMs, remainingMs)]
  }
  if (group.allJoined()) return [...effects, ...completeJoin(group)]
  return [...effects, joinTimer(groupId, roster.rebalanceTimeoutMs)]
}

/** The initial rebalance ends with its delay, and not before. */
export function completeJoinIfAllThere(group: ClassicState): GroupEffect[] {
  return group.phase === 'PreparingRebalance' && !group.initial && group.allJoined() ? completeJoin(group) : []
}

/** The initial delay is over: wait as long again if members came meanwhile, up to the rebalance timeout in all. */
export function initialDelayOver(group: ClassicState, delayMs: Millis, remainingMs: Millis): GroupEffect[] {
  if (group.phase !== 'PreparingRebalance') return []
  if (!group.moreMembersCame || remainingMs === 0) return completeJoin(group)
  group.moreMembersCame = false
  const nextDelayMs = Math.min(group.settings.initialRebalanceDelayMs, remainingMs)
  return [initialDelayTimer(group.groupId, nextDelayMs, Math.max(remainingMs - delayMs, 0))]
}

/** Those who have not rejoined are out, save static members; whoever is left is the next generation. */
export function completeJoin(group: ClassicState): GroupEffect[] {
  const { groupId, roster } = group
  const effects: GroupEffect[] = [cancelPhase(groupId, 'join')]
  for (const member of roster) {
    if (member.joinReply === null && member.groupInstanceId === null) effects.push(...outOverdue(group, member, 'join'))
  }
  if (roster.size === 0) return [...effects, ...becomeEmpty(group)]
  // Only static members are left, and none has rejoined: go on waiting, until they do or their sessions end.
  if (!roster.electJoinedLeader()) {
    return [...effects, joinTimer(groupId, Math.max(roster.rebalanceTimeoutMs, waitAgainMsMin))]
  }
  group.generation++
  group.protocol = roster.selectProtocol()
  group.phase = 'CompletingRebalance'
  group.phaseSince = group.now
  for (const member of roster) {
    if (member.joinReply !== null) {
      effects.push(reply(member.joinReply, joined(group, member, roster.isLeader(member.memberId))))
    }
    roster.setJoinReply(member, null)
    member.isNew = false
    group.pendingSyncs.add(member.memberId)
    effects.push(group.heard(member))
  }
  return [...effects, syncTimer(groupId, roster.rebalanceTimeoutMs, group.generation)]
}

/** Members that have their place in the generation, and do not ask for their assignment, are out. */
export function syncOverdue(group: ClassicState, generation: number): GroupEffect[] {
  const { roster, pendingSyncs } = group
  const underWay = group.phase === 'CompletingRebalance' || group.phase === 'Stable'
  if (generation !== group.generation || !underWay || pendingSyncs.size === 0) return []
  const effects: GroupEffect[] = []
  for (const memberId of pendingSyncs) {
    const member = roster.get(memberId)
    if (member !== undefined) effects.push(...outOverdue(group, member, 'sync'))
  }
  return [...effects, ...prepareRebalance(group, null)]
}

/** Its requests, should there be any, are answered. */
export function outOverdue(group: ClassicState, member: ClassicMember, phase: 'join' | 'sync'): GroupEffect[] {
  const { groupId, roster } = group
  const { memberId } = member
  roster.remove(memberId)
  const afterMs = group.now - group.phaseSince
  return [
    cancelSession(groupId, memberId),
    noted(groupId, { kind: 'memberOverdue', phase, afterMs, ...farewell(member) }),
  ]
}

function becomeEmpty(group: ClassicState): GroupEffect[] {
  const generation = group.generation + 1
  const value = { ...foundingGeneration, generation, protocolType: group.protocolType ?? '' }
  // `apply` makes it Empty.
  return [
    appendGeneration(group, { ...value, currentStateTimestamp: group.now }),
    rebalanceEnded(group, generation, null),
  ]
}
