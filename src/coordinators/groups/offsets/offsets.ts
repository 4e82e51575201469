// OffsetCommit and OffsetFetch over the committed offsets of a group. Who may commit is the group's to say.

import { ZERO_UUID } from '../../../lib/uuid.ts'
import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import type { CommittedOffsets, OffsetPlace } from './committed-offsets.ts'
import type { Group } from '../group.ts'
import type { CommitEvent, FetchedGroupOffsets, FetchEvent, GroupEffect } from '../group-event.ts'
import type { CommittedOffset, GroupRecord } from '../group-record.ts'
import { unknownOffset } from '../group-response.ts'
import { noted } from '../history/group-note.ts'

type FetchedTopic = FetchedGroupOffsets['topics'][number]
type FetchedPartition = FetchedTopic['partitions'][number]

/** One record per partition. Who commits without a generation is no member. Metadata that is too long refuses its own partition alone. */
export function commitOffsets(
  { groupId, request, replyTo, sender }: CommitEvent,
  metadataMax: number,
  now: Millis,
): GroupEffect[] {
  const records: GroupRecord[] = []
  const topics = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
      const metadata = committedMetadata ?? ''
      if (metadata.length > metadataMax) return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE }
      const value: CommittedOffset = {
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata,
        commitTimestamp: now,
        expireTimestamp: expireTimestamp(request.retentionTimeMs, now),
        topicId,
      }
      records.push({ kind: 'offset', groupId, topic: name, partition: partitionIndex, value })
      return { partitionIndex, errorCode: ErrorCode.NONE }
    }),
  }))
  const answer = reply(replyTo, { throttleTimeMs: 0, topics })
  if (records.length === 0) return [answer]
  const append: GroupEffect = { kind: 'append', records }
  if (request.generationIdOrMemberEpoch >= 0) return [append, answer]
  const { clientId } = sender
  return [append, noted(groupId, { kind: 'offsetsSet', clientId, partitions: records.length }), answer]
}

/** -1: the broker's retention holds. A time past what can be written means never; one before now, at once. */
function expireTimestamp(retentionTimeMs: number, now: Millis): Millis {
  if (retentionTimeMs === -1) return -1
  return Math.min(Math.max(now + retentionTimeMs, 0), Number.MAX_SAFE_INTEGER)
}

/** Of a group that is not there, nothing is committed, whoever asks. */
export function fetchOffsets(
  event: FetchEvent,
  group: Group | undefined,
  offsets: CommittedOffsets,
): FetchedGroupOffsets {
  const { groupId, topics, memberId, memberEpoch } = event
  const errorCode = group?.checkFetch(memberId, memberEpoch) ?? ErrorCode.NONE
  if (errorCode !== ErrorCode.NONE) return { groupId, topics: [], errorCode }
  const answer = topics === null ? allOf(event, offsets) : topics.map((topic) => someOf(event, offsets, topic))
  return { groupId, topics: answer, errorCode: ErrorCode.NONE }
}

function someOf(
  event: FetchEvent,
  offsets: CommittedOffsets,
  { name, topicId, partitionIndexes }: NonNullable<FetchEvent['topics']>[number],
): FetchedTopic {
  const { groupId } = event
  const partitions = partitionIndexes.map((partition) => {
    const place = { groupId, topic: name, partition }
    const offset = offsets.get(place)
    // Committed to a topic that has been deleted and created again.
    const isOther = offset !== undefined && isKnown(offset.topicId) && isKnown(topicId) && offset.topicId !== topicId
    return answerFor(event, offsets, place, isOther ? undefined : offset)
  })
  return { name, topicId, partitions }
}

function allOf(event: FetchEvent, offsets: CommittedOffsets): FetchedTopic[] {
  const { groupId } = event
  return Array.from(offsets.of(groupId) ?? [], ([topic, partitions]) => ({
    name: topic,
    topicId: ZERO_UUID,
    partitions: Array.from(partitions, ([partition, offset]) =>
      answerFor(event, offsets, { groupId, topic, partition }, offset),
    ),
  }))
}

function answerFor(
  { requireStable }: FetchEvent,
  offsets: CommittedOffsets,
  place: OffsetPlace,
  offset: CommittedOffset | undefined,
): FetchedPartition {
  if (requireStable && offsets.isPending(place)) {
    return unknownOffset(place.partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
  }
  if (offset === undefined) return unknownOffset(place.partition)
  return {
    partitionIndex: place.partition,
    committedOffset: offset.offset,
    committedLeaderEpoch: offset.leaderEpoch,
    metadata: offset.metadata,
    errorCode: ErrorCode.NONE,
  }
}

function isKnown(topicId: string): boolean {
  return topicId !== ZERO_UUID
}
