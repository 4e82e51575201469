// Copies from one leader: one fetch under way, for all partitions that follow that broker. The next one leaves when all that the last one
// brought is durable here, for what a follower asks from is what it has (decision 0014). Meanwhile the leader's log grows, and the
// next answer is larger: under load the group grows by itself.
//
// A round looks at the partitions that have changed, since a broker may follow thousands and few have news at a time; at all of them now
// and then, for what changes without a word: where the own log starts, what is throttled.
//
// A partition that cannot be fetched now (its log is being cut, an error was answered, its end is not durable yet) is left out for a
// while and holds nobody up.

import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { slabOf } from '../lib/slab.ts'
import { fetch, type FetchResponse } from '../protocol/apis/fetch.ts'
import { listOffsets } from '../protocol/apis/list-offsets.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import type { RequestInput } from '../protocol/schema/index.ts'
import type { Offset } from '../storage/partition-log.ts'
import { FollowerSession, type WantedPartition } from './follower-session.ts'
import { type FollowerStep, isPassing, stepFor, stepForBounds, wordsOfRefusal } from './follower-steps.ts'
import type { MembershipGate } from './membership-gate.ts'
import type { OffsetWaiter } from './offset-queue.ts'
import type { Partition } from './partition.ts'
import { type PeerConnection, PeerUnavailable } from './peer-connection.ts'
import type { ReplicationThrottle } from './replication-throttle.ts'

/** Fetch v17: topic ids, broker epochs, and who leads now. */
const fetchVersion = 17
const listOffsetsVersion = 9
const latest = -1n
const earliest = -2n
/** After the leader gave up the session, and after it cannot be reached. */
const sessionRetryMs: Millis = 20
/** After an answer that comes with every change of a leader: the next may be right. Twice as long each time, to the usual pause. */
const passingRetryMs: Millis = 20
/** Between looks at all partitions. */
const allEveryMs: Millis = 500

export type FetcherSettings = Pick<
  BrokerSettings,
  | 'brokerId'
  | 'replicaFetchMaxBytes'
  | 'replicaFetchMinBytes'
  | 'replicaFetchWaitMaxMs'
  | 'replicaFetchResponseMaxBytes'
  | 'replicaFetchBackoffMs'
>

export interface FetcherOptions {
  readonly leaderId: number
  readonly connection: Pick<PeerConnection, 'request' | 'close'>
  readonly membership: MembershipGate
  readonly settings: FetcherSettings
  /** Null: nothing is held back. */
  readonly throttle: ReplicationThrottle | null
  readonly clock: Clock
  readonly logger: Logger
}

/** A partition under one leadership. */
interface Followed {
  readonly key: string
  readonly partition: Partition
  readonly leaderEpoch: number
  /** Not before, monotonic. */
  resumeAt: Millis
  /** One after the other, without records or silence between them. */
  failures: number
  /** Its log is being cut, or the leader is asked for its bounds. */
  isBusy: boolean
}

export class ReplicaFetcher {
  readonly #options: FetcherOptions
  readonly #followed = new Map<string, Followed>()
  readonly #session = new FollowerSession()
  /** To be looked at before the next fetch. */
  readonly #stale = new Set<Followed>()
  #allAt: Millis = -Infinity
  #wake: (() => void) | null = null
  #timer: Timer | null = null
  #isLeaderAway = false
  #closed = false
  readonly #ended: Promise<void>

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#ended = this.#run()
  }

  get size(): number {
    return this.#followed.size
  }

  /** Follows the partition under its present leadership. One that is followed already under an older one starts afresh. */
  follow(partition: Partition): void {
    const { leaderEpoch } = partition
    const key = keyOf(partition)
    if (this.#followed.get(key)?.leaderEpoch === leaderEpoch) return
    const followed = { key, partition, leaderEpoch, resumeAt: -Infinity, failures: 0, isBusy: false }
    this.#followed.set(key, followed)
    this.#stale.add(followed)
    this.#goOn()
  }

  leave(partition: Partition): void {
    const key = keyOf(partition)
    this.#followed.delete(key)
    this.#session.want(key, null)
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#options.connection.close()
    this.#timer?.cancel()
    this.#goOn()
    await this.#ended
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#look()
      if (this.#session.size === 0) {
        await this.#sleep()
        continue
      }
      const response = await this.#fetch()
      if (response === null) await this.#pause(sessionRetryMs)
      else await this.#take(response)
    }
  }

  /** Tells the session what can be fetched now. */
  #look(): void {
    const now = this.#options.clock.monotonic()
    const atAll = now - this.#allAt >= allEveryMs
    if (atAll) this.#allAt = now
    const looked = [...(atAll ? this.#followed.values() : this.#stale)]
    this.#stale.clear()
    const { throttle } = this.#options
    for (const followed of looked) {
      if (this.#followed.get(followed.key) !== followed) continue
      this.#session.want(followed.key, this.#wantedOf(followed, now))
      // Its time comes, or its turn ends, without anybody's word.
      if (followed.resumeAt > now || throttle?.isThrottled(followed.partition) === true) this.#stale.add(followed)
    }
  }

  /** Null: not now. */
  #wantedOf(followed: Followed, now: Millis): WantedPartition | null {
    const { partition, leaderEpoch, isBusy } = followed
    const { log, topicId, index } = partition
    if (isBusy || log === null || !isFollowing(followed)) return null
    const { settings, throttle } = this.#options
    if (followed.resumeAt <= now && throttle?.holdsBack(partition, settings.brokerId) === true) {
      followed.resumeAt = now + settings.replicaFetchBackoffMs
    }
    if (followed.resumeAt > now) return null
    if (log.durableOffset < log.logEndOffset) {
      this.#awaitDurable(followed, log.logEndOffset)
      return null
    }
    const { logEndOffset: fetchOffset, latestEpoch: lastFetchedEpoch } = log
    // What the leader is told here is confirmed to whoever deleted records.
    const logStartOffset = log.keptStartOffset
    return { topicId, index, currentLeaderEpoch: leaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset }
  }

  /** Null when there was no answer that can be used. */
  async #fetch(): Promise<FetchResponse | null> {
    const { connection, leaderId, logger } = this.#options
    try {
      const response = await connection.request(fetch, fetchVersion, this.#requestOf())
      if (!this.#session.answered(response)) {
        releaseFrameOf(response)
        logger.debug({ leader: leaderId, error: errorName(response.errorCode) }, 'the fetch session begins anew')
        return null
      }
      if (this.#isLeaderAway) logger.info({ leader: leaderId }, 'the leader answers again')
      this.#isLeaderAway = false
      return response
    } catch (error) {
      if (!(error instanceof PeerUnavailable)) throw error
      this.#session.lost()
      if (!this.#closed && !this.#isLeaderAway) {
        const { message: reason } = error
        logger.warn({ leader: leaderId, reason, partitions: this.#session.size }, 'the leader cannot be followed')
      }
      this.#isLeaderAway = true
      return null
    }
  }

  #requestOf(): RequestInput<typeof fetch> {
    const { settings, membership } = this.#options
    const { partitions, ...session } = this.#session.next()
    const topics = new Map<string, AskedPartition[]>()
    for (const { topicId, index, ...asked } of partitions) {
      let ofTopic = topics.get(topicId)
      if (ofTopic === undefined) topics.set(topicId, (ofTopic = []))
      ofTopic.push({ partition: index, partitionMaxBytes: settings.replicaFetchMaxBytes, ...asked })
    }
    return {
      ...session,
      replicaState: { replicaId: settings.brokerId, replicaEpoch: membership.epoch },
      maxWaitMs: settings.replicaFetchWaitMaxMs,
      minBytes: settings.replicaFetchMinBytes,
      maxBytes: settings.replicaFetchResponseMaxBytes,
      isolationLevel: 0,
      topics: [...topics].map(([topicId, ofTopic]) => ({ topicId, partitions: ofTopic })),
      rackId: '',
    }
  }

  /** Resolves when all that came is durable, or will not be. */
  async #take(response: FetchResponse): Promise<void> {
    const durable = new AllDurable()
    for (const { topicId, partitions } of response.responses) {
      for (const answer of partitions) {
        const followed = this.#followed.get(`${topicId}:${answer.partitionIndex}`)
        if (followed === undefined) continue
        this.#stale.add(followed)
        if (this.#isAnswerTo(followed)) this.#do(followed, stepFor(answer, followed.partition.log!), durable)
        // The leader believes that this was heard, and would not say it again.
        else this.#session.lost()
      }
    }
    releaseFrameOf(response)
    await durable.all()
  }

  /** Whether the fetch was under the leadership that is followed now, from where the log ends now. */
  #isAnswerTo(followed: Followed): boolean {
    const { key, partition, leaderEpoch, isBusy } = followed
    const asked = this.#session.asked(key)
    return (
      isFollowing(followed) &&
      !isBusy &&
      asked?.currentLeaderEpoch === leaderEpoch &&
      asked.fetchOffset === partition.logEndOffset
    )
  }

  #do(followed: Followed, step: FollowerStep, durable: AllDurable): void {
    const { partition, leaderEpoch } = followed
    switch (step.kind) {
      case 'append':
        return this.#append(followed, step, durable)
      case 'truncate':
        this.#say(followed, { from: partition.logEndOffset, to: step.to }, 'the log is cut to where the leader’s parts')
        return this.#inBackground(followed, () => partition.truncateTo(step.to, leaderEpoch))
      case 'restart':
        this.#say(
          followed,
          { from: partition.logEndOffset, at: step.at },
          'the leader has nothing that joins on: beginning anew',
        )
        return this.#inBackground(followed, () => partition.restartAt(step.at, leaderEpoch))
      case 'beginWithin':
        this.#say(followed, { at: step.at }, 'the leader’s log starts in the middle of a batch: beginning with it')
        return this.#inBackground(followed, () => this.#beginWithin(followed, step))
      case 'findBounds':
        return this.#inBackground(followed, () => this.#findBounds(followed))
      case 'retryLater':
        return this.#retryLater(followed, step.reason, step.isExpected)
      case 'fetchOn':
    }
  }

  #append(followed: Followed, step: StepOf<'append'>, durable: AllDurable): void {
    const { partition, leaderEpoch } = followed
    const { throttle } = this.#options
    for (const records of step.records) {
      if (records.length === 0) continue
      if (throttle?.isThrottled(partition) === true) throttle.copied(records.length)
      const appended = partition.appendReplicated(records, leaderEpoch)
      if (!appended.ok) {
        return this.#retryLater(followed, wordsOfRefusal[appended.refusal], isPassing(appended.refusal))
      }
      durable.add(partition, appended.endOffset)
    }
    followed.failures = 0
    const heard = partition.heardFromLeader(step, leaderEpoch).catch((error: unknown) => {
      this.#retryLater(followed, error instanceof Error ? error.message : 'the log start could not be moved', false)
    })
    const { log } = partition
    // Where the start moves the next fetch shall tell of it.
    if (log !== null && log.logStartOffset > log.keptStartOffset) durable.wait(heard)
  }

  async #beginWithin({ partition, leaderEpoch }: Followed, step: StepOf<'beginWithin'>): Promise<void> {
    const slabs = step.records.map(slabOf)
    for (const slab of slabs) slab?.hold()
    try {
      await partition.restartAt(step.at, leaderEpoch, step)
    } finally {
      for (const slab of slabs) slab?.release()
    }
    await partition.heardFromLeader(step, leaderEpoch)
  }

  /** Asks the leader where its log begins and ends. */
  async #findBounds(followed: Followed): Promise<void> {
    const { partition, leaderEpoch } = followed
    const start = await this.#offsetAt(followed, earliest)
    const end = await this.#offsetAt(followed, latest)
    if (start === null || end === null || !isFollowing(followed)) {
      return this.#retryLater(followed, 'the leader does not say where its log begins and ends', true)
    }
    const step = stepForBounds({ start, end }, partition.log!)
    if (step.kind === 'truncate') await partition.truncateTo(step.to, leaderEpoch)
    else if (step.kind === 'restart') await partition.restartAt(step.at, leaderEpoch)
    else return this.#retryLater(followed, 'the log is in the leader’s range by now', true)
    this.#say(
      followed,
      { leaderStart: start, leaderEnd: end },
      'the log was out of the leader’s range, and is cut to it',
    )
  }

  async #offsetAt({ partition, leaderEpoch }: Followed, timestamp: bigint): Promise<Offset | null> {
    const { connection, settings } = this.#options
    const asked = { partitionIndex: partition.index, currentLeaderEpoch: leaderEpoch, timestamp }
    const { topics } = await connection.request(listOffsets, listOffsetsVersion, {
      replicaId: settings.brokerId,
      isolationLevel: 0,
      topics: [{ name: partition.topic, partitions: [asked] }],
    })
    const found = topics[0]?.partitions[0]
    return found === undefined || found.errorCode !== ErrorCode.NONE ? null : found.offset
  }

  /** The partition is left out until `work` is done; when it fails, for a while longer. */
  #inBackground(followed: Followed, work: () => Promise<void>): void {
    followed.isBusy = true
    work()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'it failed'
        this.#retryLater(followed, reason, error instanceof PeerUnavailable)
      })
      .finally(() => {
        this.#isFree(followed)
      })
  }

  #retryLater(followed: Followed, reason: string, isExpected: boolean): void {
    const { clock, settings, logger, leaderId } = this.#options
    const pauseMs = isExpected ? passingRetryMs * 2 ** Math.min(followed.failures, 20) : Infinity
    followed.resumeAt = clock.monotonic() + Math.min(pauseMs, settings.replicaFetchBackoffMs)
    followed.failures += 1
    const fields = { partition: followed.partition.name, leader: leaderId, leaderEpoch: followed.leaderEpoch, reason }
    if (isExpected) logger.debug(fields, 'the partition is not fetched for a while')
    else logger.error(fields, 'the partition cannot be followed; trying again')
  }

  #say({ partition, leaderEpoch }: Followed, fields: object, message: string): void {
    this.#options.logger.info(
      { partition: partition.name, leader: this.#options.leaderId, leaderEpoch, ...fields },
      message,
    )
  }

  /** What was appended under another leadership is not durable yet: it is fetched when it is. */
  #awaitDurable(followed: Followed, end: Offset): void {
    const done = () => this.#isFree(followed)
    followed.isBusy = followed.partition.waitDurable(end, { settled: false, reached: done, lost: done }, 0)
  }

  #isFree(followed: Followed): void {
    followed.isBusy = false
    this.#stale.add(followed)
    this.#goOn()
  }

  /** Until there is something to do: a partition, the end of a wait, the end. */
  async #sleep(): Promise<void> {
    let next = Infinity
    // Also what has come due since it was looked at.
    for (const followed of this.#stale) {
      if (!followed.isBusy && isFollowing(followed)) next = Math.min(next, followed.resumeAt)
    }
    await this.#pause(Math.max(0, next - this.#options.clock.monotonic()))
  }

  #pause(ms: Millis): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#timer = ms === Infinity ? null : this.#options.clock.setTimer(ms, () => this.#goOn())
    })
  }

  #goOn(): void {
    const wake = this.#wake
    this.#wake = null
    this.#timer?.cancel()
    this.#timer = null
    wake?.()
  }
}

type StepOf<K extends FollowerStep['kind']> = Extract<FollowerStep, { kind: K }>

type AskedPartition = Omit<WantedPartition, 'topicId' | 'index'> & { partition: number; partitionMaxBytes: number }

/** Waits for the ends of several logs at once. */
class AllDurable implements OffsetWaiter {
  readonly settled = false
  #pending = 0
  #resolve: (() => void) | null = null

  add(partition: Partition, end: Offset): void {
    if (partition.waitDurable(end, this, 0)) this.#pending += 1
  }

  /** `done` does not reject. */
  wait(done: Promise<void>): void {
    this.#pending += 1
    void done.then(() => this.#done())
  }

  /** Resolves when each of them is durable, or lost. */
  all(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  reached(): void {
    this.#done()
  }

  lost(): void {
    this.#done()
  }

  #done(): void {
    this.#pending -= 1
    if (this.#pending === 0) this.#resolve?.()
  }
}

/** All records are views of the answer's frame. The logs hold what they have yet to write. */
function releaseFrameOf({ responses }: FetchResponse): void {
  for (const { partitions } of responses) {
    for (const { records } of partitions) {
      const [first] = records ?? []
      if (first === undefined) continue
      slabOf(first)?.release()
      return
    }
  }
}

function isFollowing({ partition, leaderEpoch }: Followed): boolean {
  return partition.state === 'following' && partition.leaderEpoch === leaderEpoch
}

function keyOf({ topicId, index }: Partition): string {
  return `${topicId}:${index}`
}
