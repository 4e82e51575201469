// Offsets and groups that go because somebody says so: OffsetDelete (KIP-496), DeleteGroups (KIP-229), and topics that were deleted.

import { ZERO_UUID } from '../../../lib/uuid.ts'
import type { DeleteGroupsResponse } from '../../../protocol/apis/delete-groups.ts'
import type { OffsetDeleteResponse } from '../../../protocol/apis/offset-delete.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import { consumerProtocolType } from '../classic/classic-subscription.ts'
import type { Group } from '../group.ts'
import type { DeletedTopic, DeleteGroupsEvent, DeleteOffsetsEvent, GroupEffect } from '../group-event.ts'
import type { GroupRecord } from '../group-record.ts'
import { noted } from '../history/group-note.ts'
import type { CommittedOffsets } from './committed-offsets.ts'

/**
 * Offsets of a topic that a member reads stay. What members that are no consumers read nobody knows, so they keep everything while there
 * are any.
 */
export function deleteOffsets(
  { groupId, topics, replyTo }: DeleteOffsetsEvent,
  group: Group | undefined,
  offsets: CommittedOffsets,
): GroupEffect[] {
  if (group === undefined) return [reply(replyTo, offsetDeleteRefused(ErrorCode.GROUP_ID_NOT_FOUND))]
  if (!isEmpty(group) && group.protocolType !== consumerProtocolType) {
    return [reply(replyTo, offsetDeleteRefused(ErrorCode.NON_EMPTY_GROUP))]
  }
  const records: GroupRecord[] = []
  const answers = topics.map(({ name, partitions }) => {
    const errorCode = group.isSubscribedTo(name) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
    if (errorCode === ErrorCode.NONE) {
      for (const { partitionIndex: partition } of partitions) {
        const place = { groupId, topic: name, partition }
        if (offsets.get(place) === undefined && !offsets.isPending(place)) continue
        records.push({ kind: 'offsetDeleted', ...place })
      }
    }
    return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
  })
  const answer = reply(replyTo, { errorCode: ErrorCode.NONE, throttleTimeMs: 0, topics: answers })
  return [...deletedOnRequest(groupId, records), answer]
}

/** Of all or none of its partitions; one append for all groups. */
export function deleteGroups(
  { groupIds, replyTo }: DeleteGroupsEvent,
  groupOf: (groupId: string) => Group | undefined,
  offsets: CommittedOffsets,
): GroupEffect[] {
  const records: GroupRecord[] = []
  const notes: GroupEffect[] = []
  const results = groupIds.map((groupId) => {
    const group = groupOf(groupId)
    if (group === undefined) return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND }
    if (!isEmpty(group)) return { groupId, errorCode: ErrorCode.NON_EMPTY_GROUP }
    const ofOffsets = Array.from(
      offsets.allPlacesOf(groupId),
      (place) => ({ kind: 'offsetDeleted', ...place }) as const,
    )
    for (const record of [...ofOffsets, ...group.tombstones()]) records.push(record) // too many for arguments
    notes.push(...notedDeletion(groupId, ofOffsets.length), noted(groupId, { kind: 'groupDeleted', reason: 'asked' }))
    return { groupId, errorCode: ErrorCode.NONE }
  })
  const answer = reply<DeleteGroupsResponse['results']>(replyTo, results)
  return records.length === 0 ? [answer] : [{ kind: 'append', records }, ...notes, answer]
}

/** A topic created anew under the same name has another id: what was committed for that one stays. */
export function forgetTopics(topics: readonly DeletedTopic[], offsets: CommittedOffsets): GroupEffect[] {
  const records: GroupRecord[] = []
  const counts = new Map<string, number>()
  for (const { name, id } of topics) {
    for (const [place, offset] of offsets.placesIn(name)) {
      if (offset.topicId !== ZERO_UUID && offset.topicId !== id) continue
      records.push({ kind: 'offsetDeleted', ...place })
      counts.set(place.groupId, (counts.get(place.groupId) ?? 0) + 1)
    }
  }
  if (records.length === 0) return []
  const notes = Array.from(counts, ([groupId, partitions]) =>
    noted(groupId, { kind: 'offsetsDeleted', partitions, reason: 'topicDeleted' }),
  )
  return [{ kind: 'append', records }, ...notes]
}

export function offsetDeleteRefused(errorCode: ErrorCode): OffsetDeleteResponse {
  return { errorCode, throttleTimeMs: 0, topics: [] }
}

/** Nobody is in it; a classic member that was given an id and has yet to join with it does not count. */
function isEmpty(group: Group): boolean {
  return group.state === 'Empty'
}

function deletedOnRequest(groupId: string, records: readonly GroupRecord[]): GroupEffect[] {
  return records.length === 0 ? [] : [{ kind: 'append', records }, ...notedDeletion(groupId, records.length)]
}

function notedDeletion(groupId: string, partitions: number): GroupEffect[] {
  return partitions === 0 ? [] : [noted(groupId, { kind: 'offsetsDeleted', partitions, reason: 'asked' })]
}
