// KIP-345: a static member is back without knowing its id.

import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect, JoinEvent } from '../group-event.ts'
import { noted } from '../history/group-note.ts'
import type { ClassicMember } from './classic-member.ts'
import { notedMember, subscriptionChanged } from './classic-notes.ts'
import { completeJoinIfAllThere, prepareRebalance } from './classic-rebalance.ts'
import { generationRecord } from './classic-record.ts'
import type { ClassicState } from './classic-state.ts'
import { cancelSession } from './classic-timers.ts'
import { joined, refuseJoin, refuseSync } from './classic-waits.ts'

/**
 * It gets a new id, and whoever still uses the old is fenced. In a stable group it takes up where it left off, without a rebalance,
 * unless the group would now choose another protocol. Its first session is as long as the one before.
 */
export function replaceStatic(group: ClassicState, event: JoinEvent, old: ClassicMember): GroupEffect[] {
  const { groupId, roster } = group
  const { request, newMemberId } = event
  const code = ErrorCode.FENCED_INSTANCE_ID
  const effects = [...refuseJoin(group, old, code), ...refuseSync(old, code)]
  const leaderBefore = roster.leaderId
  const member = roster.replace(old, newMemberId)
  group.pendingSyncs.delete(old.memberId)
  effects.push(
    cancelSession(groupId, old.memberId),
    group.heard(member),
    noted(groupId, { kind: 'memberReplaced', member: notedMember(member), oldMemberId: old.memberId }),
  )
  roster.update(member, event)
  effects.push(...subscriptionChanged(group, member, old.protocols))
  const cause = { member, reason: request.reason }
  switch (group.phase) {
    case 'Stable':
      if (roster.selectProtocol() !== group.protocol) return [...effects, ...prepareRebalance(group, cause)]
      return [...effects, ...takeUp(group, event, member, leaderBefore)]
    case 'CompletingRebalance':
      // The leader may know the old id already, and would assign to that.
      return [...effects, ...prepareRebalance(group, cause)]
    case 'Empty':
    case 'PreparingRebalance':
      return [...effects, ...completeJoinIfAllThere(group)]
  }
}

/** KIP-814: before version 9 a leader could not be told to leave assignments alone, so it hears that the old one leads. */
function takeUp(
  group: ClassicState,
  { replyTo, sender }: JoinEvent,
  member: ClassicMember,
  leaderBefore: string | null,
): GroupEffect[] {
  group.roster.setJoinReply(member, null)
  const isLeader = group.roster.isLeader(member.memberId)
  const response =
    sender.apiVersion >= 9
      ? { ...joined(group, member, isLeader), skipAssignment: isLeader }
      : { ...joined(group, member, false), leader: leaderBefore ?? '' }
  return [generationRecord(group, ({ assignment }) => assignment, group.since), reply(replyTo, response)]
}
