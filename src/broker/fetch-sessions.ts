// Fetch sessions (KIP-227): the broker remembers what a client reads, requests and responses carry only what changed.
//
//   request (session id, epoch)  meaning
//   0, -1                        no session
//   0, 0                         full fetch, open a session
//   n, 0                         close n and open a new one
//   n, -1                        close n, no session
//   n, e > 0                     incremental: add, update and forget partitions of n
//
// The cache has a bound. A new session takes the place of one that was idle for long, else of one that is older than that time and
// has fewer partitions; a follower's comes before a consumer's (FetchSessionCacheShard; without its shards, which are about locks).

import type { Clock, Millis } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import type { FetchRequest } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { TopicKey } from './fetch-partition.ts'
import { FetchPartitions } from './fetch-partitions.ts'
import { SessionNews } from './session-news.ts'

const firstEpoch = 1
const lastEpoch = 0x7fffffff
const initialEpoch = 0
const finalEpoch = -1
/** Session id of an answer without a session. */
export const noSession = 0

export type FetchContext =
  | { readonly kind: 'refused'; readonly errorCode: ErrorCode }
  | { readonly kind: 'sessionless'; readonly partitions: FetchPartitions }
  /** The client asks for a session; `open` makes one when the answer is known. */
  | { readonly kind: 'full'; readonly partitions: FetchPartitions }
  | {
      readonly kind: 'incremental'
      readonly partitions: FetchPartitions
      readonly session: FetchSession
      readonly epoch: number
    }

export interface FetchSession {
  readonly id: number
  readonly isFollower: boolean
  readonly createdAt: Millis
  readonly partitions: FetchPartitions
  /** Of a follower's session; null for a consumer's, which is looked at as a whole. */
  readonly news: SessionNews | null
  /** What the next request must carry. */
  epoch: number
  usedAt: Millis
}

export interface FetchSessionsOptions {
  readonly clock: Clock
  readonly random: Random
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly slotsMax: number
  /** Idle or older than this, a session may lose its place. */
  readonly evictAfterMs?: Millis
}

const evictAfterDefaultMs = 120_000

export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #slotsMax: number
  readonly #evictAfterMs: Millis
  /** Least recently used first. */
  readonly #sessions = new Map<number, FetchSession>()
  #evictions = 0

  constructor({ clock, random, slotsMax, evictAfterMs = evictAfterDefaultMs }: FetchSessionsOptions) {
    this.#clock = clock
    this.#random = random
    this.#slotsMax = slotsMax
    this.#evictAfterMs = evictAfterMs
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Sessions that lost their place to another since the start. */
  get evictions(): number {
    return this.#evictions
  }

  /** Partitions in all sessions; counts them. */
  get partitions(): number {
    let sum = 0
    for (const session of this.#sessions.values()) sum += session.partitions.size
    return sum
  }

  /** What a request reads. An accepted incremental request moves its session one epoch on. */
  begin(request: FetchRequest, topicKey: TopicKey): FetchContext {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch !== initialEpoch && sessionEpoch !== finalEpoch) return this.#continue(request, topicKey)
    if (sessionId !== noSession) this.#remove(sessionId)
    const partitions = new FetchPartitions(topicKey)
    partitions.take(request.topics)
    return { kind: sessionEpoch === initialEpoch ? 'full' : 'sessionless', partitions }
  }

  /** Makes a session of a full fetch that was answered; its id, or 0 when there is no room. */
  open(partitions: FetchPartitions, isFollower: boolean): number {
    const now = this.#clock.monotonic()
    if (this.#sessions.size >= this.#slotsMax && !this.#evictFor(partitions.size, isFollower, now)) return noSession
    // Those of followers that are gone keep their place, but no longer cost anything.
    if (isFollower) for (const session of this.#sessions.values()) if (this.#isIdle(session, now)) session.news?.rest()
    const id = this.#newId()
    const news = isFollower ? new SessionNews() : null
    this.#sessions.set(id, {
      id,
      isFollower,
      createdAt: now,
      partitions,
      news,
      epoch: firstEpoch,
      usedAt: now,
    })
    return id
  }

  #continue(request: FetchRequest, topicKey: TopicKey): FetchContext {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== request.sessionEpoch) return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (session.partitions.topicKey !== topicKey) return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    const { partitions, news } = session
    partitions.take(request.topics, (partition) => news?.keep(partition))
    partitions.forget(request.forgottenTopicsData, (partition) => news?.forget(partition))
    if (partitions.size === 0) {
      this.#remove(session.id)
      return { kind: 'sessionless', partitions }
    }
    session.usedAt = this.#clock.monotonic()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    session.epoch = nextEpoch(session.epoch)
    return { kind: 'incremental', partitions, session, epoch: session.epoch }
  }

  #evictFor(size: number, isFollower: boolean, now: Millis): boolean {
    const victim = this.#idle(now) ?? this.#lesser(size, isFollower, now)
    if (victim === undefined) return false
    this.#remove(victim.id)
    this.#evictions += 1
    return true
  }

  #remove(id: number): void {
    this.#sessions.get(id)?.news?.rest()
    this.#sessions.delete(id)
  }

  #isIdle({ usedAt }: FetchSession, now: Millis): boolean {
    return now - usedAt > this.#evictAfterMs
  }

  #idle(now: Millis): FetchSession | undefined {
    for (const oldest of this.#sessions.values()) return this.#isIdle(oldest, now) ? oldest : undefined
    return undefined
  }

  /** The session worth least of those that may go, if it is worth less than the new one. */
  #lesser(size: number, isFollower: boolean, now: Millis): FetchSession | undefined {
    let least: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      const mayGo = now - session.createdAt > this.#evictAfterMs || (isFollower && !session.isFollower)
      if (mayGo && (least === undefined || isWorthLess(session, least.partitions.size, least.isFollower)))
        least = session
    }
    return least !== undefined && isWorthLess(least, size, isFollower) ? least : undefined
  }

  #newId(): number {
    for (;;) {
      const id = 1 + this.#random.below(lastEpoch)
      if (!this.#sessions.has(id)) return id
    }
  }
}

function isWorthLess(session: FetchSession, size: number, isFollower: boolean): boolean {
  return session.isFollower === isFollower ? session.partitions.size < size : isFollower
}

function nextEpoch(epoch: number): number {
  return epoch === lastEpoch ? firstEpoch : epoch + 1
}

function refused(errorCode: ErrorCode): FetchContext {
  return { kind: 'refused', errorCode }
}
