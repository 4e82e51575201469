// A classic group becomes a consumer group, or has been one (KIP-848, online migration). What its members are to each protocol is said
// in consumer/conversion.ts; here is what a classic group does about those who wait, and about time.

import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { GroupEffect } from '../group-event.ts'
import type { GroupGeneration } from '../group-record.ts'
import { joinRefused } from '../group-response.ts'
import { ClassicMember, type MemberProtocol } from './classic-member.ts'
import { partitionsIn } from './classic-notes.ts'
import { prepareRebalance } from './classic-rebalance.ts'
import type { ClassicState } from './classic-state.ts'
import { cancelPhase, cancelSession } from './classic-timers.ts'
import { refuseSync } from './classic-waits.ts'

export interface ConvertedGroup {
  /** For the log. */
  readonly value: GroupGeneration
  /** All that each member offers: the log keeps only the protocol that is chosen. */
  readonly protocolsOf: ReadonlyMap<string, readonly MemberProtocol[]>
  /** That its members know; the log's is newer when they are to rebalance. */
  readonly generation: number
}

/** Another group takes this one's place: whoever waits is to join again, and no timer of this one fires any more. */
export function giveWay(group: ClassicState): GroupEffect[] {
  const { groupId, roster, pendingJoins } = group
  const code = ErrorCode.REBALANCE_IN_PROGRESS
  const effects: GroupEffect[] = [cancelPhase(groupId, 'join'), cancelPhase(groupId, 'sync')]
  for (const memberId of pendingJoins.keys()) effects.push(cancelSession(groupId, memberId))
  for (const member of roster) {
    const { memberId, joinReply } = member
    effects.push(cancelSession(groupId, memberId), ...refuseSync(member, code))
    if (joinReply === null) continue
    roster.setJoinReply(member, null)
    effects.push(reply(joinReply, joinRefused(memberId, code)))
  }
  return effects
}

/** The group begins as another one that ended: with its members and all that they offer, of which the log keeps the chosen protocol. */
export function takePlace(
  group: ClassicState,
  value: GroupGeneration,
  protocolsOf: ReadonlyMap<string, readonly MemberProtocol[]>,
): void {
  const { roster } = group
  for (const record of value.members) {
    const member = ClassicMember.fromRecord(record, value.protocol)
    member.protocols = protocolsOf.get(record.memberId) ?? member.protocols
    member.owned = partitionsIn(record.assignment)
    member.restored = false
    roster.add(member)
  }
  roster.leaderId = value.leader
  group.generation = value.generation
  group.protocolType = value.protocolType
  group.protocol = value.protocol
  group.phase = 'Stable'
  group.since = value.currentStateTimestamp
}

/** Sessions begin anew; where assignments are out of date, so does the work on them. */
export function begin(group: ClassicState, rebalance: boolean): GroupEffect[] {
  const sessions = Array.from(group.roster, (member) => group.heard(member))
  return rebalance ? [...sessions, ...prepareRebalance(group, null)] : sessions
}
