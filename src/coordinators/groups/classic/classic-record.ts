// The record that the log keeps of a classic group: its last generation that became stable or empty.

import type { Millis } from '../../../io/clock.ts'
import { invariant } from '../../../lib/invariant.ts'
import type { GroupEffect } from '../group-event.ts'
import type { GroupGeneration } from '../group-record.ts'
import { ClassicMember } from './classic-member.ts'
import type { ClassicState } from './classic-state.ts'

/** A group that never had a member: what a new one starts as, in the log too. */
export const foundingGeneration = {
  protocolType: '',
  generation: 0,
  protocol: null,
  leader: null,
  members: [],
} as const satisfies Omit<GroupGeneration, 'currentStateTimestamp'>

/** The present generation, with its members' assignments. */
export function generationRecord(
  group: ClassicState,
  assignmentOf: (member: ClassicMember) => Uint8Array,
  currentStateTimestamp: Millis,
): GroupEffect {
  const { protocol, protocolType, generation, roster } = group
  invariant(protocol !== null, 'a generation with members has a protocol')
  return appendGeneration(group, {
    protocolType: protocolType ?? '',
    generation,
    protocol,
    leader: roster.leaderId,
    currentStateTimestamp,
    members: Array.from(roster, (member) => member.toRecord(protocol, assignmentOf(member))),
  })
}

export function appendGeneration({ groupId }: ClassicState, value: GroupGeneration): GroupEffect {
  return { kind: 'append', records: [{ kind: 'generation', groupId, value }] }
}

/** The generation the log has now. Members that have joined since the log was read keep what they told us. */
export function applyGeneration(group: ClassicState, value: GroupGeneration): void {
  const { roster } = group
  const before = roster.clear()
  for (const record of value.members) {
    const member = before.get(record.memberId)
    if (member === undefined || member.restored) {
      roster.add(ClassicMember.fromRecord(record, value.protocol))
    } else {
      member.assignment = record.assignment
      roster.add(member)
    }
  }
  group.generation = value.generation
  group.protocolType = value.protocolType === '' ? null : value.protocolType
  group.protocol = value.protocol
  // A leader the log does not name is the first member.
  if (value.leader !== null) roster.leaderId = value.leader
  group.phase = value.members.length === 0 ? 'Empty' : 'Stable'
  group.since = value.currentStateTimestamp
}
