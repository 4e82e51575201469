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
  /** What the next request is to ask for, by `topicId:index`. */
  readonly #wanted = new Map<string, WantedPartition>()
  /** As the leader has them. */
  readonly #known = new Map<string, WantedPartition>()
  /** Where the two may differ. */
  readonly #changed = new Set<string>()

  /** Partitions that the next request asks for. */
  get size(): number {
    return this.#wanted.size
  }

  /** `key`: `topicId:index`. Null: the partition is not to be asked for. */
  want(key: string, wanted: WantedPartition | null): void {
    if (wanted === null) this.#wanted.delete(key)
    else this.#wanted.set(key, wanted)
    this.#changed.add(key)
  }

  /** What the last request asked of the partition, itself or by saying nothing new. */
  asked(key: string): WantedPartition | undefined {
    return this.#known.get(key)
  }

  /** To be followed by `answered` or `lost`. */
  next(): NextFetch {
    const partitions: WantedPartition[] = []
    const gone = new Map<string, number[]>()
    for (const key of this.#epoch === 0 ? this.#wanted.keys() : this.#changed) {
      const wanted = this.#wanted.get(key)
      const known = this.#known.get(key)
      if (wanted === undefined) {
        if (known === undefined) continue
        const indexes = gone.get(known.topicId)
        if (indexes === undefined) gone.set(known.topicId, [known.index])
        else indexes.push(known.index)
        this.#known.delete(key)
      } else if (known === undefined || !isSame(known, wanted)) {
        partitions.push(wanted)
        this.#known.set(key, wanted)
      }
    }
    this.#changed.clear()
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
    this.#known.clear()
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
