// The way of a coordinator's decisions into its log, and of its replies out: a reply leaves once everything that was appended before it is
// committed, so that no client ever learns of state that a new leader may not have.
//
//   gathered --the turn ends and fewer than two are under way--> under way --committed--> replies leave
//
// Whoever comes alone is appended at the end of the turn of the event loop. While one append is on its way to an fsync and to the followers,
// another may be written, so that the next fsync begins when that one ends. What comes behind those two is gathered, and goes as one
// batch: nothing is lost by waiting, for no fsync and no fetch of a follower would begin earlier. So the number of appends follows the disk,
// not the load (as with Kafka's group.coordinator.append.linger.ms of -1). A batch that is full does not wait.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import { batchHeaderBytes } from '../records/batch.ts'
import { buildBatch } from '../records/batch-builder.ts'
import type { Codec } from '../records/codec.ts'
import type { AppendRefusal, Offset } from '../storage/partition-log.ts'
import type { CoordinatorPartition } from './coordinator-partition.ts'
import type { KeyValue } from './effect.ts'
import { Gathered } from './gathered.ts'

/** One that becomes durable, and one that is written meanwhile. */
const underWayMax = 2
/** While the lease has lapsed: it is renewed in a moment, or lost, and then another partition comes in this one's place. */
const lapsedRetryMs: Millis = 50

/** Who decides on the records, and knows what a reply is. The queue is at its end after `refused` and `failed`. */
export interface CommitQueueOwner<Reply> {
  answered(replies: readonly Reply[]): void
  /** They have waited for too long, or the broker's lease has lapsed. Their records may still be committed. */
  overdue(replies: readonly Reply[], why: 'timeout' | 'leaseLapsed'): void
  /** The log does not take what was decided on. */
  refused(refusal: AppendRefusal): void
  /** An append threw, or what was appended will not be committed here. */
  failed(error: unknown): void
}

export interface CommitQueueOptions<Reply> {
  readonly partition: CoordinatorPartition
  readonly clock: Clock
  readonly owner: CommitQueueOwner<Reply>
  /** How long a reply waits for its records to be committed (offsets.commit.timeout.ms). */
  readonly commitTimeoutMs: Millis
  /** Of the batches (offsets.topic.compression.codec). */
  readonly codec: Codec
}

/** Replies that leave together. */
interface Held<Reply> {
  replies: Reply[]
  timer: Timer | null
}

export class CommitQueue<Reply> {
  readonly #options: CommitQueueOptions<Reply>
  #gathered: { readonly records: Gathered; readonly held: Held<Reply> } | null = null
  /** The newest of those that are under way; everything before them is waited for on its own. */
  #newest: Held<Reply> | null = null
  readonly #underWay = new Set<Held<Reply>>()
  /** Set while the lease has lapsed. */
  #retry: Timer | null = null

  constructor(options: CommitQueueOptions<Reply>) {
    this.#options = options
  }

  /**
   * Records of one decision; the calls are in the order of the log. False, and nothing has happened, when one of them is too large for
   * any batch; of what is compressed only the log can say so.
   */
  append(records: readonly KeyValue[]): boolean {
    if (records.length === 0) return true
    const { partition, codec } = this.#options
    const recordBytesMax = codec === 'none' ? partition.batchBytesMax - batchHeaderBytes : Infinity
    if (records.some(({ key, value }) => key.length + (value?.length ?? 0) > recordBytesMax)) return false
    if (this.#gathered === null) {
      const bytesMax = this.#options.partition.batchBytesMax - batchHeaderBytes
      this.#gathered = { records: new Gathered(bytesMax), held: { replies: [], timer: null } }
      this.#appendAfterTurn()
    }
    const gathered = this.#gathered.records
    const wasFull = gathered.isFull
    gathered.add(records)
    if (gathered.isFull && !wasFull) this.#appendAfterTurn()
    return true
  }

  /** Leaves when everything before it is committed; at once when nothing is waited for. */
  reply(reply: Reply): void {
    const held = this.#gathered?.held ?? this.#newest
    if (held === null) {
      this.#options.owner.answered([reply])
    } else {
      held.replies.push(reply)
      this.#armTimeout(held)
    }
  }

  /** Replies that follow leave once `end` is committed. */
  holdUntil(end: Offset): void {
    this.#hold({ replies: [], timer: null }, end)
  }

  /** For good: what is gathered is dropped, and of what is under way nobody is told. */
  close(): void {
    this.#gathered?.held.timer?.cancel()
    this.#gathered = null
    this.#newest = null
    for (const held of this.#underWay) held.timer?.cancel()
    this.#underWay.clear()
    this.#retry?.cancel()
    this.#retry = null
  }

  #appendAfterTurn(): void {
    this.#options.clock.defer(() => {
      if (this.#underWay.size < underWayMax || this.#gathered?.records.isFull === true) this.#appendGathered()
    })
  }

  #appendGathered(): void {
    const gathered = this.#gathered
    if (gathered === null || this.#retry !== null) return
    const { partition, clock, codec, owner } = this.#options
    const { batches } = gathered.records
    const timestamp = clock.now()
    let end = 0
    while (batches.length > 0) {
      let appended
      try {
        appended = partition.append(buildBatch(batches[0]!, { timestamp, codec }))
      } catch (error) {
        owner.failed(error)
        return
      }
      if (!appended.ok) {
        if (appended.refusal === 'leaseLapsed') this.#waitForLease(gathered.held)
        else owner.refused(appended.refusal)
        return
      }
      batches.shift()
      end = appended.lastOffset + 1
    }
    this.#gathered = null
    this.#hold(gathered.held, end)
  }

  /** What was decided on stays decided: the lease of a moment is no reason to forget who is in a group. */
  #waitForLease(held: Held<Reply>): void {
    const { clock, owner } = this.#options
    this.#retry = clock.setTimer(lapsedRetryMs, () => {
      this.#retry = null
      this.#appendGathered()
    })
    owner.overdue(held.replies.splice(0), 'leaseLapsed')
  }

  #hold(held: Held<Reply>, end: Offset): void {
    this.#newest = held
    this.#underWay.add(held)
    this.#options.partition.committed(end).then(
      () => this.#release(held),
      (error: unknown) => {
        if (this.#underWay.has(held)) this.#options.owner.failed(error)
      },
    )
  }

  #release(held: Held<Reply>): void {
    if (!this.#underWay.delete(held)) return
    if (this.#newest === held) this.#newest = null
    held.timer?.cancel()
    this.#options.owner.answered(held.replies)
    // Where the loop is busy the turn has more to come for the same batch.
    if (this.#gathered !== null) this.#appendAfterTurn()
  }

  #armTimeout(held: Held<Reply>): void {
    const { clock, commitTimeoutMs, owner } = this.#options
    held.timer ??= clock.setTimer(commitTimeoutMs, () => {
      held.timer = null
      owner.overdue(held.replies.splice(0), 'timeout')
    })
  }
}
