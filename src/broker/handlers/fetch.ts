// Fetch: a session or none (KIP-227), a look at every partition, reading where there is something, and waiting for `minBytes` when
// there is not enough (KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages, DelayedFetch).
//
// A wait ends with enough bytes, an error or change of a partition, a diverging epoch, the time, or the connection. A topic that is
// not in the cluster does not keep a fetch from waiting: such a client would ask again without pause.

import type { fetch, FetchRequest, FetchResponse } from '../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { buildResponses, rotate } from '../fetch-response.ts'
import type { FetchPartition, TopicKey } from '../fetch-partition.ts'
import {
  bytesThere,
  countThrottled,
  endsFor,
  type FetchScope,
  type FollowerIdentity,
  letGo,
  look,
  type Looked,
  nextTurn,
  partitionOf,
  readAll,
  type ReadAhead,
  type Round,
} from '../fetch-round.ts'
import { type FetchContext, noSession } from '../fetch-sessions.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import type { SessionNews } from '../session-news.ts'
import type { WaitingFetch } from '../waiting-fetches.ts'
import { nearerReplica, rackAwareReplicaSelector } from '../nearer-replica.ts'
import type { Partition } from '../../replication/partition.ts'

type Needs =
  | 'clock'
  | 'cluster'
  | 'replicas'
  | 'settings'
  | 'logger'
  | 'fetchSessions'
  | 'waitingFetches'
  | 'endpointFor'
type Context = RequestContext & Pick<Services, Needs>

export const handleFetch: Handler<typeof fetch, Needs> = async (context, request) => {
  const topicKey = context.apiVersion >= 13 ? 'id' : 'name'
  const session = context.fetchSessions.begin(request, topicKey)
  if (session.kind === 'refused') return bare(session.errorCode, noSession)

  const follower = followerOf(context, request)
  const read = await readOrWait(context, request, session, () => scopeOf(context, request, topicKey, follower))
  if (read === null) return null
  let sizeBytes = 0
  for (const one of read.reads) sizeBytes += one.sizeBytes
  context.connection.answerSize.answered(sizeBytes, context.clock.monotonic())
  return answer(context, session, read, follower !== null)
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

interface Found {
  readonly scope: FetchScope
  /** The partitions that may have something to say. */
  readonly looked: Looked
  readonly reads: readonly ReadAhead[]
}

/** `scopeNow` sees the image of the moment: it may change while we wait. Null when the connection is gone. */
async function readOrWait(
  context: Context,
  request: FetchRequest,
  session: Begun,
  scopeNow: () => FetchScope,
): Promise<Found | null> {
  const isFollower = followerOf(context, request) !== null
  // A follower knows how much it can hold; fetch.max.bytes is for consumers.
  const allowed = isFollower ? request.maxBytes : Math.min(request.maxBytes, context.settings.fetchMaxBytes)
  const minBytes = Math.min(request.minBytes, allowed)
  const { answerSize, fetchTurns } = context.connection
  const handyBytes = answerSize.next(context.clock.monotonic())
  const maxBytes = Math.min(allowed, Math.max(handyBytes, minBytes))
  // A session puts those that gave records last.
  const turn = session.kind === 'incremental' ? 0 : fetchTurns.turnOf(session.partitions)
  const sight = new Sight(context, session, isFollower)
  let waiting: WaitingFetch | null = null
  let mayWait = request.maxWaitMs > 0
  try {
    for (;;) {
      waiting?.restart()
      const scope = scopeNow()
      const round = sight.look(scope)
      const isDue = !mayWait || minBytes <= 0 || round.hasNews || (round.partitions === 0 && sight.isOfAll)
      // With a minimum of one byte whatever there is will do. Otherwise watch before reading, to miss nothing.
      if (waiting === null && !isDue && (minBytes > 1 || round.reads.length === 0)) {
        waiting = sight.wait(request, scope)
        mayWait = waiting !== null
      }
      const bytes = await readAll(round.reads, maxBytes, context.logger, turn)
      if (isDue || !mayWait || bytes < 0 || bytes >= minBytes || bytesThere(round.reads) >= minBytes) {
        const next = nextTurn(round.reads, maxBytes, turn)
        if (session.kind !== 'incremental') fetchTurns.next = next
        return { scope, looked: sight.looked, reads: round.reads }
      }
      letGo(round.reads)
      if (waiting === null) {
        // Offsets without records, as compaction leaves them: watch, and look again.
        waiting = sight.wait(request, scope)
        mayWait = waiting !== null
        continue
      }
      const end = await waiting.until(minBytes - bytes)
      if (end === 'aborted') return null
      mayWait = end === 'progress'
    }
  } finally {
    sight.end()
  }
}

/** The session of a request that was not refused. */
type Begun = Exclude<FetchContext, { kind: 'refused' }>

/** What one fetch looks at, and what it waits for: all its partitions, or in a follower's session those that are fresh. */
class Sight {
  readonly #context: Context
  readonly #session: Begun
  readonly #news: SessionNews | null
  /** Of a follower's session, in the order of the last look. */
  readonly #looked = new Set<FetchPartition>()
  #waiting: WaitingFetch | null = null
  /** Whether the last look was at all partitions. */
  isOfAll = true

  constructor(context: Context, session: Begun, isFollower: boolean) {
    this.#context = context
    this.#session = session
    this.#news = isFollower && session.kind === 'incremental' ? session.session.news : null
  }

  /** All that was looked at. */
  get looked(): Looked {
    return this.#news === null ? this.#session.partitions : this.#looked
  }

  look(scope: FetchScope): Round {
    const { partitions } = this.#session
    const news = this.#news
    if (news === null || scope.follower === null) return look(partitions, scope)
    const fresh = news.take(scope.follower.brokerEpoch, this.#context.clock.monotonic())
    this.isOfAll = fresh === null
    for (const wanted of fresh ?? partitions.values()) {
      this.#looked.delete(wanted)
      this.#looked.add(wanted)
    }
    return look(fresh ?? partitions, scope, news)
  }

  wait({ maxWaitMs }: FetchRequest, scope: FetchScope): WaitingFetch | null {
    const { waitingFetches, connection } = this.#context
    const watchedHere = this.#news === null ? watched(this.#session.partitions, scope) : []
    this.#waiting = waitingFetches.begin(watchedHere, maxWaitMs, connection.signal, endsFor(scope))
    if (this.#news !== null) this.#news.waiting = this.#waiting
    return this.#waiting
  }

  end(): void {
    if (this.#news !== null && this.#news.waiting === this.#waiting) this.#news.waiting = null
    this.#waiting?.end()
  }
}

function* watched(partitions: Looked, scope: FetchScope): Generator<Partition> {
  for (const wanted of partitions.values()) {
    const partition = partitionOf(wanted, scope)
    if (typeof partition !== 'number') yield partition
  }
}

function answer(context: Context, session: Begun, { scope, looked, reads }: Found, isFollower: boolean): FetchResponse {
  const isIncremental = session.kind === 'incremental'
  // The same request twice: the later one has moved the session on.
  if (isIncremental && session.session.epoch !== session.epoch) {
    return bare(ErrorCode.INVALID_FETCH_SESSION_EPOCH, session.session.id)
  }
  countThrottled(reads, scope)
  const built = buildResponses(context, scope, looked, reads, isIncremental)
  if (isIncremental) rotate(session.session, reads)
  const sessionId =
    session.kind === 'full'
      ? context.fetchSessions.open(session.partitions, isFollower)
      : isIncremental
        ? session.session.id
        : noSession
  return { ...bare(ErrorCode.NONE, sessionId), ...built }
}

function bare(errorCode: ErrorCode, sessionId: number): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId, responses: [], nodeEndpoints: [] }
}
