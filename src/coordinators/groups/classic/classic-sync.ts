// SyncGroup: members of a generation ask for their assignment, and its leader brings all of them.

import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect, SyncEvent } from '../group-event.ts'
import { syncRefused } from '../group-response.ts'
import { ClassicMember, noBytes } from './classic-member.ts'
import { assignmentChanged, rebalanceEnded } from './classic-notes.ts'
import { generationRecord } from './classic-record.ts'
import type { ClassicState } from './classic-state.ts'
import { cancelPhase } from './classic-timers.ts'
import { answerSync, assigned, refuseSync } from './classic-waits.ts'

export function sync(group: ClassicState, event: SyncEvent): GroupEffect[] {
  const { request, replyTo, sender } = event
  const refuse = (code: ErrorCode) => [reply(replyTo, syncRefused(code))]
  const member = group.authentic(request.memberId, request.groupInstanceId)
  if (!(member instanceof ClassicMember)) return refuse(member)
  if (request.generationId !== group.generation) return refuse(ErrorCode.ILLEGAL_GENERATION)
  // KIP-559: a member names what it believes was agreed on.
  if (differs(request.protocolType, group.protocolType) || differs(request.protocolName, group.protocol)) {
    return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  }
  member.connectionId = sender.connectionId
  switch (group.phase) {
    case 'Empty':
      return refuse(ErrorCode.UNKNOWN_MEMBER_ID)
    case 'PreparingRebalance':
      return refuse(ErrorCode.REBALANCE_IN_PROGRESS)
    case 'CompletingRebalance': {
      const effects = [...refuseSync(member, ErrorCode.REBALANCE_IN_PROGRESS), ...synced(group, member)]
      member.syncReply = replyTo
      if (!group.roster.isLeader(member.memberId)) return effects
      return [...effects, ...assign(group, request.assignments)]
    }
    case 'Stable':
      return [...synced(group, member), reply(replyTo, assigned(group, member.assignment))]
  }
}

function synced({ groupId, pendingSyncs }: ClassicState, { memberId }: ClassicMember): GroupEffect[] {
  pendingSyncs.delete(memberId)
  return pendingSyncs.size === 0 ? [cancelPhase(groupId, 'sync')] : []
}

/** The leader has spoken: what it says goes to the log, then to all who wait. Members it left out get nothing. */
function assign(group: ClassicState, given: SyncEvent['request']['assignments']): GroupEffect[] {
  const assignments = new Map(given.map(({ memberId, assignment }) => [memberId, new Uint8Array(assignment)]))
  const assignmentOf = ({ memberId }: ClassicMember) => assignments.get(memberId) ?? noBytes
  const effects = [generationRecord(group, assignmentOf, group.now)] // and `apply` makes it Stable
  for (const member of group.roster) {
    const assignment = assignmentOf(member)
    effects.push(...answerSync(group, member, assigned(group, assignment)))
    effects.push(...assignmentChanged(group, member, assignment))
  }
  return [...effects, rebalanceEnded(group, group.generation, group.protocol)]
}

/** Only what is known on both sides can differ. */
function differs(said: string | null, agreed: string | null): boolean {
  return said !== null && agreed !== null && said !== agreed
}
