// The topics of a group request by name and by id: what exists, and what a client of either kind is told (OffsetCommit and OffsetFetch 10).

import type { OffsetDeleteRequest } from '../../protocol/apis/offset-delete.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { CommittedTopic, FetchedGroup, FetchedGroupOffsets } from './group-event.ts'
import { unknownOffset } from './group-response.ts'
import type { TopicsView } from './topics-view.ts'

/** The first version that names topics by id alone. */
const topicIdsSince = 10

type CommitAnswer = { readonly partitionIndex: number; readonly errorCode: ErrorCode }

export interface CheckedTopic {
  /** As the group is to see it: by name, only with partitions that exist; null when none does. */
  readonly topic: CommittedTopic | null
  readonly exists: boolean
  /** Answers for the partitions that do not exist. */
  readonly refused: readonly CommitAnswer[]
}

/**
 * Offsets are committed only for what exists. They belong to the topic's id, whatever the client named it by: should the topic be deleted
 * and created anew, they do not count for it.
 */
export function checkCommittedTopic(topics: TopicsView, topic: CommittedTopic, apiVersion: number): CheckedTopic {
  const byId = apiVersion >= topicIdsSince
  const known = byId ? topics.byId(topic.topicId) : topics.byName(topic.name)
  const code = byId && known === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const exists = (index: number) => known !== null && index >= 0 && index < known.partitionCount
  const partitions = topic.partitions.filter(({ partitionIndex }) => exists(partitionIndex))
  const refused = topic.partitions
    .filter(({ partitionIndex }) => !exists(partitionIndex))
    .map(({ partitionIndex }) => ({ partitionIndex, errorCode: code }))
  if (known === null || partitions.length === 0) return { topic: null, exists: known !== null, refused }
  return { topic: { name: known.name, topicId: known.id, partitions }, exists: true, refused }
}

type DeletedOffsets = OffsetDeleteRequest['topics'][number]

/** As for a commit: only partitions that exist have offsets to delete. */
export function checkDeletedTopic(
  topics: TopicsView,
  { name, partitions }: DeletedOffsets,
): Omit<CheckedTopic, 'topic'> & { readonly topic: DeletedOffsets | null } {
  const known = topics.byName(name)
  const count = known?.partitionCount ?? 0
  const exists = ({ partitionIndex }: { partitionIndex: number }) => partitionIndex >= 0 && partitionIndex < count
  const existing = partitions.filter(exists)
  const refused = partitions
    .filter((partition) => !exists(partition))
    .map(({ partitionIndex }) => ({ partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }))
  return { topic: existing.length === 0 ? null : { name, partitions: existing }, exists: known !== null, refused }
}

interface CheckedAnswer<Names> {
  readonly names: Names
  readonly exists: boolean
  readonly refused: readonly CommitAnswer[]
  readonly answered: readonly CommitAnswer[]
}

/**
 * The answer put together as Kafka does: what was refused before the group was asked comes first, and where there is such, each topic is
 * named once. A topic that exists is not mentioned when the request names no partition of it.
 */
export function refusedFirst<Names extends object>(
  topics: readonly CheckedAnswer<Names>[],
): (Names & { readonly partitions: readonly CommitAnswer[] })[] {
  const answers: (Names & { readonly partitions: CommitAnswer[] })[] = []
  const byNames = new Map<string, CommitAnswer[]>()
  const add = (names: Names, partitions: readonly CommitAnswer[]) => {
    const key = JSON.stringify(names)
    const before = byNames.get(key)
    if (before !== undefined) {
      for (const partition of partitions) before.push(partition) // too many for arguments
      return
    }
    const own = [...partitions]
    byNames.set(key, own)
    answers.push({ ...names, partitions: own })
  }
  for (const { names, exists, refused } of topics) if (!exists || refused.length > 0) add(names, refused)
  const anyRefused = answers.length > 0
  for (const { names, answered } of topics) {
    if (answered.length === 0) continue
    if (anyRefused) add(names, answered)
    else answers.push({ ...names, partitions: [...answered] })
  }
  return answers
}

type RequestedTopic = NonNullable<FetchedGroup['topics']>[number]
type FetchedTopic = FetchedGroupOffsets['topics'][number]

/** The topic under its name; its whole answer when there is no such topic. Whoever asks by name need not name one that exists. */
export function resolveFetchedTopic(
  topics: TopicsView,
  topic: RequestedTopic,
  apiVersion: number,
): { readonly topic: RequestedTopic } | { readonly refused: FetchedTopic } {
  if (apiVersion < topicIdsSince) return { topic }
  const known = topics.byId(topic.topicId)
  if (known !== null) return { topic: { ...topic, name: known.name } }
  const partitions = topic.partitionIndexes.map((index) => unknownOffset(index, ErrorCode.UNKNOWN_TOPIC_ID))
  return { refused: { name: topic.name, topicId: topic.topicId, partitions } }
}

/** All that a group has committed, under ids where the client knows no names: what has been deleted meanwhile has none. */
export function withTopicIds(
  topics: TopicsView,
  fetched: FetchedGroupOffsets,
  apiVersion: number,
): FetchedGroupOffsets {
  if (apiVersion < topicIdsSince) return fetched
  const identified = fetched.topics.flatMap((topic) => {
    const known = topics.byName(topic.name)
    return known === null ? [] : [{ ...topic, topicId: known.id }]
  })
  return { ...fetched, topics: identified }
}
