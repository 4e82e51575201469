// Committed offsets that nobody needs any more, and groups that nothing is left of (offsets.retention.minutes; KIP-186, KIP-211).
//
// An offset goes once no member reads its topic and its retention is over; what that runs from is the group's to say. An offset that an
// open transaction may change stays. A group goes with its last offset, or when it has none, once it is deserted.

import type { Millis } from '../../../io/clock.ts'
import type { Group } from '../group.ts'
import type { GroupEffect } from '../group-event.ts'
import type { GroupRecord } from '../group-record.ts'
import { noted } from '../history/group-note.ts'
import type { CommittedOffsets } from './committed-offsets.ts'

/** One append for all groups, then what became of each. */
export function expireOffsets(
  groups: Iterable<Group>,
  offsets: CommittedOffsets,
  retentionMs: Millis,
  now: Millis,
): GroupEffect[] {
  const records: GroupRecord[] = []
  const notes: GroupEffect[] = []
  for (const group of groups) {
    const { groupId } = group
    let expired = 0
    let anyLeft = offsets.hasPending(groupId)
    for (const [place, offset] of offsets.placesOf(groupId)) {
      const { topic } = place
      if (
        !group.isSubscribedTo(topic) &&
        group.isExpired(topic, offset, retentionMs, now) &&
        !offsets.isPending(place)
      ) {
        records.push({ kind: 'offsetDeleted', ...place })
        expired++
      } else {
        anyLeft = true
      }
    }
    if (expired > 0) notes.push(noted(groupId, { kind: 'offsetsDeleted', partitions: expired, reason: 'expired' }))
    if (!anyLeft && group.deserted) {
      records.push(...group.tombstones())
      notes.push(noted(groupId, { kind: 'groupDeleted', reason: 'expired' }))
    }
  }
  return records.length === 0 ? [] : [{ kind: 'append', records }, ...notes]
}
