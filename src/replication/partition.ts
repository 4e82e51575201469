// One partition on this broker: its log, the leadership under which it is written, and how far consumers may read.
//
//   state      from            when
//   opening    -               its log is being opened and checked; nothing is served
//   leading    opening, idle   the log is open and the image names this broker as leader
//   idle       opening, leading another broker leads, or nobody
//   offline    any             the disk failed; stays so until the broker starts again
//   deleted    any             the topic is gone; final
//
// The high watermark of a partition with one replica is what its disk holds for certain (`durableOffset`), so that nothing a
// consumer has seen is lost in a crash. With other replicas in the ISR it moves only when they confirm (KIP-101).

import type { PartitionImage, TopicImage } from '../cluster/image.ts'
import type { Appended, LogRead, LogListener, Offset, PartitionLog } from '../storage/partition-log.ts'
import { CommittedBytes } from './committed-bytes.ts'
import { type Lost, OffsetQueue, type OffsetWaiter } from './offset-queue.ts'
import type { PartitionSettings } from './partition-settings.ts'

export type PartitionState = 'opening' | 'leading' | 'idle' | 'offline' | 'deleted'

export type EpochRefusal =
  /** The caller's leader epoch is older than ours: it must learn of the new leadership (FENCED_LEADER_EPOCH). */
  | 'fenced'
  /** The caller's is newer than ours: we have yet to learn of it (UNKNOWN_LEADER_EPOCH). */
  | 'unknown'

/** Told when the high watermark moved (`bytes` more are committed), or when state or epoch changed (0 bytes). Must not throw. */
export interface PartitionWatcher {
  partitionChanged(bytes: number): void
}

/** What a partition asks of its log beyond what every log can tell. */
export interface ReplicaLog extends PartitionLog {
  /** Bytes appended and not yet written. */
  readonly queuedBytes: number
  /**
   * First offset of the oldest transaction that is open, or whose marker is not below `highWatermark`; null when there is none.
   * Asked with high watermarks that do not fall.
   */
  firstUnstableOffsetAt(highWatermark: Offset): Offset | null
  /** Aborted transactions that overlap [from, upTo). Rejects when the disk fails. */
  abortedTransactions(from: Offset, upTo: Offset): Promise<readonly AbortedTransaction[]>
}

export type DeletedRecords =
  /** `lowWatermark`: the start of every replica is at or above it. */
  | { readonly ok: true; readonly lowWatermark: Offset }
  | {
      readonly ok: false
      readonly refusal:
        | 'notLeading'
        /** Negative, or above the high watermark. */
        | 'offsetOutOfRange'
        /** The topic is compacted only: its records go by key. */
        | 'compactedOnly'
    }

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
}

const noOffset = -1
const refusedOffline: Appended = { ok: false, refusal: 'offline' }
const readOffline: LogRead = { ok: false, refusal: 'offline' }

export class Partition implements LogListener {
  readonly topic: string
  /** base64url, 22 characters. */
  readonly topicId: string
  readonly index: number
  readonly internal: boolean
  settings: PartitionSettings
  readonly #brokerId: number
  readonly #onState: (partition: Partition) => void
  readonly #waitWritten = new OffsetQueue()
  readonly #waitCommitted = new OffsetQueue()
  readonly #bytes = new CommittedBytes()
  #watchers: Set<PartitionWatcher> | null = null
  #image: PartitionImage
  #state: PartitionState = 'opening'
  #log: ReplicaLog | null = null
  #highWatermark: Offset = 0
  #leaderEpoch = -1
  #epochStartOffset: Offset = 0
  #fault: Error | null = null

  /** `onState` is called after each change of `state`, and when leadership continues under a new epoch. */
  constructor(options: {
    brokerId: number
    topic: TopicImage
    image: PartitionImage
    settings: PartitionSettings
    onState: (partition: Partition) => void
  }) {
    this.topic = options.topic.name
    this.topicId = options.topic.id
    this.internal = options.topic.internal
    this.index = options.image.index
    this.settings = options.settings
    this.#brokerId = options.brokerId
    this.#image = options.image
    this.#onState = options.onState
  }

  get state(): PartitionState {
    return this.#state
  }

  get isLeading(): boolean {
    return this.#state === 'leading'
  }

  /** What took the partition offline. */
  get fault(): Error | null {
    return this.#fault
  }

  /** Epoch of this broker's leadership; of the last one when it does not lead, -1 when it never did. */
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  get partitionEpoch(): number {
    return this.#image.partitionEpoch
  }

  /** The newest state of the partition in the cluster's image. */
  get image(): PartitionImage {
    return this.#image
  }

  get isr(): readonly number[] {
    return this.#image.isr
  }

  /** The open log; null while opening, when it could not be opened, and after the end. */
  get log(): ReplicaLog | null {
    return this.#log
  }

  get logStartOffset(): Offset {
    return this.#log?.logStartOffset ?? noOffset
  }

  get logEndOffset(): Offset {
    return this.#log?.logEndOffset ?? noOffset
  }

  /** Consumers read below it. */
  get highWatermark(): Offset {
    return this.#highWatermark
  }

  /** `read_committed` consumers read below it. */
  get lastStableOffset(): Offset {
    const firstUnstable = this.#log?.firstUnstableOffsetAt(this.#highWatermark) ?? null
    return firstUnstable === null ? this.#highWatermark : Math.min(firstUnstable, this.#highWatermark)
  }

  /** Bytes appended and not yet written: what back-pressure goes by. */
  get queuedBytes(): number {
    return this.#log?.queuedBytes ?? 0
  }

  /** False after an election until the high watermark has passed the start of this leadership: "latest" is not known yet (KIP-207). */
  get latestIsKnown(): boolean {
    return this.#highWatermark >= this.#epochStartOffset
  }

  /** Whether the ISR is large enough for acks=all. A topic with fewer replicas than `min.insync.replicas` needs them all. */
  get hasEnoughReplicas(): boolean {
    return this.#image.isr.length >= Math.min(this.settings.minInsyncReplicas, this.#image.replicas.length)
  }

  /** `currentLeaderEpoch` of a request against the newest we know; -1 asks for no check (KIP-320). */
  checkEpoch(currentLeaderEpoch: number): EpochRefusal | null {
    const known = this.#image.leaderEpoch
    if (currentLeaderEpoch === -1 || currentLeaderEpoch === known) return null
    return currentLeaderEpoch < known ? 'fenced' : 'unknown'
  }

  /**
   * Appends a batch that passed the door, under this leadership. Synchronous, so calls keep their order; the bytes are given
   * away. Refuses as `offline` when this broker does not lead.
   */
  append(batch: Uint8Array, origin: 'client' | 'coordinator'): Appended {
    const log = this.#log
    if (log === null || this.#state !== 'leading') return refusedOffline
    const sizeBytes = batch.length
    const appended = log.append(batch, this.#leaderEpoch, origin)
    if (appended.ok && !appended.duplicate) this.#bytes.append(appended.lastOffset + 1, sizeBytes)
    return appended
  }

  /**
   * DeleteRecords (KIP-107): the log starts at `before` from now on, at the high watermark when it is null; a start that is further
   * on already stays. Waiting fetches hear of it at once. Resolves when the new start survives a crash; rejects when the disk fails.
   */
  async deleteRecords(before: Offset | null): Promise<DeletedRecords> {
    const log = this.#log
    if (log === null || this.#state !== 'leading') return { ok: false, refusal: 'notLeading' }
    const { compacts, deletes } = this.settings.log
    if (compacts && !deletes) return { ok: false, refusal: 'compactedOnly' }
    const start = before ?? this.#highWatermark
    if (start < 0 || start > this.#highWatermark) return { ok: false, refusal: 'offsetOutOfRange' }
    const moves = start > log.logStartOffset
    const advanced = log.advanceStartTo(start)
    const lowWatermark = log.logStartOffset
    if (moves) this.#notify(0)
    await advanced
    return { ok: true, lowWatermark }
  }

  /** As `PartitionLog.read`; the caller has chosen `upTo`: high watermark, last stable offset or log end. */
  async read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    return this.#log === null ? readOffline : await this.#log.read(from, maxBytes, upTo, atLeastOne)
  }

  /** `waiter` is told once offsets below `end` are in the page cache (acks=1); false when they are already. */
  waitWritten(end: Offset, waiter: OffsetWaiter, slot: number): boolean {
    if (this.#log !== null && this.#log.writtenOffset >= end) return false
    this.#waitWritten.add(end, waiter, slot)
    return true
  }

  /** `waiter` is told once offsets below `end` are committed (acks=all); false when they are already. */
  waitCommitted(end: Offset, waiter: OffsetWaiter, slot: number): boolean {
    if (this.#highWatermark >= end) return false
    this.#waitCommitted.add(end, waiter, slot)
    return true
  }

  /** Resolves once `end` <= high watermark; rejects with `PartitionLost`. For callers that append now and then. */
  committed(end: Offset): Promise<void> {
    if (this.#highWatermark >= end) return Promise.resolve()
    if (this.#state !== 'leading') return Promise.reject(new PartitionLost(this.name, lossOf(this.#state)))
    // What was read before the log was cut back, or appended: nobody appends it again.
    if (end > this.logEndOffset) return Promise.reject(new PartitionLost(this.name, 'diskFull'))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waitCommitted.add(
      end,
      { settled: false, reached: () => resolve(), lost: (_, reason) => reject(new PartitionLost(this.name, reason)) },
      0,
    )
    return promise
  }

  get name(): string {
    return `${this.topic}-${this.index}`
  }

  watch(watcher: PartitionWatcher): void {
    this.#watchers ??= new Set()
    this.#watchers.add(watcher)
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers?.delete(watcher)
  }

  /** The log is open: begins to lead, if the newest image says so. */
  opened(log: ReplicaLog): void {
    this.#log = log
    log.listen(this)
    this.#highWatermark = this.#image.isr.length <= 1 ? log.durableOffset : log.logStartOffset
    log.highWatermark = this.#highWatermark
    if (log.fault !== null) return this.failed(log.fault)
    this.#enter('idle')
    this.update(this.#image)
  }

  /** Takes over what the cluster says: leadership begins, ends or continues under another epoch. */
  update(image: PartitionImage): void {
    this.#image = image
    if (this.#log === null || this.#state === 'offline' || this.#state === 'deleted') return
    if (image.leader !== this.#brokerId) {
      if (this.#state === 'leading') this.#stop('idle', 'notLeader')
      return
    }
    if (this.#state !== 'leading' || image.leaderEpoch !== this.#leaderEpoch) {
      this.#leaderEpoch = image.leaderEpoch
      this.#epochStartOffset = this.#log.logEndOffset
      this.#log.startEpoch(image.leaderEpoch)
      this.#enter('leading')
    }
    this.#advance(this.#log.durableOffset)
  }

  configure(settings: PartitionSettings): void {
    this.settings = settings
    this.#log?.configure(settings.log)
  }

  written(end: Offset): void {
    this.#waitWritten.drainTo(end)
  }

  durable(end: Offset): void {
    this.#advance(end)
  }

  dropped(end: Offset): void {
    this.#bytes.cutTo(end)
    this.#epochStartOffset = Math.min(this.#epochStartOffset, end)
    this.#waitWritten.loseBeyond(end, 'diskFull')
    this.#waitCommitted.loseBeyond(end, 'diskFull')
  }

  failed(error: Error): void {
    if (this.#state === 'deleted' || this.#state === 'offline') return
    this.#fault = error
    this.#stop('offline', 'offline')
  }

  /** The topic is gone, or the replica: nobody is served from here on. */
  deleted(): void {
    if (this.#state === 'deleted') return
    this.#stop('deleted', 'deleted')
    this.#log = null
  }

  /** The broker stops: nobody is served from here on. The log is another's to close; what it still confirms counts. */
  resigned(): void {
    if (this.#state === 'leading' || this.#state === 'opening') this.#stop('idle', 'notLeader')
  }

  #advance(durable: Offset): void {
    if (this.#image.isr.length > 1 || durable <= this.#highWatermark) return
    this.#highWatermark = durable
    this.#log!.highWatermark = durable
    const before = this.#bytes.committed
    this.#bytes.commitTo(durable)
    this.#waitCommitted.drainTo(durable)
    this.#notify(this.#bytes.committed - before)
  }

  #stop(state: PartitionState, reason: Lost): void {
    this.#enter(state)
    this.#waitWritten.loseAll(reason)
    this.#waitCommitted.loseAll(reason)
  }

  #enter(state: PartitionState): void {
    this.#state = state
    this.#onState(this)
    this.#notify(0)
  }

  #notify(bytes: number): void {
    if (this.#watchers === null) return
    for (const watcher of this.#watchers) watcher.partitionChanged(bytes)
  }
}

/** What was waited for will not come from this broker. */
export class PartitionLost extends Error {
  override readonly name = 'PartitionLost'
  readonly reason: Lost

  constructor(partition: string, reason: Lost) {
    super(`${partition}: ${reason}`)
    this.reason = reason
  }
}

function lossOf(state: PartitionState): Lost {
  if (state === 'deleted') return 'deleted'
  return state === 'offline' ? 'offline' : 'notLeader'
}
