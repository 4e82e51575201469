// A classic group of consumers becomes a consumer group, when the first member of the consumer protocol joins it (KIP-848,
// `group.consumer.migration.policy`). Its members go on as classic ones, and are asked to rejoin when they are to have something else.

import type { Millis } from '../../../io/clock.ts'
import { reply } from '../../effect.ts'
import type { ClassicGroup } from '../classic/classic-group.ts'
import { consumerProtocolType } from '../classic/classic-subscription.ts'
import type { GroupEffect } from '../group-event.ts'
import type { GroupRecord } from '../group-record.ts'
import type { GroupSettings } from '../group-settings.ts'
import { noted } from '../history/group-note.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import { sessionTimer } from './consumer-timers.ts'
import { cannotUpgrade, upgraded } from './conversion.ts'
import { heartbeatRefused, type Refusal } from './heartbeat-answer.ts'
import type { ConsumerHeartbeatEvent } from './heartbeat-event.ts'

/** One step with the join that brings it about, and one append: when the join is refused, nothing has happened. */
export function upgradeByJoining(
  classic: ClassicGroup,
  event: ConsumerHeartbeatEvent,
  context: ConsumerGroupContext,
  now: Millis,
): GroupEffect[] {
  const { groupId } = classic
  const converted = upgradeProblem(classic, context.settings) ?? convert(classic, context)
  if ('code' in converted) return [reply(event.replyTo, heartbeatRefused(converted))]
  const group = new ConsumerGroup(groupId, context)
  for (const record of converted.records) group.apply(record)
  const joined = group.step(event, now)
  const append = joined.findIndex(({ kind }) => kind === 'append')
  if (append === -1) return joined
  context.becomes(group)
  const sessions = classic.members.map(({ memberId, sessionTimeoutMs }) => {
    return sessionTimer(groupId, memberId, sessionTimeoutMs)
  })
  return [
    noted(groupId, { kind: 'converted', to: 'consumer' }),
    ...classic.giveWay(),
    ...sessions,
    ...withRecordsFirst(joined, [...classic.tombstones(), ...converted.records]),
  ]
}

function upgradeProblem(classic: ClassicGroup, settings: GroupSettings): Refusal | null {
  const { groupId, protocolType, members } = classic
  const { consumerMigrationPolicy, consumerMaxSize } = settings
  if (consumerMigrationPolicy !== 'upgrade' && consumerMigrationPolicy !== 'bidirectional') {
    return cannotUpgrade(groupId, 'online upgrade is disabled')
  }
  if (protocolType !== consumerProtocolType) {
    return cannotUpgrade(groupId, 'the group does not use the consumer embedded protocol')
  }
  if (members.length <= consumerMaxSize) return null
  return cannotUpgrade(groupId, 'the group size exceeds the consumer group maximum size')
}

function convert(
  { groupId, generation, protocol, state, members }: ClassicGroup,
  { topics, hashes }: ConsumerGroupContext,
) {
  const isStable = state === 'Stable'
  return upgraded({ groupId, generation, protocol, isStable, members }, topics, (names) => hashes.of(names))
}

/** Into the first append, which must be the only one for all of it to be in the log or nothing. */
function withRecordsFirst(effects: readonly GroupEffect[], records: readonly GroupRecord[]): GroupEffect[] {
  let left = records
  return effects.map((effect) => {
    if (effect.kind !== 'append') return effect
    const all = [...left, ...effect.records]
    left = []
    return { ...effect, records: all }
  })
}
