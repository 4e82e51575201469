// The partitions of a fetch response. An incremental one leaves out partitions without news, and moves those that gave records to
// the end of the session, so that all get their turn (IncrementalFetchContext).

import type { FetchResponse } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { Partition } from '../replication/partition.ts'
import type { FetchPartition, PartitionAnswer } from './fetch-partition.ts'
import {
  type DivergingEpoch,
  type FetchScope,
  isUnknownTopic,
  type Looked,
  offsetRefusal,
  partitionOf,
  type ReadAhead,
} from './fetch-round.ts'
import type { FetchSession } from './fetch-sessions.ts'
import type { RequestContext } from './handler.ts'
import { currentLeader, NodeEndpoints, unknownLeader } from './served-partition.ts'
import type { Services } from './services.ts'

type Context = RequestContext & Pick<Services, 'cluster' | 'endpointFor'>
type TopicAnswer = FetchResponse['responses'][number]

const noDivergence: DivergingEpoch = { epoch: -1, endOffset: -1 }
const noSnapshot = { endOffset: -1, epoch: -1 }
const noRecords: readonly Uint8Array[] = []
const noTransactions: readonly [] = []

/** `looked`: the partitions that may have something to say. `reads`: what was read, in the order of `looked`. */
export function buildResponses(
  context: Context,
  scope: FetchScope,
  looked: Looked,
  reads: readonly ReadAhead[],
  isIncremental: boolean,
): Pick<FetchResponse, 'responses' | 'nodeEndpoints'> {
  const endpoints = new NodeEndpoints(context, context.connection)
  const responses = new AdjacentTopics()
  let at = 0
  for (const wanted of looked.values()) {
    const read = reads[at]?.wanted === wanted ? reads[at++]! : null
    const answer = read === null ? answerWithoutRecords(wanted, scope, isIncremental) : answerOf(read, scope)
    if (answer === null) continue
    wanted.told(answer)
    responses.add(wanted, withLeader(context, wanted, answer, endpoints))
  }
  return { responses: responses.topics, nodeEndpoints: endpoints.endpoints }
}

function answerOf(read: ReadAhead, scope: FetchScope): PartitionAnswer {
  if (read.errorCode !== ErrorCode.NONE) return failed(read.wanted.index, read.errorCode)
  const { highWatermark, lastStableOffset, partition, chunks, aborted } = read
  const offsets = { highWatermark, lastStableOffset, logStartOffset: partition.logStartOffset }
  const answer = served(read.wanted.index, offsets, scope, chunks)
  if (aborted === null || aborted.length === 0) return answer
  const abortedTransactions = aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
  return { ...answer, abortedTransactions }
}

/** Null when an incremental response may leave the partition out. */
function answerWithoutRecords(
  wanted: FetchPartition,
  scope: FetchScope,
  isIncremental: boolean,
): PartitionAnswer | null {
  const partition = partitionOf(wanted, scope)
  if (typeof partition === 'number') return failed(wanted.index, partition)
  const refusal = offsetRefusal(wanted, partition)
  if (typeof refusal === 'number') return failed(wanted.index, refusal)
  if (refusal !== null) return { ...served(wanted.index, partition, scope, noRecords), divergingEpoch: refusal }
  const preferredReadReplica = scope.follower === null ? scope.betterReplica(wanted, partition) : -1
  if (preferredReadReplica >= 0) {
    return { ...served(wanted.index, partition, scope, noRecords), preferredReadReplica }
  }
  if (isIncremental && wanted.wasTold(partition.highWatermark, partition.logStartOffset)) return null
  return served(wanted.index, partition, scope, noRecords)
}

function served(
  partitionIndex: number,
  {
    highWatermark,
    lastStableOffset,
    logStartOffset,
  }: Pick<Partition, 'highWatermark' | 'lastStableOffset' | 'logStartOffset'>,
  { isolation }: FetchScope,
  records: readonly Uint8Array[],
): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch: noDivergence,
    currentLeader: unknownLeader,
    snapshotId: noSnapshot,
    abortedTransactions: isolation === 'readCommitted' ? noTransactions : null,
    preferredReadReplica: -1,
    records,
  }
}

function failed(partitionIndex: number, errorCode: ErrorCode): PartitionAnswer {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: noDivergence,
    currentLeader: unknownLeader,
    snapshotId: noSnapshot,
    // In Kafka a topic that is not there is refused elsewhere than a partition that cannot be read: an id that has been replaced
    // belongs to the second kind.
    abortedTransactions:
      isUnknownTopic(errorCode) && errorCode !== ErrorCode.INCONSISTENT_TOPIC_ID ? noTransactions : null,
    preferredReadReplica: -1,
    records: noRecords,
  }
}

/** From v16 who leads is said along with "not here" and "too old" (KIP-951). */
function withLeader(
  { apiVersion, cluster }: Context,
  wanted: FetchPartition,
  answer: PartitionAnswer,
  endpoints: NodeEndpoints,
): PartitionAnswer {
  if (answer.errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && answer.errorCode !== ErrorCode.FENCED_LEADER_EPOCH)
    return answer
  if (apiVersion < 16 || wanted.name === null) return answer
  const leader = currentLeader(cluster.image, wanted.name, wanted.index)
  endpoints.add(leader.leaderId)
  return { ...answer, currentLeader: leader }
}

/** In a session those that gave records come after the others the next time. */
export function rotate({ partitions, news }: FetchSession, reads: readonly ReadAhead[]): void {
  for (const { wanted, sizeBytes } of reads) {
    if (sizeBytes > 0 && partitions.moveLast(wanted)) news?.gaveRecords(wanted)
  }
}

/** Groups partitions of one topic that follow each other, as Kafka does; a topic may come again later. */
class AdjacentTopics {
  readonly topics: TopicAnswer[] = []
  #partitions: PartitionAnswer[] = []

  add({ topic, topicId }: FetchPartition, answer: PartitionAnswer): void {
    const last = this.topics.at(-1)
    if (last === undefined || last.topic !== topic || last.topicId !== topicId) {
      this.#partitions = []
      this.topics.push({ topic, topicId, partitions: this.#partitions })
    }
    this.#partitions.push(answer)
  }
}
