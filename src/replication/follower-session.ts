// A follower's side of a fetch session (KIP-227): what its leader knows of it, so that a request says only what is new. Pure.

import type { FetchRequest, FetchResponse } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { Offset } from '../storage/partition-log.ts'

/** What is asked of one partition. */
export interface WantedPartition {
  readonly topicId: string
  readonly index: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: Offset
  /** Of the last record before `fetchOffset`; -1 when there is none. */
  readonly lastFetchedEpoch: number
  readonly logStartOffset: Offset
}

type SessionPart = Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'forgottenTopicsData'>

export interface NextFetch extends SessionPart {
  /** Those that are new in the session, or asked for otherwise than before. */
  readonly partitions: readonly WantedPartition[]
}

const firstEpoch = 1
const lastEpoch = 0x7fffffff

export class FollowerSession {
  #id = 0
  #epoch = 0
  /** As the leader has them, by `topicId:index`. */
  #known = new Map<string, WantedPartition>()

  /** `wanted`: all of the next fetch, by `topicId:index`. To be followed by `answered` or `lost`. */
  next(wanted: ReadonlyMap<string, WantedPartition>): NextFetch {
    const partitions: WantedPartition[] = []
    const gone = new Map<string, number[]>()
    for (const [key, one] of wanted) {
      const known = this.#known.get(key)
      if (known === undefined || !isSame(known, one)) partitions.push(one)
    }
    if (this.#epoch !== 0) {
      for (const [key, { topicId, index }] of this.#known) {
        if (wanted.has(key)) continue
        const indexes = gone.get(topicId)
        if (indexes === undefined) gone.set(topicId, [index])
        else indexes.push(index)
      }
    }
    this.#known = new Map(wanted)
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      partitions,
      forgottenTopicsData: [...gone].map(([topicId, indexes]) => ({ topic: '', topicId, partitions: indexes })),
    }
  }

  /** False: the leader does not know the session any more; the next fetch says everything. */
  answered({ errorCode, sessionId }: Pick<FetchResponse, 'errorCode' | 'sessionId'>): boolean {
    if (errorCode !== ErrorCode.NONE) {
      this.lost()
      return false
    }
    if (sessionId === 0) this.lost()
    else if (this.#epoch === 0) {
      this.#id = sessionId
      this.#epoch = firstEpoch
    } else this.#epoch = this.#epoch === lastEpoch ? firstEpoch : this.#epoch + 1
    return true
  }

  /** Nobody knows whether the leader has the last request. A new session takes the place of the old one. */
  lost(): void {
    this.#epoch = 0
    this.#known = new Map()
  }
}

function isSame(one: WantedPartition, other: WantedPartition): boolean {
  return (
    one.fetchOffset === other.fetchOffset &&
    one.currentLeaderEpoch === other.currentLeaderEpoch &&
    one.lastFetchedEpoch === other.lastFetchedEpoch &&
    one.logStartOffset === other.logStartOffset
  )
}
