// A consumer group whose members all have the classic protocol becomes a classic group, when the last member of the consumer protocol
// goes or comes back as a classic one (KIP-848, `group.consumer.migration.policy`).

import type { Millis } from '../../../io/clock.ts'
import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import type { GroupEffect, JoinEvent } from '../group-event.ts'
import type { GroupGeneration, GroupRecord } from '../group-record.ts'
import { noted } from '../history/group-note.ts'
import type { ClassicTypeMember } from './classic-answer.ts'
import type { ConsumerGroupHost } from './consumer-group-host.ts'
import { type ConsumerMember, isReconciled, regexOf, sameTopicNames } from './consumer-member.ts'
import { cancelTimers } from './consumer-timers.ts'
import { downgraded, type DowngradeInput } from './conversion.ts'

/** KIP-814: a leader can be told to leave assignments alone. */
const skipAssignmentSince = 9

/**
 * Whether the group becomes classic when it has only these members. Empty groups stay what they are; so do those with more members than a
 * classic group may have.
 */
export function canDowngrade({ context }: ConsumerGroupHost, staying: readonly ConsumerMember[]): boolean {
  const { consumerMigrationPolicy, maxSize } = context.settings
  const allowed = consumerMigrationPolicy === 'downgrade' || consumerMigrationPolicy === 'bidirectional'
  return (
    allowed &&
    staying.length > 0 &&
    staying.length <= maxSize &&
    staying.every(({ classicMemberMetadata }) => classicMemberMetadata !== null)
  )
}

/** Those that stay share what the others had: they are asked to rejoin. */
export function downgradeByLeaving(
  host: ConsumerGroupHost,
  staying: readonly ConsumerMember[],
  now: Millis,
): GroupEffect[] {
  const { group, effects } = convert(host, { staying, leaderId: null, rebalance: true }, now)
  return [...effects, ...group.begin(true, now)]
}

/**
 * A static member comes back with the classic protocol, and was the last that had the other: it takes over what it had, and leads, as
 * somebody has to who watches topics. No rebalance is needed when all have what they are to have and it can be told so; Kafka makes do
 * with fewer conditions, and leaves the group without a leader that knows. Null when the group stays a consumer group.
 */
export function downgradeByReplacement(
  host: ConsumerGroupHost,
  replaced: ConsumerMember,
  joining: ClassicTypeMember,
  event: JoinEvent,
  now: Millis,
): GroupEffect[] | null {
  const state = host.group
  const staying = [...state.members].map((member) => (member.memberId === replaced.memberId ? joining : member))
  if (replaced.classicMemberMetadata !== null || !canDowngrade(host, staying)) return null
  const readsTheSame = sameTopicNames(replaced, joining) && regexOf(replaced) === regexOf(joining)
  const topicsAreTheSame = host.context.hashes.of(state.subscriptions.topics) === state.metadataHash
  const others = staying.filter(({ memberId }) => memberId !== joining.memberId)
  const isSettled = state.targetEpoch === state.epoch && others.every((member) => isReconciled(member, state.epoch))
  const knowsToLead = event.sender.apiVersion >= skipAssignmentSince
  const rebalance = !(readsTheSame && topicsAreTheSame && isSettled && knowsToLead)
  const { group, value, effects } = convert(host, { staying, leaderId: joining.memberId, rebalance }, now)
  if (!rebalance) {
    return [...effects, ...group.begin(false, now), reply(event.replyTo, leads(joining.memberId, value))]
  }
  // Its join is the first of the rebalance.
  const rejoin = { ...event, request: { ...event.request, memberId: joining.memberId } }
  return [...effects, ...group.begin(true, now), ...group.step(rejoin, now)]
}

function leads(memberId: string, { generation, protocolType, protocol, members }: GroupGeneration): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: generation,
    protocolType,
    protocolName: protocol,
    leader: memberId,
    skipAssignment: true,
    memberId,
    members: members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.subscription,
    })),
  }
}

function convert(
  host: ConsumerGroupHost,
  how: Pick<DowngradeInput, 'leaderId' | 'rebalance'> & { readonly staying: readonly ConsumerMember[] },
  now: Millis,
): { readonly group: ClassicGroup; readonly value: GroupGeneration; readonly effects: GroupEffect[] } {
  const { groupId, group: state, context } = host
  const { topics, settings } = context
  const converted = downgraded({ ...how, epoch: state.epoch, members: how.staying, topics, now })
  const { value } = converted
  const group = ClassicGroup.converted(groupId, settings, converted)
  context.becomes(group)
  const records: GroupRecord[] = [...host.tombstones(), { kind: 'generation', groupId, value }]
  const timers = [...state.members].flatMap(({ memberId }) => cancelTimers(groupId, memberId))
  const effects: GroupEffect[] = [
    noted(groupId, { kind: 'converted', to: 'classic' }),
    { kind: 'append', records },
    ...timers,
  ]
  return { group, value, effects }
}
