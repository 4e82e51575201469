// Members that are gone: by LeaveGroup, by silence, or because their connection closed.

import type { LeaveGroupResponse } from '../../../protocol/apis/leave-group.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect, LeaveEvent, LeavingMember } from '../group-event.ts'
import { unknownMemberId } from '../group-response.ts'
import { noted } from '../history/group-note.ts'
import { ClassicMember } from './classic-member.ts'
import { farewell } from './classic-notes.ts'
import { completeJoin, prepareRebalance, rebalanceOrCompleteJoin } from './classic-rebalance.ts'
import type { ClassicState } from './classic-state.ts'
import { cancelSession } from './classic-timers.ts'
import { refuseJoin, refuseSync } from './classic-waits.ts'

/** Whoever leaves, be it before it came back with its id, makes the others rebalance. */
export function leave(group: ClassicState, { members, replyTo }: LeaveEvent): GroupEffect[] {
  const effects: GroupEffect[] = []
  const answers: LeaveGroupResponse['members'][number][] = []
  let anyLeft = false
  for (const leaving of members) {
    const errorCode = leaveOne(group, leaving, effects)
    anyLeft ||= errorCode === ErrorCode.NONE
    const { memberId, groupInstanceId } = leaving
    answers.push({ memberId, groupInstanceId, errorCode })
  }
  if (anyLeft && group.phase !== 'Empty') effects.push(...rebalanceOrCompleteJoin(group, null))
  return [...effects, reply(replyTo, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members: answers })]
}

/** An administrator may name a static member by its instance alone. */
function leaveOne(
  group: ClassicState,
  { memberId, groupInstanceId, reason }: LeavingMember,
  effects: GroupEffect[],
): ErrorCode {
  const { groupId, roster } = group
  if (group.pendingJoins.delete(memberId)) {
    effects.push(cancelSession(groupId, memberId))
    return ErrorCode.NONE
  }
  let member: ClassicMember | ErrorCode | undefined
  if (memberId !== unknownMemberId) member = group.authentic(memberId, groupInstanceId)
  else if (groupInstanceId !== null) member = roster.byInstance(groupInstanceId)
  if (!(member instanceof ClassicMember)) return member ?? ErrorCode.UNKNOWN_MEMBER_ID
  effects.push(...drop(group, member), noted(groupId, { kind: 'memberLeft', reason, ...farewell(member) }))
  return ErrorCode.NONE
}

/** Members whose join or sync waits cannot be silent, save new ones: a client that gave up must not stay for ever. */
export function sessionExpired(group: ClassicState, memberId: string): GroupEffect[] {
  if (group.pendingJoins.delete(memberId)) return completeJoinAtOnce(group)
  const member = group.roster.get(memberId)
  if (member === undefined) return []
  if (!member.isNew && (member.joinReply !== null || member.syncReply !== null)) return []
  const silentMs = group.now - member.heardAt
  return [
    ...drop(group, member),
    noted(group.groupId, { kind: 'memberSilent', silentMs, ...farewell(member) }),
    ...memberIsGone(group),
  ]
}

/** Static members may come back: only their session decides. */
export function connectionClosed(group: ClassicState, connectionId: number): GroupEffect[] {
  const { groupId, pendingJoins, roster } = group
  const effects: GroupEffect[] = []
  for (const [memberId, heardOn] of pendingJoins) {
    if (heardOn !== connectionId) continue
    pendingJoins.delete(memberId)
    effects.push(cancelSession(groupId, memberId))
  }
  let anyGone = false
  for (const member of roster) {
    if (member.connectionId !== connectionId || member.groupInstanceId !== null) continue
    anyGone = true
    effects.push(...drop(group, member), noted(groupId, { kind: 'memberDisconnected', ...farewell(member) }))
  }
  if (effects.length === 0) return []
  return [...effects, ...(anyGone ? memberIsGone(group) : completeJoinAtOnce(group))]
}

function drop(group: ClassicState, member: ClassicMember): GroupEffect[] {
  const { memberId } = member
  const code = ErrorCode.UNKNOWN_MEMBER_ID
  const effects = [...refuseJoin(group, member, code), ...refuseSync(member, code)]
  group.roster.remove(memberId)
  return [...effects, cancelSession(group.groupId, memberId)]
}

function memberIsGone(group: ClassicState): GroupEffect[] {
  switch (group.phase) {
    case 'Empty':
      return []
    case 'PreparingRebalance':
      return completeJoinAtOnce(group)
    case 'CompletingRebalance':
    case 'Stable':
      return prepareRebalance(group, null)
  }
}

/** Nobody else is waited for, not even by the initial delay. */
function completeJoinAtOnce(group: ClassicState): GroupEffect[] {
  return group.phase === 'PreparingRebalance' && group.allJoined() ? completeJoin(group) : []
}
