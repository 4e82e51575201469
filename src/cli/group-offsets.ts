// What groups have committed, where logs begin and end, and when the record at an offset was written.

import { fetch } from '../protocol/apis/fetch.ts'
import { listOffsets } from '../protocol/apis/list-offsets.ts'
import { offsetFetch } from '../protocol/apis/offset-fetch.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { batchesIn } from '../records/batches-in.ts'
import { lastOffsetOf } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import { type GroupCluster, nameOf, type TopicPartition } from './group-cluster.ts'

export interface Committed extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** Versions that name topics, and serve many groups at once. */
const byName = { oldest: 8, newest: 9 }
const groupsPerRequest = 100
const latest = -1n
const earliest = -2n
/** Fetches under way at a time. */
const fetchesMax = 20

/** What each group has committed, by group; those without offsets have an empty list. All are coordinated by `brokerId`. */
export async function committedBy(
  cluster: GroupCluster,
  brokerId: number,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Committed[]>> {
  const found = new Map<string, readonly Committed[]>()
  for (let at = 0; at < groupIds.length; at += groupsPerRequest) {
    const groups = groupIds.slice(at, at + groupsPerRequest).map((groupId) => ({ groupId, topics: null }))
    const answer = await cluster.ask(brokerId, offsetFetch, { groups }, byName)
    for (const { groupId, errorCode, topics } of answer.groups) {
      found.set(groupId, errorCode === ErrorCode.NONE ? committedIn(topics) : [])
    }
  }
  return found
}

/** What one group has committed, by topic and partition. */
export async function committedOf(cluster: GroupCluster, groupId: string): Promise<readonly Committed[]> {
  const { groups } = await cluster.askCoordinator(
    groupId,
    offsetFetch,
    { groups: [{ groupId, topics: null }] },
    (answer) => answer.groups[0]!.errorCode,
    byName,
  )
  const { errorCode, topics } = groups[0]!
  if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return []
  if (errorCode !== ErrorCode.NONE) throw new Error(`the offsets of ${groupId} cannot be read: ${errorName(errorCode)}`)
  return committedIn(topics)
}

interface FetchedTopic {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly metadata: string | null
    readonly errorCode: ErrorCode
  }[]
}

function committedIn(topics: readonly FetchedTopic[]): Committed[] {
  const all = topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ committedOffset, errorCode }) => committedOffset >= 0 && errorCode === ErrorCode.NONE)
      .map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => ({
        topic: name,
        partition: partitionIndex,
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata: metadata ?? '',
      })),
  )
  return all.toSorted(inOrder)
}

export function inOrder(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

/** By name of the partition; what has no leader, or none that answers, is left out. Consumers read to `end` at most. */
export interface LogBounds {
  readonly start: number
  readonly end: number
}

export async function logBounds(
  cluster: GroupCluster,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, LogBounds>> {
  const [starts, ends] = await Promise.all([
    offsetsAt(cluster, partitions, () => earliest),
    offsetsAt(cluster, partitions, () => latest),
  ])
  const bounds = new Map<string, LogBounds>()
  for (const [name, end] of ends) {
    const start = starts.get(name)
    if (start !== undefined) bounds.set(name, { start, end })
  }
  return bounds
}

/** The end of each log, by name of the partition. */
export function logEnds(cluster: GroupCluster, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
  return offsetsAt(cluster, partitions, () => latest)
}

/** The first offset at or after the time, -1 where there is none; by name of the partition. */
export function offsetsAtTime(
  cluster: GroupCluster,
  partitions: readonly TopicPartition[],
  timeMs: number,
): Promise<Map<string, number>> {
  return offsetsAt(cluster, partitions, () => BigInt(timeMs))
}

async function offsetsAt(
  cluster: GroupCluster,
  partitions: readonly TopicPartition[],
  timestampOf: (partition: TopicPartition) => bigint,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const byLeader = Map.groupBy(partitions, (partition) => cluster.leaderOf(partition))
  await Promise.all(
    Array.from(byLeader, async ([leader, led]) => {
      if (leader === null) return
      const topics = Array.from(
        Map.groupBy(led, ({ topic }) => topic),
        ([name, ofTopic]) => ({
          name,
          partitions: ofTopic.map((each) => ({ partitionIndex: each.partition, timestamp: timestampOf(each) })),
        }),
      )
      const answer = await cluster.ask(leader, listOffsets, {
        replicaId: -1,
        isolationLevel: 0,
        topics,
        timeoutMs: 5_000,
      })
      for (const { name, partitions: answered } of answer.topics) {
        for (const { partitionIndex, errorCode, offset } of answered) {
          if (errorCode === ErrorCode.NONE) found.set(nameOf({ topic: name, partition: partitionIndex }), offset)
        }
      }
    }),
  )
  return found
}

/**
 * When the record at each offset was written, or the next one that is there: wall milliseconds, by name of the partition. Left out
 * where there is no such record, or its producer gave it no time.
 */
export async function recordTimes(
  cluster: GroupCluster,
  places: readonly (TopicPartition & { readonly offset: number })[],
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  const waiting = [...places]
  const next = async (): Promise<void> => {
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const time = await recordTime(cluster, place, place.offset)
      if (time !== null) found.set(nameOf(place), time)
    }
  }
  await Promise.all(Array.from({ length: fetchesMax }, next))
  return found
}

async function recordTime(cluster: GroupCluster, place: TopicPartition, offset: number): Promise<number | null> {
  const leader = cluster.leaderOf(place)
  if (leader === null) return null
  const { topic, partition } = place
  const answer = await cluster.ask(
    leader,
    fetch,
    {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 0,
      isolationLevel: 0,
      // A broker answers with one whole batch at least, however little is asked for (KIP-74).
      topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 1 }] }],
    },
    { newest: 12 },
  )
  const data = answer.responses[0]?.partitions[0]
  if (data === undefined || data.errorCode !== ErrorCode.NONE || data.records === null) return null
  for (const batch of batchesIn(Buffer.concat(data.records))) {
    if (lastOffsetOf(batch) < offset) continue
    for (const record of recordsOf(batch)) {
      if (record.offset >= offset) return record.timestamp < 0 ? null : record.timestamp
    }
  }
  return null
}
