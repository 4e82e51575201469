// Fetch: a session or none (KIP-227), a look at every partition, reading where there is something, and waiting for `minBytes` when
// there is not enough (KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages, DelayedFetch).
//
// A wait ends with enough bytes, an error or change of a partition, a diverging epoch, the time, or the connection. A topic that is
// not in the cluster does not keep a fetch from waiting: such a client would ask again without pause.

import type { fetch, FetchRequest, FetchResponse } from '../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { buildResponses } from '../fetch-response.ts'
import type { FetchPartitions, TopicKey } from '../fetch-partition.ts'
import {
  countThrottled,
  type FetchScope,
  type FollowerIdentity,
  look,
  partitionOf,
  readAll,
  type ReadAhead,
} from '../fetch-round.ts'
import { type FetchContext, noSession } from '../fetch-sessions.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import type { WaitingFetch } from '../waiting-fetches.ts'
import { nearerReplica, rackAwareReplicaSelector } from '../nearer-replica.ts'
import type { Partition, WatchedEnd } from '../../replication/partition.ts'

type Needs = 'cluster' | 'replicas' | 'settings' | 'logger' | 'fetchSessions' | 'waitingFetches' | 'endpointFor'
type Context = RequestContext & Pick<Services, Needs>

export const handleFetch: Handler<typeof fetch, Needs> = async (context, request) => {
  const topicKey = context.apiVersion >= 13 ? 'id' : 'name'
  const session = context.fetchSessions.begin(request, topicKey)
  if (session.kind === 'refused') return bare(session.errorCode, noSession)

  const follower = followerOf(context, request)
  const read = await readOrWait(context, request, session.partitions, () =>
    scopeOf(context, request, topicKey, follower),
  )
  return read === null ? null : answer(context, session, read, follower !== null)
}

/** The broker that fetches as a replica, null for a consumer. */
function followerOf({ apiVersion }: Context, { replicaId, replicaState }: FetchRequest): FollowerIdentity | null {
  if (apiVersion < 15) return replicaId < 0 ? null : { brokerId: replicaId, brokerEpoch: -1 }
  return replicaState.replicaId < 0
    ? null
    : { brokerId: replicaState.replicaId, brokerEpoch: replicaState.replicaEpoch }
}

/** Sees the image of the moment. */
function scopeOf(
  context: Context,
  { isolationLevel, rackId }: FetchRequest,
  topicKey: TopicKey,
  follower: FollowerIdentity | null,
): FetchScope {
  const { replicas, logger, cluster, settings, apiVersion } = context
  const { image } = cluster
  const followersServe = settings.replicaSelectorClass === rackAwareReplicaSelector
  const mayBeBetter = followersServe && follower === null && rackId !== ''
  return {
    replicas,
    image,
    logger,
    topicKey,
    isolation: isolationLevel === 1 ? 'readCommitted' : 'readUncommitted',
    follower,
    // From v11 a consumer says its rack, and may be sent to a follower (KIP-392).
    anyReplica: follower === null && apiVersion >= 11,
    followersServe,
    betterReplica: mayBeBetter
      ? (wanted, partition) =>
          nearerReplica(partition, wanted.fetchOffset, rackId, {
            brokers: image.brokers,
            isReachable: (id) => context.endpointFor(id, context.connection) !== null,
          })
      : noBetterReplica,
  }
}

const noBetterReplica = (): number => -1
const consumersEnds: readonly WatchedEnd[] = ['committed']
const followersEnds: readonly WatchedEnd[] = ['written']
const servingFollowersEnds: readonly WatchedEnd[] = ['written', 'committed']

function endsFor({ follower, followersServe }: FetchScope): readonly WatchedEnd[] {
  if (follower === null) return consumersEnds
  return followersServe ? servingFollowersEnds : followersEnds
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
  const isFollower = followerOf(context, request) !== null
  // A follower knows how much it can hold; fetch.max.bytes is for consumers.
  const maxBytes = isFollower ? request.maxBytes : Math.min(request.maxBytes, context.settings.fetchMaxBytes)
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
        waiting = wait(context, request, partitions, scope)
        mayWait = waiting !== null
      }
      const bytes = await readAll(round.reads, maxBytes, context.logger)
      if (isDue || !mayWait || bytes < 0 || bytes >= minBytes) return { scope, reads: round.reads }
      if (waiting === null) {
        // Offsets without records, as compaction leaves them: watch, and look again.
        waiting = wait(context, request, partitions, scope)
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

function wait(
  { waitingFetches, connection }: Context,
  { maxWaitMs }: FetchRequest,
  partitions: FetchPartitions,
  scope: FetchScope,
): WaitingFetch | null {
  return waitingFetches.begin(watched(partitions, scope), maxWaitMs, connection.signal, endsFor(scope))
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
  countThrottled(reads, scope)
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
