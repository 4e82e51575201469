// What classic groups tell of themselves. Subscriptions and assignments are the clients' own bytes: told where they can be read, which is
// where the protocol type is that of consumers.

import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { decodedOrNull } from '../../../protocol/schema/index.ts'
import type { GroupEffect } from '../group-event.ts'
import { type Farewell, noted, type NotedMember } from '../history/group-note.ts'
import type { ClassicMember, MemberProtocol } from './classic-member.ts'
import type { ClassicState } from './classic-state.ts'
import { consumerProtocolType } from './classic-subscription.ts'

/** Who asked for a rebalance, and why in the client's own words (KIP-800). */
export interface RebalanceCause {
  readonly member: ClassicMember
  readonly reason: string | null
}

export function notedMember({ memberId, groupInstanceId, clientId, clientHost }: ClassicMember): NotedMember {
  return { memberId, groupInstanceId, clientId, clientHost }
}

export function farewell(member: ClassicMember): Farewell {
  const { owned } = member
  return owned === null ? { member: notedMember(member) } : { member: notedMember(member), owned }
}

export function rebalanceStarted({ groupId }: ClassicState, cause: RebalanceCause | null): GroupEffect {
  const member = cause === null ? null : notedMember(cause.member)
  return noted(groupId, { kind: 'rebalanceStarted', reason: cause?.reason ?? null, member })
}

/** All have their assignment, or nobody is left. Forgets when it began. */
export function rebalanceEnded(group: ClassicState, epoch: number, protocol: string | null): GroupEffect {
  const durationMs = group.now - (group.rebalancingSince ?? group.now)
  group.rebalancingSince = null
  return noted(group.groupId, { kind: 'rebalanceEnded', epoch, members: group.roster.size, protocol, durationMs })
}

/** Nothing when the member reads the same topics as before, or does not say which. */
export function subscriptionChanged(
  { groupId, protocolType }: ClassicState,
  member: ClassicMember,
  before: readonly MemberProtocol[],
): GroupEffect[] {
  if (protocolType !== consumerProtocolType) return []
  const topics = topicsIn(member.protocols)
  const old = topicsIn(before)
  if (topics === null || old === null) return []
  if (topics.length === old.length && topics.every((topic, index) => topic === old[index])) return []
  return [noted(groupId, { kind: 'subscriptionChanged', member: notedMember(member), topics, regex: null })]
}

/** The member gets `assignment`: what is new in it, and what is missing. */
export function assignmentChanged(
  { groupId, protocolType }: ClassicState,
  member: ClassicMember,
  assignment: Uint8Array,
): GroupEffect[] {
  if (protocolType !== consumerProtocolType) return []
  const before = member.owned ?? []
  const after = partitionsIn(assignment)
  member.owned = after
  if (after === null) return []
  const [had, has] = [new Set(before), new Set(after)]
  const gained = after.filter((partition) => !had.has(partition))
  const lost = before.filter((partition) => !has.has(partition))
  if (gained.length === 0 && lost.length === 0) return []
  return [noted(groupId, { kind: 'assignmentChanged', member: notedMember(member), gained, lost })]
}

/** As `topic-0`; null when it cannot be read. Who got nothing has no bytes. */
export function partitionsIn(assignment: Uint8Array): readonly string[] | null {
  if (assignment.length === 0) return []
  return decodedOrNull(() =>
    consumerProtocolAssignment
      .decode(assignment)
      .assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`)),
  )
}

/** Sorted. A consumer says the same topics whichever way it proposes to assign them. */
function topicsIn(protocols: readonly MemberProtocol[]): readonly string[] | null {
  const [first] = protocols
  if (first === undefined) return null
  return decodedOrNull(() => [...new Set(consumerProtocolSubscription.decode(first.metadata).topics)].toSorted())
}
