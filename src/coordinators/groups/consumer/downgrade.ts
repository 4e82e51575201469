// A consumer group whose members all have the classic protocol becomes a classic group, when the last member of the consumer protocol
// goes or comes back as a classic one (KIP-848, `group.consumer.migration.policy`).

import type { Millis } from '../../../io/clock.ts'
import { reply } from '../../effect.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import type { GroupEffect, JoinEvent } from '../group-event.ts'
import type { GroupRecord } from '../group-record.ts'
import { noted } from '../history/group-note.ts'
import { type ClassicTypeMember, joined } from './classic-answer.ts'
import type { ConsumerGroupHost } from './consumer-group-host.ts'
import { type ConsumerMember, regexOf, sameTopicNames } from './consumer-member.ts'
import { cancelTimers } from './consumer-timers.ts'
import { downgraded } from './conversion.ts'

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
  const { group, effects } = convert(host, staying, (memberId) => memberId, now)
  return [...effects, ...group.begin(true, now)]
}

/**
 * A static member comes back with the classic protocol, and was the last that had the other: it takes over what it had. Null when the
 * group stays a consumer group.
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
  const heirOf = (memberId: string) => (memberId === joining.memberId ? replaced.memberId : memberId)
  const { group, effects } = convert(host, staying, heirOf, now)
  const readsTheSame = sameTopicNames(replaced, joining) && regexOf(replaced) === regexOf(joining)
  if (readsTheSame && state.targetEpoch === state.epoch) {
    const answer = reply(event.replyTo, joined(joining.memberId, state.epoch, joining))
    return [...effects, ...group.begin(false, now), answer]
  }
  // Its join is the first of the rebalance.
  const rejoin = { ...event, request: { ...event.request, memberId: joining.memberId } }
  return [...effects, ...group.begin(true, now), ...group.step(rejoin, now)]
}

function convert(
  host: ConsumerGroupHost,
  staying: readonly ConsumerMember[],
  heirOf: (memberId: string) => string,
  now: Millis,
): { readonly group: ClassicGroup; readonly effects: GroupEffect[] } {
  const { groupId, group: state, context } = host
  const { topics, settings } = context
  const targetOf = (memberId: string) => state.targetOf(heirOf(memberId))
  const { value, protocolsOf } = downgraded({ epoch: state.epoch, members: staying, topics, now, targetOf })
  const group = ClassicGroup.converted(groupId, settings, value, protocolsOf)
  context.becomes(group)
  const records: GroupRecord[] = [...host.tombstones(), { kind: 'generation', groupId, value }]
  const timers = [...state.members].flatMap(({ memberId }) => cancelTimers(groupId, memberId))
  const effects: GroupEffect[] = [
    noted(groupId, { kind: 'converted', to: 'classic' }),
    { kind: 'append', records },
    ...timers,
  ]
  return { group, effects }
}
