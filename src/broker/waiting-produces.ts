// A produce request that waits: for its bytes to be written (acks=1) or committed (acks=all). One object, one promise and at most
// one timer for a request, however many partitions it writes to.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { Lost, OffsetWaiter } from '../replication/offset-queue.ts'
import type { Partition } from '../replication/partition.ts'

/** The answer for one partition, as far as waiting may change it. */
export interface PendingAnswer {
  errorCode: ErrorCode
}

const codeOf = {
  notLeader: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  offline: ErrorCode.KAFKA_STORAGE_ERROR,
  diskFull: ErrorCode.KAFKA_STORAGE_ERROR,
  deleted: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
} satisfies Record<Lost, ErrorCode>

export class WaitingProduce implements OffsetWaiter {
  /** By slot; null once nothing more happens to it. */
  readonly #answers: (PendingAnswer | null)[] = []
  readonly #partitions: (Partition | null)[] = []
  #pending = 0
  #settled = false
  #timer: Timer | null = null
  #resolve: (() => void) | null = null

  get settled(): boolean {
    return this.#settled
  }

  get isPending(): boolean {
    return this.#pending > 0
  }

  /** Waits until offsets of `partition` below `end` are in the page cache. */
  written(partition: Partition, end: number, answer: PendingAnswer): void {
    if (partition.waitWritten(end, this, this.#answers.length)) this.#add(null, answer)
  }

  /** Waits until consumers see them. */
  visible(partition: Partition, end: number, answer: PendingAnswer): void {
    if (partition.waitCommitted(end, this, this.#answers.length)) this.#add(null, answer)
  }

  /** Waits until they are committed, and checks then that the ISR is still large enough (NOT_ENOUGH_REPLICAS_AFTER_APPEND). */
  committed(partition: Partition, end: number, answer: PendingAnswer): void {
    if (partition.waitCommitted(end, this, this.#answers.length)) this.#add(partition, answer)
    else checkReplicas(partition, answer)
  }

  /**
   * Resolves when every partition has an answer; after `timeoutMs` the rest is REQUEST_TIMED_OUT, and its records stay in the log.
   * `null` waits as long as it takes: progress or the end of the partition always comes. Call once, while pending.
   */
  done(clock: Clock, timeoutMs: Millis | null): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      if (timeoutMs !== null) this.#timer = clock.setTimer(Math.max(0, timeoutMs), () => this.#timeOut())
    })
  }

  reached(slot: number): void {
    const answer = this.#answers[slot]!
    if (answer === null) return
    const partition = this.#partitions[slot]!
    if (partition !== null) checkReplicas(partition, answer)
    this.#finish(slot)
  }

  /** The records stay in the log, and may be committed later. Who sends them again waits until there are enough. */
  tooFewReplicas(slot: number): void {
    const answer = this.#answers[slot]!
    if (answer === null || this.#partitions[slot] === null) return
    answer.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
    this.#finish(slot)
  }

  lost(slot: number, reason: Lost): void {
    const answer = this.#answers[slot]!
    if (answer === null) return
    answer.errorCode = codeOf[reason]
    this.#finish(slot)
  }

  #add(partition: Partition | null, answer: PendingAnswer): void {
    this.#answers.push(answer)
    this.#partitions.push(partition)
    this.#pending += 1
  }

  #finish(slot: number): void {
    this.#answers[slot] = null
    this.#pending -= 1
    if (this.#pending === 0) this.#settle()
  }

  #timeOut(): void {
    this.#timer = null
    for (const answer of this.#answers) if (answer !== null) answer.errorCode = ErrorCode.REQUEST_TIMED_OUT
    this.#settle()
  }

  #settle(): void {
    this.#settled = true
    this.#timer?.cancel()
    this.#resolve?.()
  }
}

function checkReplicas(partition: Partition, answer: PendingAnswer): void {
  if (!partition.hasEnoughReplicas) answer.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
}
