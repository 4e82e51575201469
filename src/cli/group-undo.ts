// The way back from a reset: what was committed before is committed to a group of its own, which has no members. It is as durable
// as any other offsets, and expires as they do.

import { deleteGroups } from '../protocol/apis/delete-groups.ts'
import { offsetCommit } from '../protocol/apis/offset-commit.ts'
import { offsetDelete } from '../protocol/apis/offset-delete.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { type GroupCluster, GroupRefused, nameOf, type TopicPartition } from './group-cluster.ts'
import type { Committed } from './group-offsets.ts'
import { committedOf } from './group-offsets.ts'

const prefix = '__odradek.undo.'

/** Marks a partition that had no offset; an offset in its place means nothing. */
const hadNone = '__odradek.none'

/** The version that names topics. */
const byName = { newest: 9 }

const undoGroupOf = (groupId: string): string => `${prefix}${groupId}`

export const isUndoGroup = (groupId: string): boolean => groupId.startsWith(prefix)

export type SavedOffset = TopicPartition &
  Pick<Committed, 'leaderEpoch' | 'metadata'> & { readonly offset: number | null }

/** What was committed before the last reset; empty when nothing is kept. */
export async function savedOffsets(cluster: GroupCluster, groupId: string): Promise<readonly SavedOffset[]> {
  const saved = await committedOf(cluster, undoGroupOf(groupId))
  return saved.map((each) => (each.metadata === hadNone ? { ...each, offset: null, metadata: '' } : each))
}

/** In place of what was kept before. */
export async function saveOffsets(
  cluster: GroupCluster,
  groupId: string,
  offsets: readonly SavedOffset[],
): Promise<void> {
  const undoGroup = undoGroupOf(groupId)
  const { results } = await cluster.askCoordinator(
    undoGroup,
    deleteGroups,
    { groupsNames: [undoGroup] },
    (answer) => answer.results[0]!.errorCode,
  )
  const { errorCode } = results[0]!
  if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.GROUP_ID_NOT_FOUND) {
    throw new GroupRefused(`what an earlier reset kept in ${undoGroup} cannot be deleted: ${errorName(errorCode)}`)
  }
  const kept = offsets.map((each) =>
    each.offset === null ? { ...each, offset: 0, metadata: hadNone } : { ...each, offset: each.offset },
  )
  await commitOffsets(cluster, undoGroup, kept)
}

/** As nobody's member. Rejects with `GroupRefused` when a partition is refused, whatever becomes of the others. */
export async function commitOffsets(
  cluster: GroupCluster,
  groupId: string,
  offsets: readonly Committed[],
): Promise<void> {
  if (offsets.length === 0) return
  const topics = Array.from(
    Map.groupBy(offsets, ({ topic }) => topic),
    ([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    }),
  )
  const answer = await cluster.askCoordinator(
    groupId,
    offsetCommit,
    { groupId, topics },
    ({ topics: answered }) => worst(answered),
    byName,
  )
  refuseUnlessDone(groupId, answer.topics)
}

/** Rejects with `GroupRefused` when a partition is refused. */
export async function deleteOffsets(
  cluster: GroupCluster,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<void> {
  if (partitions.length === 0) return
  const topics = Array.from(
    Map.groupBy(partitions, ({ topic }) => topic),
    ([name, ofTopic]) => ({ name, partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition })) }),
  )
  const answer = await cluster.askCoordinator(groupId, offsetDelete, { groupId, topics }, ({ errorCode }) => errorCode)
  if (answer.errorCode !== ErrorCode.NONE) {
    throw new GroupRefused(`offsets of ${groupId} cannot be taken away: ${errorName(answer.errorCode)}`)
  }
  refuseUnlessDone(groupId, answer.topics)
}

interface AnsweredTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: ErrorCode }[]
}

const worst = (topics: readonly AnsweredTopic[]): ErrorCode =>
  topics.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== ErrorCode.NONE)?.errorCode ??
  ErrorCode.NONE

function refuseUnlessDone(groupId: string, topics: readonly AnsweredTopic[]): void {
  const refused = topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
      .map(({ partitionIndex, errorCode }) => ({
        place: nameOf({ topic: name, partition: partitionIndex }),
        errorCode,
      })),
  )
  if (refused.length === 0) return
  const [{ errorCode }] = refused as [(typeof refused)[number]]
  const why =
    errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.REBALANCE_IN_PROGRESS
      ? `members have joined ${groupId} meanwhile`
      : errorName(errorCode)
  throw new GroupRefused(`refused for ${refused.map(({ place }) => place).join(', ')}: ${why}`)
}
