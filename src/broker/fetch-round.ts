// One look at the partitions of a fetch: which have records, which have an error, and the reading itself
// (ReplicaManager.readFromLog, Partition.fetchRecords). The look is synchronous and allocates nothing for idle partitions.

import type { ClusterImage } from '../cluster/image.ts'
import type { Logger } from '../lib/logger.ts'
import { slabOf } from '../lib/slab.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { nextOffsetOf } from '../records/batch.ts'
import { forEachBatch } from '../records/batches-in.ts'
import type { AbortedTransaction, Partition, WatchedEnd } from '../replication/partition.ts'
import type { ReplicaSet } from '../replication/replica-set.ts'
import type { LogRead, Offset } from '../storage/partition-log.ts'
import type { FetchPartition, TopicKey } from './fetch-partition.ts'
import { servable } from './served-partition.ts'
import type { SessionNews } from './session-news.ts'

export type IsolationLevel = 'readUncommitted' | 'readCommitted'

/** What all partitions of one request have in common. */
export interface FetchScope {
  readonly replicas: ReplicaSet
  readonly image: ClusterImage
  readonly logger: Logger
  readonly topicKey: TopicKey
  readonly isolation: IsolationLevel
  /** The broker that fetches as a replica; null for a consumer. */
  readonly follower: FollowerIdentity | null
  /** Followers may serve a consumer of this version (KIP-392). */
  readonly anyReplica: boolean
  /** Followers serve consumers, so they are told of the high watermark without delay. */
  readonly followersServe: boolean
  /** Which replica a consumer had better read from; -1: this one. */
  readonly betterReplica: (wanted: FetchPartition, partition: Partition) => number
}

export interface FollowerIdentity {
  readonly brokerId: number
  /** -1: from before it was said (Fetch below v15). */
  readonly brokerEpoch: number
}

export interface DivergingEpoch {
  readonly epoch: number
  readonly endOffset: Offset
}

/** Records found, with the offsets that held when they were. */
export interface ReadAhead {
  readonly wanted: FetchPartition
  /** How many partitions of the fetch come before it. */
  readonly place: number
  readonly partition: Partition
  readonly highWatermark: Offset
  readonly lastStableOffset: Offset
  readonly upTo: Offset
  /** Of the leadership that a follower asked; null for consumers. */
  readonly leaderEpoch: number | null
  chunks: readonly Uint8Array[]
  sizeBytes: number
  /** It was read without a limit on its first batch, and there was none. */
  isEmpty: boolean
  errorCode: ErrorCode
  /** Overlapping what was read; for readers of committed records, else null. */
  aborted: readonly AbortedTransaction[] | null
}

export interface Round {
  /** In the order of the fetch. */
  readonly reads: readonly ReadAhead[]
  /** Partitions that could have records later. */
  readonly partitions: number
  /** Something that the client is told at once: an error or a diverging epoch. */
  readonly hasNews: boolean
}

/** The partition, if this request may read it; else the code, and whether the whole topic is unknown. */
export function partitionOf(wanted: FetchPartition, scope: FetchScope): Partition | ErrorCode {
  const topic = wanted.resolve(scope.image, scope.topicKey)
  if (typeof topic === 'number') return topic
  const partition = scope.replicas.findById(topic.id, wanted.index)
  if (partition === undefined) return ErrorCode.NOT_LEADER_OR_FOLLOWER
  const served = servable(partition, wanted.currentLeaderEpoch, scope.anyReplica)
  if (typeof served === 'number' || scope.follower === null) return served
  const { brokerId, brokerEpoch } = scope.follower
  return served.standingOf(brokerId, brokerEpoch) === 'follower' ? served : ErrorCode.NOT_LEADER_OR_FOLLOWER
}

/** Where reading ends: for followers with what is written, for consumers with what the isolation level lets them see. */
function readLimit(partition: Partition, { follower, isolation }: FetchScope): Offset {
  if (follower !== null) return partition.readableEnd
  return isolation === 'readCommitted' ? partition.lastStableOffset : partition.highWatermark
}

/** What is wrong with the offset a partition is to be read from, or null. */
export function offsetRefusal(wanted: FetchPartition, partition: Partition): ErrorCode | DivergingEpoch | null {
  const refusal = misplaced(wanted, partition)
  // Another broker may lead by now, and have what we have not: whoever is told that it is misplaced begins elsewhere.
  return refusal === null || partition.mayAnswerAlone ? refusal : ErrorCode.NOT_LEADER_OR_FOLLOWER
}

function misplaced(wanted: FetchPartition, partition: Partition): ErrorCode | DivergingEpoch | null {
  const { fetchOffset } = wanted
  // Whatever the epochs say: what lies below the start is gone.
  if (fetchOffset < partition.logStartOffset) return ErrorCode.OFFSET_OUT_OF_RANGE
  if (wanted.lastFetchedEpoch >= 0) {
    const diverging = divergence(wanted, partition)
    if (diverging !== null) return diverging
  }
  return fetchOffset > partition.logEndOffset ? ErrorCode.OFFSET_OUT_OF_RANGE : null
}

/** Whether the client's log parted from ours before its fetch offset (KIP-595). */
function divergence(wanted: FetchPartition, partition: Partition): ErrorCode | DivergingEpoch | null {
  const known = partition.log!.endOffsetForEpoch(wanted.lastFetchedEpoch)
  if (known.epoch < 0 || known.endOffset < 0) return ErrorCode.OFFSET_OUT_OF_RANGE
  const parted = known.epoch < wanted.lastFetchedEpoch || known.endOffset < wanted.fetchOffset
  return parted ? { epoch: known.epoch, endOffset: known.endOffset } : null
}

/** The topic is unknown to the cluster, as opposed to a partition that this broker cannot serve. */
export function isUnknownTopic(errorCode: ErrorCode): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_ID ||
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === ErrorCode.INCONSISTENT_TOPIC_ID
  )
}

/** Some or all partitions of a fetch, in its order. */
export interface Looked {
  values(): Iterable<FetchPartition>
}

const consumersEnds: readonly WatchedEnd[] = ['committed']
const followersEnds: readonly WatchedEnd[] = ['written']
const servingFollowersEnds: readonly WatchedEnd[] = ['written', 'committed']

/** What wakes a fetch that waits. */
export function endsFor({ follower, followersServe }: FetchScope): readonly WatchedEnd[] {
  if (follower === null) return consumersEnds
  return followersServe ? servingFollowersEnds : followersEnds
}

/** Looks at every partition, and notes how far a follower has come. Reads nothing. `news` keeps those of which not all is said. */
export function look(partitions: Looked, scope: FetchScope, news: SessionNews | null = null): Round {
  const reads: ReadAhead[] = []
  let served = 0
  let hasNews = false
  let place = -1
  for (const wanted of partitions.values()) {
    place += 1
    const partition = partitionOf(wanted, scope)
    if (typeof partition === 'number') {
      hasNews ||= !isUnknownTopic(partition)
      news?.keep(wanted)
      continue
    }
    served += 1
    news?.watch(wanted, partition, endsFor(scope))
    if (offsetRefusal(wanted, partition) !== null) {
      hasNews = true
      news?.keep(wanted)
      continue
    }
    if (scope.follower !== null) {
      const { fetchOffset, logStartOffset } = wanted
      partition.followerFetched({ ...scope.follower, fetchOffset, logStartOffset })
      hasNews ||= scope.followersServe && !wanted.wasToldHighWatermark(partition.highWatermark)
    } else if (scope.betterReplica(wanted, partition) >= 0) {
      hasNews = true
      continue
    }
    const upTo = readLimit(partition, scope)
    if (news !== null && (upTo > wanted.fetchOffset || !wasToldAll(wanted, partition))) news.keep(wanted)
    if (upTo <= wanted.fetchOffset || isHeldBack(partition, scope)) continue
    const { highWatermark, lastStableOffset } = partition
    reads.push({
      wanted,
      place,
      partition,
      highWatermark,
      lastStableOffset,
      upTo,
      leaderEpoch: scope.follower === null ? null : partition.leaderEpoch,
      chunks: [],
      sizeBytes: 0,
      isEmpty: false,
      errorCode: ErrorCode.NONE,
      aborted: scope.isolation === 'readCommitted' ? [] : null,
    })
  }
  return { reads, partitions: served, hasNews }
}

function wasToldAll(wanted: FetchPartition, { highWatermark, logStartOffset }: Partition): boolean {
  return wanted.wasTold(highWatermark, logStartOffset)
}

/** Whether a follower is to have nothing of the partition now (KIP-73); it asks again. */
function isHeldBack(partition: Partition, { replicas, follower }: FetchScope): boolean {
  if (follower === null || replicas.throttles === null) return false
  return replicas.throttles.leader.holdsBack(partition, follower.brokerId)
}

/** Counts what a follower is sent. */
export function countThrottled(reads: readonly ReadAhead[], { replicas, follower }: FetchScope): void {
  if (follower === null || replicas.throttles === null) return
  const { leader } = replicas.throttles
  for (const { partition, sizeBytes } of reads) if (leader.isThrottled(partition)) leader.copied(sizeBytes)
}

const codeOfRead = {
  offsetOutOfRange: ErrorCode.OFFSET_OUT_OF_RANGE,
  offline: ErrorCode.KAFKA_STORAGE_ERROR,
} satisfies Record<Extract<LogRead, { ok: false }>['refusal'], ErrorCode>

/** Reads under way at the same time for one request. */
const readsMax = 16
/** What is left of an answer is not worth another read when it is no more than this part of it: seldom does a batch fit in. */
const littleLeft = 64
/** Partitions of one client that are expected to be read next. */
const expectedMax = 4

/** Index of the read whose turn it is: the first from that place of the fetch on, counted around. */
function indexInTurn(inOrder: readonly ReadAhead[], turn: number): number {
  if (turn === 0) return 0
  const index = inOrder.findIndex(({ place }) => place >= turn)
  return index < 0 ? 0 : index
}

/**
 * Reads, in order from the place whose `turn` it is, up to `maxBytes` in all; the first partition that has records gives at
 * least its first batch. Reads run side by side as long as none of them can change what the next one may take. A partition of which nothing
 * fits into what is left is the last that is looked at; those after it are as those beyond the limit. Answers the bytes read, -1 after an
 * error.
 */
export async function readAll(
  inOrder: readonly ReadAhead[],
  maxBytes: number,
  logger: Logger,
  turn = 0,
): Promise<number> {
  const start = indexInTurn(inOrder, turn)
  const reads = start === 0 ? inOrder : [...inOrder.slice(start), ...inOrder.slice(0, start)]
  let left = maxBytes
  let total = 0
  let at = 0
  let failed = false
  const littleBytes = maxBytes / littleLeft
  while (at < reads.length && (left > littleBytes || total === 0)) {
    const first = reads[at++]!
    const isLastBit = left < first.wanted.maxBytes
    const running = [readOne(first, Math.min(first.wanted.maxBytes, left), total === 0, logger)]
    // Until one has given records, the next depends on it.
    const runningMax = total === 0 ? 1 : readsMax
    let reserved = left - first.wanted.maxBytes
    while (running.length < runningMax && at < reads.length && reads[at]!.wanted.maxBytes <= reserved) {
      const next = reads[at++]!
      reserved -= next.wanted.maxBytes
      running.push(readOne(next, next.wanted.maxBytes, false, logger))
    }
    await Promise.all(running)
    for (let done = at - running.length; done < at; done++) {
      const { sizeBytes, errorCode } = reads[done]!
      total += sizeBytes
      left -= sizeBytes
      failed ||= errorCode !== ErrorCode.NONE
    }
    // Its next batch is larger than what is left, and so will be most others': looking at all of them would cost reads for nothing.
    if (isLastBit && total > 0 && first.sizeBytes === 0) break
    left = Math.max(0, left)
  }
  return failed ? -1 : total
}

/**
 * After `readAll` with the same `turn` and `maxBytes`: whose turn it is in the next fetch, after the last that gave records. What the client
 * will ask for then is expected, as many partitions as gave records now, if it was given so much that it is behind: half of what
 * either limit allows, the answer's or those of its partitions together.
 */
export function nextTurn(inOrder: readonly ReadAhead[], maxBytes: number, turn: number): number {
  const count = inOrder.length
  const start = indexInTurn(inOrder, turn)
  let bytes = 0
  let bytesMax = 0
  let gave = 0
  let last = -1
  for (let i = 0; i < count; i++) {
    const { sizeBytes, wanted } = inOrder[(start + i) % count]!
    bytesMax += wanted.maxBytes
    if (sizeBytes === 0) continue
    bytes += sizeBytes
    gave += 1
    last = i
  }
  if (gave === 0) return turn
  if (bytes >= Math.min(maxBytes, bytesMax) / 2) {
    for (let i = 1; i <= Math.min(gave, expectedMax); i++) expect(inOrder[(start + last + i) % count]!, maxBytes)
  }
  return inOrder[(start + last) % count]!.place + 1
}

function expect({ wanted, partition, upTo, chunks, sizeBytes }: ReadAhead, maxBytes: number): void {
  const from = sizeBytes === 0 ? wanted.fetchOffset : endOf(chunks)
  partition.log?.expectRead(from, Math.min(wanted.maxBytes, maxBytes), upTo)
}

/**
 * What of the partitions is there for a client that waits for a number of bytes. One that has more than it could give counts with all that
 * it may give, as in Kafka (DelayedFetch.tryComplete): batches come whole, so what was read is less than the limit, and stays so.
 */
export function bytesThere(reads: readonly ReadAhead[]): number {
  let bytes = 0
  for (const { wanted, sizeBytes, chunks, upTo, isEmpty } of reads) {
    const isAll = isEmpty || (sizeBytes > 0 && endOf(chunks) >= upTo)
    bytes += isAll ? sizeBytes : Math.max(sizeBytes, wanted.maxBytes)
  }
  return bytes
}

/** What was read is not answered: its memory may be used again. */
export function letGo(reads: readonly ReadAhead[]): void {
  for (const { chunks } of reads) for (const chunk of chunks) slabOf(chunk)?.release()
}

async function readOne(read: ReadAhead, maxBytes: number, atLeastOne: boolean, logger: Logger): Promise<void> {
  const { wanted, partition, upTo } = read
  const { log } = partition
  if (log === null) {
    read.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER
    return
  }
  try {
    const found = await log.read(wanted.fetchOffset, Math.max(0, maxBytes), upTo, atLeastOne)
    if (!found.ok) {
      read.errorCode = codeOfRead[found.refusal]
      return
    }
    // Another leadership may have cut the log since the follower's was compared with it.
    if (read.leaderEpoch !== null && (!partition.isLeading || partition.leaderEpoch !== read.leaderEpoch)) {
      read.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER
      return
    }
    if (read.aborted !== null && found.sizeBytes > 0) {
      read.aborted = await log.abortedTransactions(wanted.fetchOffset, endOf(found.chunks))
    }
    read.chunks = found.chunks
    read.sizeBytes = found.sizeBytes
    read.isEmpty = atLeastOne && found.sizeBytes === 0
  } catch (error) {
    logger.error({ err: error, partition: partition.name, offset: wanted.fetchOffset }, 'records could not be read')
    read.errorCode = ErrorCode.KAFKA_STORAGE_ERROR
  }
}

/** Offset after the last record of what was read. */
function endOf(chunks: readonly Uint8Array[]): Offset {
  const last = chunks.at(-1)!
  let end = 0
  forEachBatch(last, (at) => {
    end = nextOffsetOf(last, at)
  })
  return end
}
