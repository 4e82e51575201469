// A consumer's side of a fetch session with one broker (KIP-227): after the first fetch only what has changed is asked for, and only what
// is new is answered.

import type { Offset } from '../../src/storage/partition-log.ts'

export interface WantedPartition {
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: Offset
  readonly lastFetchedEpoch: number
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly wanted: readonly WantedPartition[]
  readonly forgotten: readonly number[]
}

const noSession = 0
const firstEpoch = 0

export class FetchSession {
  #id = noSession
  #epoch = firstEpoch
  readonly #asked = new Map<number, WantedPartition>()

  /** Whether the answer to the next request must name every partition. */
  get isFull(): boolean {
    return this.#id === noSession
  }

  request(wanted: readonly WantedPartition[]): SessionRequest {
    const changed = wanted.filter((one) => this.isFull || !isSame(one, this.#asked.get(one.partition)))
    const forgotten = [...this.#asked.keys()].filter((index) => !wanted.some(({ partition }) => partition === index))
    for (const index of forgotten) this.#asked.delete(index)
    for (const one of changed) this.#asked.set(one.partition, one)
    const request = { sessionId: this.#id, sessionEpoch: this.#epoch, wanted: changed }
    return { ...request, forgotten: this.isFull ? [] : forgotten }
  }

  /** The broker may open no session: then it answers with id 0. */
  answered(sessionId: number): void {
    this.#id = sessionId
    this.#epoch = sessionId === noSession ? firstEpoch : this.#epoch + 1
  }

  /** The broker knows nothing of it, or nobody knows what it knows. */
  reset(): void {
    this.#id = noSession
    this.#epoch = firstEpoch
    this.#asked.clear()
  }
}

function isSame(one: WantedPartition, other: WantedPartition | undefined): boolean {
  return (
    other !== undefined &&
    one.fetchOffset === other.fetchOffset &&
    one.currentLeaderEpoch === other.currentLeaderEpoch &&
    one.lastFetchedEpoch === other.lastFetchedEpoch
  )
}
