// One partition's log on one disk, in Kafka's files. Appending is synchronous and in memory: state, indexes, the newest batches and the
// queue of the writer (log-writer.ts), which reports what is written and what is durable. Reading goes to memory or to the file.
//
// Invariants: segments are contiguous by base offset and the last is active; logStartOffset <= durableOffset <= writtenOffset <= logEndOffset
// (durable may lag behind a start that moved); after a fault nothing changes any more.

import { invariant } from '../lib/invariant.ts'
import {
  baseOffsetOf,
  lastOffsetDeltaOf,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
  noProducerId,
  producerIdOf,
  stampBaseOffset,
  stampLeaderEpoch,
  timestampTypeOf,
} from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import { newSegmentBytes } from './disk/disk-room.ts'
import { markFailedSync } from './failed-sync.ts'
import type { EpochEnd } from './leader-epoch-cache.ts'
import { LogClosedError, RecordsDropped } from './log-errors.ts'
import { LogReader, nothingRead, offlineRead, outOfRange, type ReadableLog } from './log-reader.ts'
import { LogRoller } from './log-roller.ts'
import { LogShape } from './log-shape.ts'
import { LogState } from './log-state.ts'
import { LogWriter } from './log-writer.ts'
import type {
  Appended,
  AppendRefusal,
  LogConfig,
  LogListener,
  LogRead,
  Offset,
  PartitionLog,
  Replicated,
  ReplicatedRefusal,
  TimestampAndOffset,
} from './partition-log.ts'
import { producerBatchOf } from './producer-batch.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerBatch, ProducerRefusal, ProducerState } from './producer-state.ts'
import { emptyLog, type LoadedLog } from './loaded-log.ts'
import { replicatedRefusal } from './replicated-batches.ts'
import { relativeOffsetMax, type Segment } from './segment.ts'
import { SideFiles } from './side-files.ts'
import type { StorageContext } from './storage-context.ts'
import type { LogTail } from './tail-cache.ts'
import type { AbortedTransaction } from './txn-index.ts'
import { type Verification, Verifications } from './verifications.ts'

/** What a log asks of the data folder it lies in. */
export interface LogHost {
  /** The log is about to be written for the first time: makes its folder, durably. */
  create(): Promise<void>
  /** Makes it known, durably, that all below `end` is sealed: the recovery point is there. */
  sealed(end: Offset): Promise<void>
  /** Makes it known, durably, that records below `start` are gone. */
  startAdvanced(): Promise<void>
  /** Makes it known, durably, that nothing from `end` on is confirmed: the log is about to be cut there. */
  truncating(end: Offset): Promise<void>
}

/** What a coordinator or the produce path may say about an append beside its origin. */
export interface AppendOptions {
  /** The transaction protocol of the request: 2 is KIP-890's, with an epoch for each transaction. Default 0. */
  readonly transactionVersion?: number
  /**
   * What the coordinator was asked with before (`beginVerification`); null: it was not. When given, a transactional batch that would open
   * a transaction is let in only with a token that still holds. Left out: not asked for (transaction.partition.verification.enable=false).
   */
  readonly verification?: Verification | null
}

export class SegmentedLog implements PartitionLog {
  readonly #context: StorageContext
  readonly #state: LogState
  readonly #writer: LogWriter
  readonly #tail: LogTail
  readonly #sideFiles: SideFiles
  readonly #roller: LogRoller
  readonly #reader: LogReader
  readonly #shape: LogShape
  readonly #verifications = new Verifications()
  #listener: LogListener | null = null

  constructor(
    context: StorageContext,
    place: { name: string; folder: string; created: boolean; changed: boolean },
    loaded: LoadedLog,
    config: LogConfig,
    host: LogHost,
  ) {
    const state = new LogState(place, loaded, config)
    const fail = (error: unknown) => this.#fail(error)
    this.#context = context
    this.#state = state
    this.#tail = context.tailCache.tail()
    for (const { bytes, baseOffset, nextOffset } of loaded.tail) this.#tail.add(bytes, baseOffset, nextOffset)
    this.#sideFiles = new SideFiles(context, place.folder, loaded)
    this.#writer = new LogWriter(
      {
        soon: (write) => context.clock.defer(write),
        prepare: () => this.#roller.createFolder(),
        syncFolder: () => context.disk.syncFolder(state.folder),
        written: (end) => this.#onWritten(end),
        synced: (end) => this.#confirm(end),
        failed: fail,
        noRoom: (error) => this.#noRoom(error),
      },
      state.end,
      config.flushPolicy === 'fsync',
    )
    this.#roller = new LogRoller(context, {
      state,
      writer: this.#writer,
      sideFiles: this.#sideFiles,
      makeFolder: () => host.create(),
      folderMade: place.created,
      fail,
    })
    this.#reader = new LogReader(context, {
      view: () => this.#readable(),
      settled: () => this.#shape.settled(),
      fail,
    })
    this.#shape = new LogShape(context, {
      state,
      writer: this.#writer,
      sideFiles: this.#sideFiles,
      roller: this.#roller,
      tail: this.#tail,
      abortedIn: (segment) => this.#reader.abortedIn(segment),
      sealed: (end) => host.sealed(end),
      startAdvanced: () => host.startAdvanced(),
      truncating: (end) => host.truncating(end),
      fail,
    })
  }

  get name(): string {
    return this.#state.name
  }

  get folder(): string {
    return this.#state.folder
  }

  get logStartOffset(): Offset {
    return this.#state.start
  }

  get keptStartOffset(): Offset {
    return this.#state.keptStart
  }

  get logEndOffset(): Offset {
    return this.#state.end
  }

  get writtenOffset(): Offset {
    return this.#writer.writtenOffset
  }

  get durableOffset(): Offset {
    return this.#state.durable
  }

  /** The start, as far as the log is sure to reach it after a failure of power; one that is cut may end anywhere below. */
  get startToKeep(): Offset {
    const { start, cutting } = this.#state
    return cutting ? start : Math.min(start, this.#writer.syncedOffset)
  }

  get firstUnstableOffset(): Offset | null {
    return this.#atStart(this.#state.producers.firstOpenOffset)
  }

  get latestEpoch(): number {
    return this.#state.epochs.latestEpoch
  }

  get sizeBytes(): number {
    return this.#state.sizeBytes
  }

  /** Appended and not yet written: what the broker bounds by pausing those who send. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes
  }

  /** All that was appended since the log was opened. */
  get appendedBytes(): number {
    return this.#state.appendedBytes
  }

  get fault(): Error | null {
    return this.#state.fault
  }

  /** Below it nothing needs to be looked at after a crash: records and side files are durable. */
  get recoveryPoint(): Offset {
    return Math.min(this.#writer.syncedOffset, this.#roller.sealedTo)
  }

  get highWatermark(): Offset {
    return this.#state.highWatermark
  }

  set highWatermark(offset: Offset) {
    this.#state.highWatermark = offset
  }

  /** Oldest first; the last is active. It changes while the log is used: copy it before an await. */
  get segments(): readonly Segment[] {
    return this.#state.segments
  }

  /** Where a segment of this log ends: the base offset of the next one, or the end of the log. */
  segmentEnd(segment: Segment): Offset {
    return this.#state.segmentEnd(segment)
  }

  /**
   * The greatest timestamp of the segment's records, or when it was last appended to when they have none (Kafka's largestTimestamp).
   * Rejects when the disk fails.
   */
  largestTimestampOf(segment: Segment): Promise<number> {
    return this.#reader.largestTimestampOf(segment)
  }

  /** The greatest timestamp of the segment's first batch, -1 when it has none. Rejects when the disk fails. */
  firstTimestampOf(segment: Segment): Promise<number> {
    return this.#reader.firstTimestampOf(segment)
  }

  get segmentCount(): number {
    return this.#state.segments.length
  }

  /** The size at which segments are rolled: segment.bytes, or less under a disk budget. */
  get segmentBytesMax(): number {
    return Math.min(this.#state.config.segmentBytes, this.#context.room.segmentBytesMax)
  }

  get config(): LogConfig {
    return this.#state.config
  }

  /** What is remembered of each producer, for DescribeProducers. Not to be changed. */
  get producers(): ProducerState {
    return this.#state.producers
  }

  listen(listener: LogListener): void {
    invariant(this.#listener === null || this.#listener === listener, `${this.name} has a listener already`)
    this.#listener = listener
  }

  configure(config: LogConfig): void {
    this.#state.config = config
    this.#writer.syncAlways = config.flushPolicy === 'fsync'
    if (config.flushPolicy === 'page-cache') this.#confirm(this.#writer.writtenOffset)
    else if (this.#writer.syncedOffset < this.#writer.writtenOffset) this.#inBackground(this.sync())
  }

  append(
    batch: Uint8Array,
    leaderEpoch: number,
    origin: 'client' | 'coordinator',
    options: AppendOptions = {},
  ): Appended {
    if (this.#state.isOffline) return refusedAppend.offline
    if (this.#state.noRoom) return refusedAppend.diskFull
    if (batch.length > this.#state.config.segmentBytes) return refusedAppend.recordListTooLarge
    const baseOffset = this.#state.end
    const producerId = producerIdOf(batch)
    let producerBatch: ProducerBatch | null = null
    if (producerId > noProducerId) {
      producerBatch = producerBatchOf(batch, 0, producerId, baseOffset)
      const version = options.transactionVersion ?? 0
      const check =
        origin === 'client'
          ? this.#state.producers.checkClient(producerBatch, version)
          : this.#state.producers.checkCoordinator(producerBatch, version)
      if (check.kind === 'refused') return refusedAppend[refusalOf[check.refusal]]
      if (check.kind === 'duplicate') {
        // As in Kafka (UnifiedLog.append) with the batch's greatest timestamp, whoever gave it.
        const { lastOffset, offsetDelta, timestamp } = check.batch
        return {
          ok: true,
          baseOffset: lastOffset - offsetDelta,
          lastOffset,
          duplicate: true,
          logAppendTimeMs: timestamp,
        }
      }
    }
    if (producerBatch !== null && !this.#isVerified(producerBatch, options.verification))
      return refusedAppend.invalidTxnState
    const { room } = this.#context
    const { budgetPolicy } = this.#state.config
    if (batch.length > room.leftBytes && budgetPolicy !== 'exempt') {
      return refusedAppend[room.refuse(batch.length, budgetPolicy)]
    }
    stampBaseOffset(batch, 0, baseOffset)
    stampLeaderEpoch(batch, 0, leaderEpoch)
    const lastOffset = baseOffset + lastOffsetDeltaOf(batch)
    const maxTimestamp = maxTimestampOf(batch)
    this.#admit(batch, baseOffset, lastOffset, leaderEpoch, maxTimestamp, producerBatch)
    this.#tail.add(batch, baseOffset, lastOffset + 1)
    const logAppendTimeMs = timestampTypeOf(batch) === 'LogAppendTime' ? maxTimestamp : -1
    return { ok: true, baseOffset, lastOffset, duplicate: false, logAppendTimeMs }
  }

  appendReplicated(batches: Uint8Array, leaderEpochMax: number): Replicated {
    if (this.#state.isOffline) return refusedReplicated.offline
    if (this.#state.noRoom) return refusedReplicated.diskFull
    const refusal = replicatedRefusal(batches, this.#state.end, leaderEpochMax)
    if (refusal !== null) return refusedReplicated[refusal]
    const { room } = this.#context
    const { budgetPolicy } = this.#state.config
    if (batches.length > room.leftBytes && budgetPolicy !== 'exempt') {
      return refusedReplicated[room.refuse(batches.length, budgetPolicy)]
    }
    // A follower is seldom read from, and one that catches up would push the newest batches of all other logs out.
    this.#tail.clear()
    for (const batch of batchesIn(batches)) {
      const baseOffset = baseOffsetOf(batch)
      const producerId = producerIdOf(batch)
      const producerBatch = producerId > noProducerId ? producerBatchOf(batch, 0, producerId, baseOffset) : null
      const lastOffset = lastOffsetOf(batch)
      this.#admit(batch, baseOffset, lastOffset, leaderEpochOf(batch), maxTimestampOf(batch), producerBatch)
    }
    return { ok: true, endOffset: this.#state.end }
  }

  async read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    if (this.#state.isOffline) return offlineRead
    if (from < this.#state.start || from > this.#state.end) return outOfRange
    const limit = Math.min(upTo, this.#writer.keptTo)
    if (from >= limit) return nothingRead
    if (limit > this.#state.copiedTo) this.#state.copiedTo = limit
    const chunks = this.#tail.read(from, maxBytes, limit, atLeastOne)
    if (chunks === null) return this.#reader.read(from, maxBytes, limit, atLeastOne)
    // The cache may use their memory again before the reader is done.
    if (chunks.length === 0) return nothingRead
    let sizeBytes = 0
    for (const chunk of chunks) sizeBytes += chunk.length
    const bytes = this.#context.readMemory.take(sizeBytes)
    let at = 0
    for (const chunk of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return { ok: true, chunks: [bytes], sizeBytes }
  }

  expectRead(from: Offset, maxBytes: number, upTo: Offset): void {
    const limit = Math.min(upTo, this.#writer.keptTo)
    if (from >= limit || this.#tail.read(from, 0, limit, false) !== null) return
    this.#reader.expect(from, maxBytes, limit)
  }

  findByTimestamp(timestamp: number, upTo: Offset): Promise<TimestampAndOffset | null> {
    return this.#reader.findByTimestamp(timestamp, upTo)
  }

  findMaxTimestamp(upTo: Offset): Promise<TimestampAndOffset | null> {
    return this.#reader.findMaxTimestamp(upTo)
  }

  /**
   * Aborted transactions that overlap [from, upTo), by their markers' offsets: what a reader of committed records must skip. Some
   * may end beyond `upTo`. Rejects when the disk fails.
   */
  abortedTransactions(from: Offset, upTo: Offset): Promise<AbortedTransaction[]> {
    return this.#reader.abortedTransactions(from, upTo)
  }

  /**
   * First offset of the oldest transaction that is open, or whose marker is not below `highWatermark`; null when there is none. The last
   * stable offset is the lesser of it and the high watermark. To be asked with high watermarks that do not fall.
   */
  firstUnstableOffsetAt(highWatermark: Offset): Offset | null {
    return this.#atStart(this.#state.producers.firstUnstableOffset(highWatermark))
  }

  /** Whether the producer has a transaction open here in this epoch (KIP-890: a partition that has needs no verification). */
  hasOpenTransaction(producerId: number, epoch: number): boolean {
    return this.#state.producers.hasOpenTransaction(producerId, epoch)
  }

  /** Before the coordinator is asked about the producer's first batch here: the token to append it with. */
  beginVerification(producerId: number, producerEpoch: number): Verification {
    return this.#verifications.begin(producerId, producerEpoch)
  }

  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#state.epochs.endOffsetFor(epoch, this.#state.end)
  }

  epochAt(offset: Offset): number {
    return offset < this.#state.end ? this.#state.epochs.epochAt(offset) : -1
  }

  startEpoch(epoch: number): void {
    this.#state.epochs.start(epoch, this.#state.end)
  }

  /** Forgets producers that were silent for producer.id.expiration.ms. */
  expireProducers(): void {
    if (this.#state.producers.expire(this.#context.clock.now(), this.#state.config.producerIdExpirationMs) > 0)
      this.#state.changed = true
  }

  /** A batch that `end` lies in goes as a whole: the log then ends where that batch began. Nothing may be appended meanwhile. */
  async truncateTo(end: Offset): Promise<void> {
    await this.#shape.truncateTo(end)
  }

  /** As `PartitionLog.restartAt`. Nothing may be appended meanwhile. */
  async restartAt(offset: Offset): Promise<void> {
    await this.#shape.restartAt(offset)
  }

  /** Seals the active segment and begins the next one, when there is any batch in it. */
  roll(): void {
    const { isOffline, cutting, noRoom, active } = this.#state
    if (isOffline || cutting || noRoom || active.sizeBytes === 0) return
    this.#roller.roll()
  }

  async advanceStartTo(start: Offset): Promise<void> {
    invariant(start <= this.#state.end, `${this.name} ends at ${this.#state.end}, it cannot start at ${start}`)
    // Another call may have moved it and not be done: who is answered here relies on it as well.
    if (start <= this.#state.start) return this.#shape.exclusively(async () => undefined)
    this.#state.start = start
    this.#state.changed = true
    this.#state.producers.startAt(start)
    await this.#shape.dropBelowStart()
  }

  /** Deletes segments that lie whole below the start: it moved in an earlier run, or into a segment that was active then. */
  async deleteBelowStart(): Promise<void> {
    await this.#shape.dropBelowStart()
  }

  /** Odd while files are cut, deleted or replaced; changes when that begins and when it ends. */
  get shape(): number {
    return this.#state.shape
  }

  /** It has failed, closes, or is about to be deleted: nothing it reads can be believed. */
  get isOffline(): boolean {
    return this.#state.isOffline
  }

  /** Takes the log offline: what it holds was found to be damaged. Nothing on disk changes. */
  fail(fault: Error): void {
    this.#fail(fault)
  }

  /** How often the log was cut. */
  get cuts(): number {
    return this.#shape.cuts
  }

  /**
   * For compaction: puts a cleaned segment, which lies in synced `.cleaned` files of the first one's name and has `sizeBytes`, in the place
   * of `replaced`. False, and nothing has changed, when those are not neighbours of this log any more, one is active, or the log was cut
   * since it had `cuts`. A fault of the disk takes the log offline, and rejects.
   */
  replaceSegments(replaced: readonly Segment[], sizeBytes: number, cuts: number): Promise<boolean> {
    return this.#shape.replaceSegments(replaced, sizeBytes, cuts)
  }

  async sync(): Promise<void> {
    await this.#writer.syncedTo(this.#state.end)
  }

  close(): Promise<void> {
    this.#state.closing ??= this.#shape.settled().then(() => this.#close())
    return this.#state.closing
  }

  /** Closes without a word to the disk: the log is about to be deleted. */
  abandon(): Promise<void> {
    this.#state.closing ??= this.#shape.settled().then(async () => {
      this.#writer.fail(new LogClosedError(`${this.name} was deleted`))
      await this.#writer.idle()
      await this.#roller.idle()
      await this.#closeFiles()
    })
    return this.#state.closing
  }

  /** A log that could not be opened: it is there, refuses everything, and says why. */
  static offline(
    context: StorageContext,
    place: { name: string; folder: string },
    config: LogConfig,
    host: LogHost,
    fault: Error,
  ): SegmentedLog {
    const loaded = emptyLog(context, place.folder, 0, config)
    const log = new SegmentedLog(context, { ...place, created: true, changed: false }, loaded, config, host)
    log.#fail(fault)
    return log
  }

  #atStart(offset: Offset | null): Offset | null {
    return offset === null ? null : Math.max(offset, this.#state.start)
  }

  /** The batch is accepted: memory and writer take it. */
  #admit(
    batch: Uint8Array,
    baseOffset: Offset,
    lastOffset: Offset,
    leaderEpoch: number,
    maxTimestamp: number,
    producerBatch: ProducerBatch | null,
  ): void {
    const state = this.#state
    invariant(!state.cutting, `${this.name} is being cut, nothing may be appended`)
    const size = batch.length
    const nextOffset = lastOffset + 1
    let segment = state.active
    const now = this.#context.clock.now()
    const { room } = this.#context
    if (segment.mustRollFor(size, lastOffset, maxTimestamp, state.config, now, room.segmentBytesMax)) {
      // Behind a gap wider than a segment's indexes can say, the next one begins beyond the log's end.
      segment = this.#roller.roll(Math.max(state.end, lastOffset - relativeOffsetMax))
    }
    room.take(segment.sizeBytes === 0 ? size + newSegmentBytes : size, state.config.budgetPolicy)
    segment.modifiedAtMs = now
    segment.indexBatch(segment.sizeBytes, size, lastOffset, maxTimestamp, state.config.indexIntervalBytes)
    segment.sizeBytes += size
    state.sizeBytes += size
    state.appendedBytes += size
    if (state.epochs.assign(leaderEpoch, baseOffset)) this.#sideFiles.epochsChanged = true
    if (producerBatch !== null) {
      const aborted = state.producers.apply(producerBatch)
      if (aborted !== null) segment.aborted!.push(aborted)
      if (producerBatch.transactional) this.#verifications.settle(producerBatch.producerId)
    }
    state.end = nextOffset
    state.changed = true
    this.#writer.enqueue(segment, batch, nextOffset)
  }

  #onWritten(end: Offset): void {
    this.#listener?.written(end)
    if (this.#state.config.flushPolicy === 'page-cache') this.#confirm(end)
  }

  #confirm(end: Offset): void {
    if (end <= this.#state.durable) return
    this.#state.durable = end
    this.#listener?.durable(end)
  }

  #fail(error: unknown): void {
    if (this.#state.fault !== null || error instanceof LogClosedError) return
    this.#state.fault = error instanceof Error ? error : new Error(`${this.name} failed`, { cause: error })
    this.#context.logger.error({ log: this.name, err: this.#state.fault }, 'the log is offline')
    this.#writer.fail(this.#state.fault)
    this.#tail.clear()
    if (this.#writer.syncedOffset < this.#writer.writtenOffset) void this.#markFailedSync()
    this.#listener?.failed(this.#state.fault)
  }

  async #markFailedSync(): Promise<void> {
    // Where nothing can be written any more the mark cannot be either.
    await markFailedSync(this.#context.disk, this.folder).catch(() => {})
  }

  /** What could not be written is let go of, at once or as soon as there is room for that; reads go on. */
  #noRoom(error: Error): void {
    const state = this.#state
    if (this.#writer.keptTo < state.durable) return this.#fail(error)
    state.noRoom = true
    this.#context.room.onNoRoom()
    this.#context.logger.warn({ log: this.name, err: error }, 'no room on the disk: what was appended last is dropped')
    void this.#cutBack()
  }

  /** Never rejects: a fault other than the full disk has taken the log offline. */
  async #cutBack(): Promise<void> {
    const state = this.#state
    while (!(await this.#dropUnwritten())) {
      if (state.isOffline) return
      await new Promise<void>((resolve) => this.#context.clock.setTimer(cutAgainMs, resolve))
    }
    state.noRoom = false
    this.#listener?.dropped(state.end)
  }

  async #dropUnwritten(): Promise<boolean> {
    try {
      await this.#shape.dropUnwritten()
      return true
    } catch {
      return false
    }
  }

  /** What the reader may see, as it is now. */
  #readable(): ReadableLog {
    return {
      folder: this.folder,
      segments: this.#state.segments,
      snapshots: this.#sideFiles.snapshots,
      logStartOffset: this.#state.start,
      logEndOffset: this.#state.end,
      writtenOffset: this.#writer.writtenOffset,
      tail: this.#tail,
      indexIntervalBytes: this.#state.config.indexIntervalBytes,
      isOffline: this.#state.isOffline,
      shape: this.#state.shape,
    }
  }

  /** A transaction may begin only after its coordinator was asked, where that is asked for at all. */
  #isVerified(batch: ProducerBatch, verification: Verification | null | undefined): boolean {
    const { producerId, producerEpoch } = batch
    if (verification === undefined || !batch.transactional || batch.control) return true
    if (this.#state.producers.hasOpenTransaction(producerId, producerEpoch)) return true
    return this.#verifications.holds(verification, producerId, producerEpoch)
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof RecordsDropped)) this.#fail(error)
    })
  }

  async #close(): Promise<void> {
    try {
      if (this.#state.fault === null) {
        await this.#writer.syncedTo(this.#state.end)
        await this.#roller.sealRest()
      }
      if (this.#state.fault === null && this.#state.changed && this.#roller.folderMade) {
        const snapshot = encodeProducerSnapshot(this.#state.producers)
        await this.#sideFiles.writeAll(this.#state.segments, this.#state.end, snapshot, this.#state.epochs)
      }
    } catch (error) {
      this.#fail(error)
    }
    await this.#writer.idle()
    await this.#closeFiles()
  }

  async #closeFiles(): Promise<void> {
    this.#tail.clear()
    for (const segment of this.#state.segments) {
      this.#context.indexCache.forget(segment)
      await segment.file.close().catch((error: unknown) => this.#fail(error))
    }
  }
}

/** Until the next try to cut a log back, when there was no room even for what that writes. */
const cutAgainMs = 1000

const refusalOf = {
  invalidProducerEpoch: 'invalidProducerEpoch',
  outOfOrderSequence: 'outOfOrderSequence',
  invalidTxnState: 'invalidTxnState',
  // A coordinator of an older epoch: fenced by the same word as a producer of an older epoch.
  transactionCoordinatorFenced: 'invalidProducerEpoch',
} as const satisfies Record<ProducerRefusal, AppendRefusal>

const refusedAppend = {
  recordListTooLarge: { ok: false, refusal: 'recordListTooLarge' },
  invalidProducerEpoch: { ok: false, refusal: 'invalidProducerEpoch' },
  outOfOrderSequence: { ok: false, refusal: 'outOfOrderSequence' },
  invalidTxnState: { ok: false, refusal: 'invalidTxnState' },
  diskFull: { ok: false, refusal: 'diskFull' },
  budgetExceeded: { ok: false, refusal: 'budgetExceeded' },
  offline: { ok: false, refusal: 'offline' },
} as const satisfies Record<AppendRefusal, Appended>

const refusedReplicated = {
  corrupt: { ok: false, refusal: 'corrupt' },
  outOfOrder: { ok: false, refusal: 'outOfOrder' },
  newerEpoch: { ok: false, refusal: 'newerEpoch' },
  diskFull: { ok: false, refusal: 'diskFull' },
  budgetExceeded: { ok: false, refusal: 'budgetExceeded' },
  offline: { ok: false, refusal: 'offline' },
} as const satisfies Record<ReplicatedRefusal, Replicated>
