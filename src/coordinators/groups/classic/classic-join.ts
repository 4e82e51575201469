// JoinGroup: who is let in, who has to come back with an id, and what a member's next join means.

import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect, JoinEvent } from '../group-event.ts'
import { joinRefused, unknownMemberId } from '../group-response.ts'
import { noted } from '../history/group-note.ts'
import { ClassicMember } from './classic-member.ts'
import { notedMember, subscriptionChanged } from './classic-notes.ts'
import { completeJoinIfAllThere, outOverdue, rebalanceOrCompleteJoin } from './classic-rebalance.ts'
import type { ClassicState } from './classic-state.ts'
import { replaceStatic } from './classic-static.ts'
import { cancelSession, sessionTimer } from './classic-timers.ts'
import { joined, refuseJoin } from './classic-waits.ts'

export function join(group: ClassicState, event: JoinEvent): GroupEffect[] {
  const { request, replyTo, newMemberId, sender } = event
  const { memberId, groupInstanceId } = request
  const refuse = (code: ErrorCode) => [reply(replyTo, joinRefused(memberId, code))]
  if (!accepts(group, memberId)) return turnAway(group, event)
  if (!supports(group, request)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  if (memberId === unknownMemberId) {
    const holder = groupInstanceId === null ? undefined : group.roster.byInstance(groupInstanceId)
    if (holder !== undefined) return replaceStatic(group, event, holder)
    if (groupInstanceId !== null || sender.apiVersion < 4) return add(group, event, newMemberId)
    // KIP-394: the member has to come back with its id, so that a client that gives up leaves nothing behind.
    group.pendingJoins.set(newMemberId, sender.connectionId)
    return [
      sessionTimer(group.groupId, newMemberId, request.sessionTimeoutMs),
      reply(replyTo, joinRefused(newMemberId, ErrorCode.MEMBER_ID_REQUIRED)),
    ]
  }
  if (group.pendingJoins.has(memberId)) {
    if (groupInstanceId !== null) return refuse(ErrorCode.UNKNOWN_MEMBER_ID) // no static member was ever given this id
    return add(group, event, memberId)
  }
  const member = group.authentic(memberId, groupInstanceId)
  if (!(member instanceof ClassicMember)) return refuse(member)
  return rejoin(group, event, member)
}

/**
 * New members are let in up to the group's greatest size. While members rejoin, those that have count: so the last to rejoin a
 * group that is too large stay out, should the limit have been lowered.
 */
function accepts({ roster, phase, settings }: ClassicState, memberId: string): boolean {
  const member = roster.get(memberId)
  switch (phase) {
    case 'Empty':
      return true
    case 'PreparingRebalance':
      return (member !== undefined && member.joinReply !== null) || roster.waitingToJoin < settings.maxSize
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || roster.size < settings.maxSize
  }
}

/** The group is full. A member that came back too late for its place is none any more. */
function turnAway(group: ClassicState, { request: { memberId }, replyTo }: JoinEvent): GroupEffect[] {
  const refused = reply(replyTo, joinRefused(unknownMemberId, ErrorCode.GROUP_MAX_SIZE_REACHED))
  const member = group.roster.get(memberId)
  const pending = group.pendingJoins.delete(memberId)
  if (member !== undefined) return [...outOverdue(group, member, 'join'), refused, ...completeJoinIfAllThere(group)]
  return pending ? [cancelSession(group.groupId, memberId), refused, ...completeJoinIfAllThere(group)] : [refused]
}

/** Until a rebalance without members is over, whoever comes has to be of their type. */
function supports(group: ClassicState, { protocolType, protocols }: JoinEvent['request']): boolean {
  if (group.phase === 'Empty') return protocolType !== '' && protocols.length > 0
  return protocolType === group.protocolType && group.roster.supportsAny(protocols.map(({ name }) => name))
}

/** A new member cannot send heartbeats before it knows its id: until then it has as long as the settings give it. */
function add(group: ClassicState, event: JoinEvent, memberId: string): GroupEffect[] {
  const { roster } = group
  if (group.phase === 'PreparingRebalance' && group.initial) group.moreMembersCame = true
  if (roster.size === 0) group.protocolType = event.request.protocolType
  const member = ClassicMember.joining(memberId, event)
  roster.update(member, event)
  roster.add(member)
  group.pendingJoins.delete(memberId)
  return [
    noted(group.groupId, { kind: 'memberJoined', member: notedMember(member) }),
    group.heard(member, group.settings.newMemberJoinTimeoutMs),
    ...rebalanceOrCompleteJoin(group, { member, reason: event.request.reason }),
  ]
}

function rejoin(group: ClassicState, event: JoinEvent, member: ClassicMember): GroupEffect[] {
  const { request, replyTo } = event
  const { roster } = group
  const unchanged = member.offers(request.protocols)
  const isLeader = roster.isLeader(member.memberId)
  // It has not got our answer, perhaps: once more. But a leader of a stable group asks for a rebalance by joining, for a change that
  // members cannot see, such as more partitions of a topic.
  if (unchanged && (group.phase === 'CompletingRebalance' || (group.phase === 'Stable' && !isLeader))) {
    return [reply(replyTo, joined(group, member, isLeader))]
  }
  const before = member.protocols
  const effects = refuseJoin(group, member, ErrorCode.UNKNOWN_MEMBER_ID)
  roster.update(member, event)
  if (!unchanged) effects.push(...subscriptionChanged(group, member, before))
  return [...effects, ...rebalanceOrCompleteJoin(group, { member, reason: request.reason })]
}
