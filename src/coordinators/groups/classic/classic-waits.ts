// Answers to the members that wait in JoinGroup and SyncGroup.

import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import type { SyncGroupResponse } from '../../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect } from '../group-event.ts'
import { joinRefused, syncRefused, unknownMemberId } from '../group-response.ts'
import type { ClassicMember } from './classic-member.ts'
import type { ClassicState } from './classic-state.ts'

/** A place in the present generation; its leader hears who else has one. */
export function joined(group: ClassicState, member: ClassicMember, withMembers: boolean): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocol ?? '',
    leader: group.roster.leaderId ?? '',
    skipAssignment: false,
    memberId: member.memberId,
    members: withMembers
      ? Array.from(group.roster, (each) => ({
          memberId: each.memberId,
          groupInstanceId: each.groupInstanceId,
          metadata: each.metadataFor(group.protocol),
        }))
      : [],
  }
}

export function assigned(group: ClassicState, assignment: Uint8Array): SyncGroupResponse {
  const { NONE } = ErrorCode
  return {
    throttleTimeMs: 0,
    errorCode: NONE,
    protocolType: group.protocolType,
    protocolName: group.protocol,
    assignment,
  }
}

/** Answers the join that waits for this member: nothing will come of it. */
export function refuseJoin(group: ClassicState, member: ClassicMember, code: ErrorCode): GroupEffect[] {
  if (member.joinReply === null) return []
  const memberId = code === ErrorCode.FENCED_INSTANCE_ID ? member.memberId : unknownMemberId
  const refused = reply(member.joinReply, joinRefused(memberId, code))
  group.roster.setJoinReply(member, null)
  return [refused]
}

export function refuseSync(member: ClassicMember, code: ErrorCode): GroupEffect[] {
  if (member.syncReply === null) return []
  const refused = reply(member.syncReply, syncRefused(code))
  member.syncReply = null
  return [refused]
}

/** Who waits in SyncGroup cannot send heartbeats: its session begins anew with the answer. */
export function answerSync(group: ClassicState, member: ClassicMember, response: SyncGroupResponse): GroupEffect[] {
  if (member.syncReply === null) return []
  const answer = reply(member.syncReply, response)
  member.syncReply = null
  return [answer, group.heard(member)]
}
