// One partition on this broker: its log, its part in the cluster, and how far consumers may read.
//
//   state      from                       when
//   opening    -                          its log is being opened and checked; nothing is served
//   leading    opening, idle, following   the log is open and the image names this broker as leader
//   following  opening, idle, leading     the log is open and another broker leads: its log is copied (follower side: `fetcher.ts`)
//   idle       opening, leading, following  nobody leads
//   offline    any                        the disk failed; stays so until the broker starts again
//   deleted    any                        the topic is gone, or the replica; final
//
// The high watermark of a partition with one replica is what its disk holds for certain (`durableOffset`), so that nothing a
// consumer has seen is lost in a crash. With more replicas the leader moves it when all that count confirm (leader-replicas.ts), and a
// follower's is its leader's, as far as its own disk goes. It falls only when a follower's log is cut (KIP-101), or began anew.

import type { PartitionImage, TopicImage } from '../cluster/image.ts'
import type { Appended, LogRead, LogListener, Offset, Replicated } from '../storage/partition-log.ts'
import { CommittedBytes } from './committed-bytes.ts'
import { type FetchStanding, type FollowerFetch, type FollowerProgress, LeaderReplicas } from './leader-replicas.ts'
import { type Lost, OffsetQueue, type OffsetWaiter } from './offset-queue.ts'
import type { PartitionSettings } from './partition-settings.ts'
import { aloneInTheCluster, type ReplicationHost } from './replication-host.ts'
import type { DeletedRecords, ReplicaLog } from './replica-log.ts'
import { WatcherList } from './watcher-list.ts'

export type { AbortedTransaction, DeletedRecords, ReplicaLog } from './replica-log.ts'

export type PartitionState = 'opening' | 'leading' | 'following' | 'idle' | 'offline' | 'deleted'

export type EpochRefusal =
  /** The caller's leader epoch is older than ours: it must learn of the new leadership (FENCED_LEADER_EPOCH). */
  | 'fenced'
  /** The caller's is newer than ours: we have yet to learn of it (UNKNOWN_LEADER_EPOCH). */
  | 'unknown'

/** Told when the high watermark moved (`bytes` more are committed), or when state or epoch changed (0 bytes). Must not throw. */
export interface PartitionWatcher {
  partitionChanged(bytes: number): void
}

/** What a watcher's bytes are: those that consumers may read, or those that followers may. */
export type WatchedEnd = 'committed' | 'written'

const noOffset = -1
const refusedOffline: Appended = { ok: false, refusal: 'offline' }
const replicatedOffline: Replicated = { ok: false, refusal: 'offline' }
const readOffline: LogRead = { ok: false, refusal: 'offline' }

export class Partition implements LogListener {
  readonly topic: string
  /** base64url, 22 characters. */
  readonly topicId: string
  readonly index: number
  readonly internal: boolean
  settings: PartitionSettings
  readonly #brokerId: number
  readonly #host: ReplicationHost
  readonly #onState: (partition: Partition) => void
  readonly #waitWritten = new OffsetQueue()
  readonly #waitCommitted = new OffsetQueue()
  #waitDurable: OffsetQueue | null = null
  #waitDeleted: OffsetQueue | null = null
  readonly #committedBytes = new CommittedBytes()
  /** Bytes that followers may read; null where there are none. */
  #writtenBytes: CommittedBytes | null = null
  #watchers: WatcherList | null = null
  #endWatchers: WatcherList | null = null
  #image: PartitionImage
  #state: PartitionState = 'opening'
  #log: ReplicaLog | null = null
  /** While leading with other replicas; anew for each leader epoch. */
  #replicas: LeaderReplicas | null = null
  #highWatermark: Offset = 0
  /** While following: as the leader said last. */
  #leaderHighWatermark: Offset = 0
  #leaderLogStart: Offset = 0
  #leaderEpoch = -1
  #epochStartOffset: Offset = 0
  /** The log is being cut: what the cluster says is taken over when that is done. */
  #cutting = false
  #fault: Error | null = null

  /** `onState` is called after each change of `state`, and when leading or following continues under a new epoch. */
  constructor(options: {
    brokerId: number
    topic: TopicImage
    image: PartitionImage
    settings: PartitionSettings
    onState: (partition: Partition) => void
    /** Left out: there are no other brokers. */
    host?: ReplicationHost
  }) {
    this.topic = options.topic.name
    this.topicId = options.topic.id
    this.internal = options.topic.internal
    this.index = options.image.index
    this.settings = options.settings
    this.#brokerId = options.brokerId
    this.#image = options.image
    this.#onState = options.onState
    this.#host = options.host ?? aloneInTheCluster
  }

  get name(): string {
    return `${this.topic}-${this.index}`
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

  /** Epoch of the leadership under which this broker leads or follows; of the last one when neither, -1 when it never did. */
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

  /** Where reading ends for followers: what is appended and not written cannot be read. */
  get readableEnd(): Offset {
    return this.#log?.writtenOffset ?? noOffset
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

  /** Whether what this broker says alone is the cluster's word: acks=0 and 1, and what a coordinator answers. Asked at each use. */
  get mayAnswerAlone(): boolean {
    return this.#host.membership.valid()
  }

  /** Whether the coordinator of what this partition holds may answer. Asked at each use. */
  get mayServeCoordinator(): boolean {
    return this.#state === 'leading' && this.mayAnswerAlone
  }

  /** While leading: what is known of the other replicas. */
  get followers(): Iterable<FollowerProgress> {
    return this.#replicas?.followers ?? []
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
    if (appended.ok && !appended.duplicate) {
      this.#committedBytes.append(appended.lastOffset + 1, sizeBytes)
      this.#writtenBytes?.append(appended.lastOffset + 1, sizeBytes)
    }
    return appended
  }

  /**
   * DeleteRecords (KIP-107): the log starts at `before` from now on, at the high watermark when it is null; a start that is further
   * on already stays. Waiting fetches hear of it at once. Resolves when the new start survives a crash, here and on all replicas that
   * are there; rejects when the disk fails.
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
    if (moves) this.#changed()
    await advanced
    try {
      await this.#deletedEverywhere(start)
    } catch {
      return { ok: false, refusal: 'notLeading' }
    }
    return { ok: true, lowWatermark: this.#lowWatermark() }
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

  /** `waiter` is told once offsets below `end` are durable here, whoever else has them; false when they are already. */
  waitDurable(end: Offset, waiter: OffsetWaiter, slot: number): boolean {
    if (this.#log === null || this.#log.durableOffset >= end) return false
    this.#waitDurable ??= new OffsetQueue()
    this.#waitDurable.add(end, waiter, slot)
    return true
  }

  /** Resolves once `end` <= high watermark; rejects with `PartitionLost`. For callers that append now and then. */
  committed(end: Offset): Promise<void> {
    if (this.#highWatermark >= end) return Promise.resolve()
    if (this.#state !== 'leading') return Promise.reject(new PartitionLost(this.name, lossOf(this.#state)))
    // What was read before the log was cut back, or appended: nobody appends it again.
    if (end > this.logEndOffset) return Promise.reject(new PartitionLost(this.name, 'diskFull'))
    return this.#reached(this.#waitCommitted, end)
  }

  /** `committed`: told of the high watermark and of changes; `written`: of what is written and of changes. */
  watch(watcher: PartitionWatcher, end: WatchedEnd = 'committed'): void {
    if (end === 'committed') (this.#watchers ??= new WatcherList()).add(watcher)
    else (this.#endWatchers ??= new WatcherList()).add(watcher)
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers?.delete(watcher)
    this.#endWatchers?.delete(watcher)
  }

  /** The log is open: begins to lead or to follow, if the newest image says so. `highWatermark`: as it was remembered. */
  opened(log: ReplicaLog, highWatermark: Offset = 0): void {
    this.#log = log
    log.listen(this)
    const { replicas, isr } = this.#image
    const isAlone = replicas.length === 1 && isr[0] === this.#brokerId
    this.#highWatermark = Math.max(
      log.logStartOffset,
      isAlone ? log.durableOffset : Math.min(highWatermark, log.durableOffset),
    )
    log.highWatermark = this.#highWatermark
    if (log.fault !== null) return this.failed(log.fault)
    this.#enter('idle')
    this.update(this.#image)
  }

  /** Takes over what the cluster says: leading or following begins, ends or continues under another epoch. */
  update(image: PartitionImage): void {
    this.#image = image
    const log = this.#log
    if (log === null || this.#cutting || this.#state === 'offline' || this.#state === 'deleted') return
    if (image.leader !== this.#brokerId) return this.#follow(image)
    const begins = this.#state !== 'leading'
    const renews = begins || image.leaderEpoch !== this.#leaderEpoch
    if (renews) {
      this.#leaderEpoch = image.leaderEpoch
      this.#epochStartOffset = log.logEndOffset
      log.startEpoch(image.leaderEpoch)
    }
    // What followers said under an older leadership may have been cut off since: another may have led in between, unheard of here.
    if (renews) this.#replicas = null
    this.#followReplicas(log, image)
    if (renews) this.#enter('leading')
    this.#advance()
    if (!this.hasEnoughReplicas) this.#waitCommitted.tellTooFewReplicas()
  }

  configure(settings: PartitionSettings): void {
    this.settings = settings
    this.#log?.configure(settings.log)
    if (this.#state === 'leading') this.#advance()
  }

  // A leader and its followers.

  /** What a broker is to this partition, that says it fetches for this replica (KIP-903). */
  standingOf(brokerId: number, brokerEpoch: number): FetchStanding {
    if (this.#replicas === null || this.#state !== 'leading') return 'notReplica'
    if (brokerEpoch >= 0 && this.#host.isOutdated(brokerId, brokerEpoch)) return 'stale'
    return this.#replicas.standingOf(brokerId, brokerEpoch)
  }

  /**
   * A follower asks for records from `fetchOffset` on, which it may: what lies below is on its disk. Moves the high watermark when that
   * was waited for.
   */
  followerFetched(fetch: FollowerFetch): FetchStanding {
    const replicas = this.#replicas
    if (replicas === null || this.#state !== 'leading') return 'notReplica'
    const standing = replicas.fetched(fetch, this.readableEnd, this.#host.now())
    if (standing !== 'follower') return standing
    this.#advance()
    if (this.#waitDeleted !== null) this.#waitDeleted.drainTo(this.#lowWatermark())
    if (!replicas.isUnsettled && replicas.canGrow(this.#joinFrom(), this.#mayBeInSync)) this.#host.isrMayGrow(this)
    return standing
  }

  /** The ISR as it should be when that differs from what it is, or from what it may have become; null: all is well, or it is not ours to say. */
  wantedIsr(): readonly number[] | null {
    const replicas = this.#replicas
    if (replicas === null || this.#state !== 'leading') return null
    const wanted = replicas.wantedIsr(this.#joinFrom(), this.readableEnd, this.#host.now(), this.#mayBeInSync)
    const { isr } = this.#image
    const isSame = wanted.length === isr.length && wanted.every((id) => isr.includes(id))
    return isSame && !replicas.isUnsettled ? null : wanted
  }

  /** Broker epochs of those in `isr` who are not in the cluster's: what a proposal relies on (KIP-903). */
  epochsOfJoining(isr: readonly number[]): Map<number, number> {
    return this.#replicas?.epochsOfJoining(isr) ?? new Map()
  }

  /** `isr` is about to be proposed on the state of the newest image; from here on it may be in force. */
  proposed(isr: readonly number[]): void {
    this.#replicas?.propose(isr)
  }

  /** The last proposal on the state of `revision` was refused for certain. */
  withdrawn(revision: number): void {
    if (this.#replicas === null || this.#image.revision !== revision) return
    this.#replicas.withdraw()
    this.#advance()
  }

  /** Time has passed: who was waited for may be too late, or gone. */
  elapsed(): void {
    if (this.#replicas === null || this.#state !== 'leading') return
    this.#advance()
    this.#waitDeleted?.drainTo(this.#lowWatermark())
  }

  // A follower and its leader (fetcher.ts). Each is told under which leadership the leader spoke; when that is over nothing happens.

  /** Appends what the leader's log holds from this log's end on; as `PartitionLog.appendReplicated`. */
  appendReplicated(batches: Uint8Array, leaderEpoch: number): Replicated {
    const log = this.#followed(leaderEpoch)
    if (log === null) return replicatedOffline
    const appended = log.appendReplicated(batches, leaderEpoch)
    if (appended.ok) this.#committedBytes.append(appended.endOffset, batches.length)
    return appended
  }

  /** What the leader says with an answer: how far all have it, and where its log starts. Rejects when the disk fails. */
  async heardFromLeader(said: { highWatermark: Offset; logStartOffset: Offset }, leaderEpoch: number): Promise<void> {
    const log = this.#followed(leaderEpoch)
    if (log === null) return
    this.#leaderHighWatermark = said.highWatermark
    this.#leaderLogStart = said.logStartOffset
    this.#advanceFollower(log)
    await this.#startAsTheLeader(log)
  }

  /** Drops what the leader never had (KIP-101): [end, logEndOffset). Rejects when the disk fails. */
  async truncateTo(end: Offset, leaderEpoch: number): Promise<void> {
    const log = this.#followed(leaderEpoch)
    if (log === null) return
    await this.#cut(log, end, () => log.truncateTo(end))
  }

  /**
   * Drops everything: the leader no longer has what would join on. `first`: batches that begin at `offset`, in a log that starts later;
   * what is refused of them is fetched again. Rejects when the disk fails.
   */
  async restartAt(
    offset: Offset,
    leaderEpoch: number,
    first?: { readonly records: readonly Uint8Array[]; readonly logStartOffset: Offset },
  ): Promise<void> {
    const log = this.#followed(leaderEpoch)
    if (log === null) return
    await this.#cut(log, Math.min(offset, log.logStartOffset), async () => {
      await log.restartAt(offset)
      if (first === undefined) return
      for (const batches of first.records) if (!log.appendReplicated(batches, leaderEpoch).ok) break
      const start = Math.min(first.logStartOffset, log.logEndOffset)
      if (start > log.logStartOffset) await log.advanceStartTo(start)
    })
  }

  // What the log says (LogListener).

  written(end: Offset): void {
    this.#waitWritten.drainTo(end)
    const bytes = this.#writtenBytes
    if (bytes === null) return
    const before = bytes.committed
    bytes.commitTo(end)
    this.#endWatchers?.tell(bytes.committed - before)
  }

  durable(end: Offset): void {
    this.#waitDurable?.drainTo(end)
    if (this.#state !== 'following') return this.#advance()
    const log = this.#log!
    this.#advanceFollower(log)
    // The leader says it once, perhaps before there is so much here. A disk that fails takes the log offline.
    if (this.#leaderLogStart > log.logStartOffset && !this.#cutting) this.#startAsTheLeader(log).catch(() => undefined)
  }

  dropped(end: Offset): void {
    this.#committedBytes.cutTo(end)
    this.#writtenBytes?.cutTo(end)
    this.#epochStartOffset = Math.min(this.#epochStartOffset, end)
    this.#waitWritten.loseBeyond(end, 'diskFull')
    this.#waitCommitted.loseBeyond(end, 'diskFull')
    this.#waitDurable?.loseBeyond(end, 'diskFull')
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
    if (this.#state === 'leading' || this.#state === 'following' || this.#state === 'opening') {
      this.#stop('idle', 'notLeader')
    }
  }

  #follow(image: PartitionImage): void {
    const follows = image.leader >= 0
    if (!follows && this.#state === 'idle') return
    if (follows) {
      if (this.#state === 'following' && image.leaderEpoch === this.#leaderEpoch) return
      this.#leaderEpoch = image.leaderEpoch
      this.#leaderHighWatermark = this.#highWatermark
      this.#leaderLogStart = 0
    }
    this.#stop(follows ? 'following' : 'idle', 'notLeader')
  }

  /** The leader's view of the replicas begins, goes on, or ends with the last of them. */
  #followReplicas(log: ReplicaLog, image: PartitionImage): void {
    if (image.replicas.length === 1) {
      this.#replicas = null
      this.#writtenBytes = null
      return
    }
    this.#writtenBytes ??= new CommittedBytes()
    const now = this.#host.now()
    if (this.#replicas !== null) return this.#replicas.follow(image, log.writtenOffset, now)
    const { replicaLagTimeMaxMs: lagTimeMaxMs } = this.#host
    const leaderEnd = log.writtenOffset
    this.#replicas = new LeaderReplicas({ brokerId: this.#brokerId, image, lagTimeMaxMs, leaderEnd, now })
  }

  /** Where a follower must have come to join the ISR. */
  #joinFrom(): Offset {
    return Math.max(this.#highWatermark, this.#epochStartOffset)
  }

  readonly #mayBeInSync = (brokerId: number, brokerEpoch: number): boolean =>
    !this.#image.failed.includes(brokerId) && this.#host.mayBeInSync(brokerId, brokerEpoch)

  #lowWatermark(): Offset {
    const start = this.logStartOffset
    return this.#replicas?.lowWatermark(start, (id) => this.#host.isThere(id)) ?? start
  }

  async #deletedEverywhere(start: Offset): Promise<void> {
    if (this.#state !== 'leading') throw new PartitionLost(this.name, lossOf(this.#state))
    if (this.#lowWatermark() >= start) return
    this.#waitDeleted ??= new OffsetQueue()
    await this.#reached(this.#waitDeleted, start)
  }

  #reached(queue: OffsetQueue, end: Offset): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    queue.add(
      end,
      { settled: false, reached: () => resolve(), lost: (_, reason) => reject(new PartitionLost(this.name, reason)) },
      0,
    )
    return promise
  }

  #advance(): void {
    const log = this.#log!
    let committed = log.durableOffset
    if (committed <= this.#highWatermark) return
    const replicas = this.#replicas
    if (replicas !== null) {
      // Where acks=all is refused nobody shall see more than what acks=all confirmed (KIP-966).
      if (this.#state !== 'leading' || !this.hasEnoughReplicas) return
      committed = replicas.committedOffset(committed, log.writtenOffset, this.#host.now(), this.#mayBeInSync)
    } else if (this.#image.replicas.length > 1 || this.#image.isr.length === 0) return
    if (committed > this.#highWatermark) this.#rise(committed)
  }

  #advanceFollower(log: ReplicaLog): void {
    const known = Math.min(this.#leaderHighWatermark, log.durableOffset)
    if (known > this.#highWatermark) this.#rise(known)
  }

  /** As far as this log is known to be the leader's. */
  async #startAsTheLeader(log: ReplicaLog): Promise<void> {
    const start = Math.min(this.#leaderLogStart, this.#highWatermark)
    if (start > log.logStartOffset) await log.advanceStartTo(start)
  }

  #rise(highWatermark: Offset): void {
    this.#highWatermark = highWatermark
    this.#log!.highWatermark = highWatermark
    const before = this.#committedBytes.committed
    this.#committedBytes.commitTo(highWatermark)
    this.#waitCommitted.drainTo(highWatermark)
    this.#watchers?.tell(this.#committedBytes.committed - before)
  }

  /** The log, while this broker follows the leadership of that epoch. */
  #followed(leaderEpoch: number): ReplicaLog | null {
    return this.#state === 'following' && leaderEpoch === this.#leaderEpoch && !this.#cutting ? this.#log : null
  }

  /** Nothing from `end` on may be seen any more; a leadership that begins meanwhile waits, for it must know where its log ends. */
  async #cut(log: ReplicaLog, end: Offset, work: () => Promise<void>): Promise<void> {
    this.#cutting = true
    this.#fallTo(log, end)
    try {
      await work()
    } finally {
      this.#cutting = false
      this.#committedBytes.cutTo(log.logEndOffset)
      this.#fallTo(log, log.logEndOffset)
      // A log that began anew holds nothing that is not committed.
      if (log.logStartOffset > this.#highWatermark) {
        this.#highWatermark = log.logStartOffset
        log.highWatermark = log.logStartOffset
      }
      if (this.#log !== null) {
        this.#changed()
        this.update(this.#image)
      }
    }
  }

  #fallTo(log: ReplicaLog, highWatermark: Offset): void {
    if (highWatermark >= this.#highWatermark) return
    this.#highWatermark = highWatermark
    log.highWatermark = highWatermark
  }

  #stop(state: PartitionState, reason: Lost): void {
    this.#replicas = null
    this.#writtenBytes = null
    this.#enter(state)
    this.#waitWritten.loseAll(reason)
    this.#waitCommitted.loseAll(reason)
    this.#waitDeleted?.loseAll(reason)
    if (state !== 'following') this.#waitDurable?.loseAll(reason)
  }

  #enter(state: PartitionState): void {
    this.#state = state
    this.#onState(this)
    this.#changed()
  }

  /** State, epoch or log start: whoever waits looks again. */
  #changed(): void {
    this.#watchers?.tell(0)
    this.#endWatchers?.tell(0)
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
