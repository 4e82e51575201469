// Fetch: a session or none (KIP-227), a look at every partition, reading where there is something, and waiting for `minBytes` when
// there is not enough (KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages, DelayedFetch).
//
// A wait ends with enough bytes, an error or change of a partition, a diverging epoch, the time, or the connection. A topic that is
// not in the cluster does not keep a fetch from waiting: such a client would ask again without pause.

import type { fetch, FetchRequest, FetchResponse } from '../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { buildResponses } from '../fetch-response.ts'
import type { FetchPartitions } from '../fetch-partition.ts'
import { type FetchScope, look, partitionOf, readAll, type ReadAhead } from '../fetch-round.ts'
import { type FetchContext, noSession } from '../fetch-sessions.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import type { WaitingFetch } from '../waiting-fetches.ts'
import type { Partition } from '../../replication/partition.ts'

type Needs = 'cluster' | 'replicas' | 'settings' | 'logger' | 'fetchSessions' | 'waitingFetches' | 'endpointFor'
type Context = RequestContext & Pick<Services, Needs>

export const handleFetch: Handler<typeof fetch, Needs> = async (context, request) => {
  const topicKey = context.apiVersion >= 13 ? 'id' : 'name'
  const session = context.fetchSessions.begin(request, topicKey)
  if (session.kind === 'refused') return bare(session.errorCode, noSession)

  const replicaId = context.apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId
  const read = await readOrWait(context, request, session.partitions, () => ({
    replicas: context.replicas,
    image: context.cluster.image,
    logger: context.logger,
    topicKey,
    isolation: request.isolationLevel === 1 ? 'readCommitted' : 'readUncommitted',
    isReplica: replicaId >= 0,
  }))
  return read === null ? null : answer(context, session, read, replicaId >= 0)
}

interface Found {
  readonly scope: FetchScope
  readonly reads: readonly ReadAhead[]
}

/** `scopeNow` sees the image of the moment: it may change while we wait. Null when the connection is gone. */
async function readOrWait(
  context: Context,
  request: FetchRequest,
  partitions: FetchPartitions,
  scopeNow: () => FetchScope,
): Promise<Found | null> {
  const maxBytes = Math.min(request.maxBytes, context.settings.fetchMaxBytes)
  const minBytes = Math.min(request.minBytes, maxBytes)
  let waiting: WaitingFetch | null = null
  let mayWait = request.maxWaitMs > 0
  try {
    for (;;) {
      waiting?.restart()
      const scope = scopeNow()
      const round = look(partitions, scope)
      const isDue = !mayWait || minBytes <= 0 || round.hasNews || round.partitions === 0
      // With a minimum of one byte whatever there is will do. Otherwise watch before reading, to miss nothing.
      if (waiting === null && !isDue && (minBytes > 1 || round.reads.length === 0)) {
        waiting = context.waitingFetches.begin(watched(partitions, scope), request.maxWaitMs, context.connection.signal)
        mayWait = waiting !== null
      }
      const bytes = await readAll(round.reads, maxBytes, context.logger)
      if (isDue || !mayWait || bytes < 0 || bytes >= minBytes) return { scope, reads: round.reads }
      if (waiting === null) {
        // Offsets without records, as compaction leaves them: watch, and look again.
        waiting = context.waitingFetches.begin(watched(partitions, scope), request.maxWaitMs, context.connection.signal)
        mayWait = waiting !== null
        continue
      }
      const end = await waiting.until(minBytes - bytes)
      if (end === 'aborted') return null
      mayWait = end === 'progress'
    }
  } finally {
    waiting?.end()
  }
}

function* watched(partitions: FetchPartitions, scope: FetchScope): Generator<Partition> {
  for (const wanted of partitions.values()) {
    const partition = partitionOf(wanted, scope)
    if (typeof partition !== 'number') yield partition
  }
}

function answer(context: Context, session: FetchContext, { scope, reads }: Found, isFollower: boolean): FetchResponse {
  if (session.kind === 'refused') return bare(session.errorCode, noSession)
  const isIncremental = session.kind === 'incremental'
  // The same request twice: the later one has moved the session on.
  if (isIncremental && session.session.epoch !== session.epoch) {
    return bare(ErrorCode.INVALID_FETCH_SESSION_EPOCH, session.session.id)
  }
  const built = buildResponses(context, scope, session.partitions, reads, isIncremental)
  const sessionId =
    session.kind === 'full'
      ? context.fetchSessions.open(session.partitions, scope.topicKey, isFollower)
      : isIncremental
        ? session.session.id
        : noSession
  return { ...bare(ErrorCode.NONE, sessionId), ...built }
}

function bare(errorCode: ErrorCode, sessionId: number): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId, responses: [], nodeEndpoints: [] }
}
