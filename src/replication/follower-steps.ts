// What a follower does with its leader's answer for one partition (Kafka's AbstractFetcherThread). Pure: the answer and what the own log
// knows go in, one step comes out.
//
// | the leader says | step |
// |---|---|
// | records, or none | append them, take over high watermark and log start |
// | records that begin before the empty own log does | begin anew with them: the leader's log starts in the middle of a batch |
// | a diverging epoch | cut to where the logs part; the next fetch finds whether more has to go |
// | OFFSET_OUT_OF_RANGE | ask where the leader's log begins and ends |
// | another error | ask again later: the cluster's image, or the leader's, is about to change |

import type { FetchResponse } from '../protocol/apis/fetch.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { baseOffsetOf, batchHeaderBytes, nextOffsetOf } from '../records/batch.ts'
import type { Offset, ReplicatedRefusal } from '../storage/partition-log.ts'

export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

/** What is asked of the own log. */
export interface FollowersLog {
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: Offset }
}

/** What came of the leader's log, and what it says of the whole. */
export interface FetchedRecords {
  readonly records: readonly Uint8Array[]
  readonly highWatermark: Offset
  readonly logStartOffset: Offset
}

export type FollowerStep =
  | ({ readonly kind: 'append' } & FetchedRecords)
  /** The own log is empty, and the first batch begins at `at`, before it: the log has to begin there. */
  | ({ readonly kind: 'beginWithin'; readonly at: Offset } & FetchedRecords)
  | { readonly kind: 'truncate'; readonly to: Offset }
  | { readonly kind: 'findBounds' }
  | { readonly kind: 'restart'; readonly at: Offset }
  /** Nothing is wrong: fetch on from the own end. */
  | { readonly kind: 'fetchOn' }
  /** `isExpected`: it comes with every change of a leader. */
  | { readonly kind: 'retryLater'; readonly reason: string; readonly isExpected: boolean }

/** Answered while somebody has not yet heard of a new leader, topic or replica. */
const passing: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

export function stepFor(answer: FetchedPartition, log: FollowersLog): FollowerStep {
  const { errorCode, divergingEpoch } = answer
  if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return { kind: 'findBounds' }
  if (errorCode !== ErrorCode.NONE) {
    return {
      kind: 'retryLater',
      reason: `the leader answers ${errorName(errorCode)}`,
      isExpected: passing.has(errorCode),
    }
  }
  if (divergingEpoch.endOffset < 0) {
    const { records, highWatermark, logStartOffset } = answer
    const fetched: FetchedRecords = { records: records ?? [], highWatermark, logStartOffset }
    const at = beginningWithin(fetched.records, log)
    return at === null ? { kind: 'append', ...fetched } : { kind: 'beginWithin', at, ...fetched }
  }
  const to = whereLogsPart(divergingEpoch, log)
  if (to < log.logEndOffset) return { kind: 'truncate', to }
  return { kind: 'retryLater', reason: 'the leader says that the logs part where they do not', isExpected: false }
}

/**
 * Where the first batch begins when an empty log was to begin in its middle, else null. DeleteRecords may move a log's start to any
 * offset, but batches are sent whole (Partition.appendRecordsToFollowerOrFutureReplica, UnexpectedAppendOffsetException).
 */
function beginningWithin(
  records: readonly Uint8Array[],
  { logStartOffset, logEndOffset }: FollowersLog,
): Offset | null {
  const first = records[0]
  if (logStartOffset !== logEndOffset || first === undefined || first.length < batchHeaderBytes) return null
  const at = baseOffsetOf(first)
  return at < logEndOffset && nextOffsetOf(first) > logEndOffset ? at : null
}

/**
 * Where the own log is cut after the leader said where the largest epoch ended that both may have (KIP-101, KIP-279):
 *
 * | own log | cut at |
 * |---|---|
 * | has that epoch | the earlier of its two ends |
 * | has none so old | the leader's end of it |
 * | has only older ones | the own end of the newest of them: the leader is asked again from there |
 */
export function whereLogsPart(
  leader: { readonly epoch: number; readonly endOffset: Offset },
  log: FollowersLog,
): Offset {
  const { logEndOffset } = log
  const own = log.endOffsetForEpoch(leader.epoch)
  if (leader.epoch < 0 || own.epoch < 0) return Math.min(leader.endOffset, logEndOffset)
  if (own.epoch !== leader.epoch) return Math.min(own.endOffset, logEndOffset)
  return Math.min(own.endOffset, leader.endOffset, logEndOffset)
}

/**
 * After OFFSET_OUT_OF_RANGE, with the bounds of the leader's log. It ends before the own log only where epochs say nothing (logs of
 * before epochs were kept, or an empty one): what it never had goes. It begins behind the own end: all goes.
 */
export function stepForBounds(
  leader: { readonly start: Offset; readonly end: Offset },
  log: FollowersLog,
): FollowerStep {
  if (leader.end < log.logEndOffset) return { kind: 'truncate', to: leader.end }
  if (leader.start > log.logEndOffset) return { kind: 'restart', at: leader.start }
  return { kind: 'fetchOn' }
}

/** Why records did not enter the log, for people. */
export const wordsOfRefusal = {
  corrupt: 'the leader sent damaged records: its disk, or the network, does not keep what it was given',
  outOfOrder: 'the leader sent records that do not follow this log',
  newerEpoch: 'the leader was elected again meanwhile',
  diskFull: 'the disk is full',
  budgetExceeded: 'the disk budget is used up',
  offline: 'the log is offline, or follows another leader by now',
} as const satisfies Record<ReplicatedRefusal, string>

/** Refusals that come with a change of the leader: nobody needs to hear of them. */
export function isPassing(refusal: ReplicatedRefusal): boolean {
  return refusal === 'newerEpoch' || refusal === 'offline'
}
