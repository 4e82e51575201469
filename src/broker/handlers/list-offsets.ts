// ListOffsets: offsets by timestamp, and by the negative numbers that stand for special places (ReplicaManager.fetchOffset,
// Partition.fetchOffsetForTimestamp). v2: isolation level. v4: leader epochs. v10: a timeout for what is in remote storage; there is
// none here, so it has nothing to bound.

import type { listOffsets, ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Partition } from '../../replication/partition.ts'
import type { Offset, PartitionLog, TimestampAndOffset } from '../../storage/partition-log.ts'
import { runAll } from '../bounded-work.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { servedPartition } from '../served-partition.ts'
import type { Services } from '../services.ts'

type Context = RequestContext & Pick<Services, 'cluster' | 'replicas' | 'logger'>
type Wanted = ListOffsetsRequest['topics'][number]['partitions'][number]
type Answer = ListOffsetsResponse['topics'][number]['partitions'][number]

const latest = -1n
const earliest = -2n
const greatestTimestamp = -3n
const earliestLocal = -4n
const latestTiered = -5n
const earliestPendingUpload = -6n

/** First version that knows each special timestamp. */
const firstVersionOf: ReadonlyMap<bigint, number> = new Map([
  [latest, 1],
  [earliest, 1],
  [greatestTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
  [earliestPendingUpload, 11],
])

/** `replicaId` of a tool that looks at a replica as it is, whoever leads. */
const debuggingTool = -2
/** `replicaId` of a client that is no broker. */
const consumer = -1

/** Partitions whose log files are searched at the same time for one request. */
const searchesMax = 16

export const handleListOffsets: Handler<typeof listOffsets, 'cluster' | 'replicas' | 'logger'> = (context, request) => {
  const named = timesNamedIn(request)
  const searches: (() => Promise<void>)[] = []
  const topics = new Map<string, Answer[]>()
  for (const { name, partitions } of request.topics) {
    for (const wanted of partitions) {
      let answers = topics.get(name)
      if (answers === undefined) topics.set(name, (answers = []))
      const timesNamed = named.get(`${wanted.partitionIndex}:${name}`)
      if (timesNamed === 'once') answers.push(answerOrSearch(context, request, name, wanted, answers, searches))
      else if (timesNamed === 'often') answers.push(refused(wanted, ErrorCode.INVALID_REQUEST))
      if (timesNamed === 'often') named.delete(`${wanted.partitionIndex}:${name}`)
    }
  }
  const response: ListOffsetsResponse = {
    throttleTimeMs: 0,
    topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
  }
  return searches.length === 0 ? response : runAll(searches, searchesMax).then(() => response)
}

/** The answer, or a provisional one that a search will replace in `answers`. */
function answerOrSearch(
  context: Context,
  { replicaId, isolationLevel }: ListOffsetsRequest,
  topic: string,
  wanted: Wanted,
  answers: Answer[],
  searches: (() => Promise<void>)[],
): Answer {
  const { timestamp } = wanted
  const { apiVersion } = context
  if (timestamp < 0n && apiVersion < (firstVersionOf.get(timestamp) ?? Infinity)) {
    return refused(wanted, ErrorCode.UNSUPPORTED_VERSION)
  }
  const anyReplica = replicaId === debuggingTool
  const partition = servedPartition(context, topic, wanted.partitionIndex, wanted.currentLeaderEpoch, anyReplica)
  if (typeof partition === 'number') return refused(wanted, partition)
  const log = partition.log!
  const isConsumer = replicaId === consumer
  if (timestamp === earliest || timestamp === earliestLocal) {
    const { logStartOffset } = log
    // An empty log begins with the leadership it would be written under.
    const epoch = logStartOffset === log.logEndOffset ? partition.leaderEpoch : log.epochAt(logStartOffset)
    return found(wanted, -1, logStartOffset, epochToTell(context, epoch))
  }
  // Nothing is tiered: Kafka's answer without remote storage.
  if (timestamp === latestTiered || timestamp === earliestPendingUpload) return nothingFound(wanted)
  const upTo = isConsumer ? visibleEnd(partition, isolationLevel) : log.logEndOffset
  // Soon after an election the high watermark may lie before this leadership: what is beyond is not known yet (KIP-207).
  const beyond =
    isConsumer && !partition.latestIsKnown
      ? refused(wanted, apiVersion >= 5 ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.LEADER_NOT_AVAILABLE)
      : null
  if (timestamp === latest) return beyond ?? found(wanted, -1, upTo, epochToTell(context, partition.leaderEpoch))

  const at = answers.length
  searches.push(async () => {
    answers[at] = (await search(context, partition, log, wanted, upTo)) ?? beyond ?? nothingFound(wanted)
  })
  return nothingFound(wanted)
}

function visibleEnd(partition: Partition, isolationLevel: number): Offset {
  return isolationLevel === 1 ? partition.lastStableOffset : partition.highWatermark
}

/** Null when no record is there. */
async function search(
  context: Context,
  partition: Partition,
  log: PartitionLog,
  wanted: Wanted,
  upTo: Offset,
): Promise<Answer | null> {
  const { timestamp } = wanted
  let hit: TimestampAndOffset | null
  try {
    hit =
      timestamp === greatestTimestamp
        ? await log.findMaxTimestamp(upTo)
        : await log.findByTimestamp(Number(timestamp), upTo)
  } catch (error) {
    context.logger.error({ err: error, partition: partition.name }, 'timestamps could not be searched')
    return refused(wanted, ErrorCode.KAFKA_STORAGE_ERROR)
  }
  return hit === null ? null : found(wanted, hit.timestamp, hit.offset, epochToTell(context, hit.leaderEpoch))
}

/** Below v4 an answer has no place for an epoch. */
function epochToTell({ apiVersion }: Context, leaderEpoch: number): number {
  return apiVersion >= 4 ? leaderEpoch : -1
}

function found({ partitionIndex }: Wanted, timestamp: number, offset: Offset, leaderEpoch: number): Answer {
  return { partitionIndex, errorCode: ErrorCode.NONE, timestamp, offset, leaderEpoch }
}

function nothingFound(wanted: Wanted): Answer {
  return found(wanted, -1, -1, -1)
}

function refused({ partitionIndex }: Wanted, errorCode: ErrorCode): Answer {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 }
}

/** The partitions of the request, as `index:topic`. One that is listed more than once is refused, and answered once. */
function timesNamedIn({ topics }: ListOffsetsRequest): Map<string, 'once' | 'often'> {
  const times = new Map<string, 'once' | 'often'>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${partitionIndex}:${name}`
      times.set(key, times.has(key) ? 'often' : 'once')
    }
  }
  return times
}
