// One partition's log on one disk, in Kafka's files. Appending is synchronous and in memory: state, indexes, the newest batches and the
// queue of the writer (log-writer.ts), which reports what is written and what is durable. Reading goes to memory or to the file.
//
// Invariants: segments are contiguous by base offset and the last is active; logStartOffset <= durableOffset <= writtenOffset <= logEndOffset
// (durable may lag behind a start that moved); after a fault nothing changes any more.

import { invariant } from '../lib/invariant.ts'
import {
  lastOffsetDeltaOf,
  maxTimestampOf,
  noProducerId,
  producerIdOf,
  stampBaseOffset,
  stampLeaderEpoch,
  timestampTypeOf,
} from '../records/batch.ts'
import { type EpochEnd, LeaderEpochCache } from './leader-epoch-cache.ts'
import { cutLog } from './log-cut.ts'
import { LogClosedError } from './log-errors.ts'
import { LogReader, nothingRead, offlineRead, outOfRange, type ReadableLog } from './log-reader.ts'
import { LogWriter } from './log-writer.ts'
import type {
  Appended,
  AppendRefusal,
  LogConfig,
  LogListener,
  LogRead,
  Offset,
  PartitionLog,
  TimestampAndOffset,
} from './partition-log.ts'
import { producerBatchOf } from './producer-batch.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import { type ProducerBatch, type ProducerRefusal, ProducerState } from './producer-state.ts'
import { emptyLog, type LoadedLog } from './loaded-log.ts'
import { newSegment, removeSegment } from './segment-files.ts'
import type { Segment } from './segment.ts'
import { SideFiles } from './side-files.ts'
import type { StorageContext } from './storage-context.ts'
import type { LogTail } from './tail-cache.ts'
import type { AbortedTransaction } from './txn-index.ts'
import { type Verification, Verifications } from './verifications.ts'

/** What a log asks of the data folder it lies in. */
export interface LogHost {
  /** The log is about to be written for the first time: makes its folder, durably. */
  create(): Promise<void>
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
  readonly name: string
  readonly folder: string
  readonly #context: StorageContext
  readonly #host: LogHost
  readonly #writer: LogWriter
  readonly #tail: LogTail
  #config: LogConfig
  #listener: LogListener | null = null
  #segments: Segment[]
  #producers: ProducerState
  #epochs: LeaderEpochCache
  readonly #sideFiles: SideFiles
  readonly #reader: LogReader
  readonly #verifications = new Verifications()
  #start: Offset
  #end: Offset
  #durable: Offset
  #sizeBytes = 0
  #fault: Error | null = null
  #closing: Promise<void> | null = null
  /** The folder is there. */
  #created: boolean
  /** Side files say less than memory does. */
  #changed: boolean
  /** Segments below are sealed: all their files are durable. */
  #sealedTo: Offset
  #sealing: Promise<void> = Promise.resolve()
  /** Cutting, deleting and closing wait for each other. */
  #exclusive: Promise<unknown> = Promise.resolve()
  #reshaping = false
  #shape = 0

  constructor(
    context: StorageContext,
    place: { name: string; folder: string; created: boolean; changed: boolean },
    loaded: LoadedLog,
    config: LogConfig,
    host: LogHost,
  ) {
    this.name = place.name
    this.folder = place.folder
    this.#created = place.created
    this.#changed = place.changed
    this.#context = context
    this.#host = host
    this.#config = config
    this.#tail = context.tailCache.tail()
    this.#segments = loaded.segments
    this.#producers = loaded.producers
    this.#epochs = loaded.epochs
    this.#sideFiles = new SideFiles(context, place.folder, loaded)
    this.#reader = new LogReader(context, {
      view: () => this.#readable(),
      settled: () => this.#exclusive,
      fail: (error) => this.#fail(error),
    })
    this.#start = loaded.logStartOffset
    this.#end = loaded.logEndOffset
    this.#durable = loaded.logEndOffset
    this.#sealedTo = this.#active.baseOffset
    this.#sizeBytes = this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    this.#writer = new LogWriter(
      {
        prepare: () => this.#create(),
        syncFolder: () => context.disk.syncFolder(this.folder),
        written: (end) => this.#onWritten(end),
        synced: (end) => this.#onSynced(end),
        failed: (error) => this.#fail(error),
      },
      this.#end,
      config.flushPolicy === 'fsync',
    )
  }

  get logStartOffset(): Offset {
    return this.#start
  }

  get logEndOffset(): Offset {
    return this.#end
  }

  get writtenOffset(): Offset {
    return this.#writer.writtenOffset
  }

  get durableOffset(): Offset {
    return this.#durable
  }

  get firstUnstableOffset(): Offset | null {
    return this.#atStart(this.#producers.firstOpenOffset)
  }

  get latestEpoch(): number {
    return this.#epochs.latestEpoch
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Appended and not yet written: what the broker bounds by pausing those who send. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes
  }

  get fault(): Error | null {
    return this.#fault
  }

  /** Below it nothing needs to be looked at after a crash: records and side files are durable. */
  get recoveryPoint(): Offset {
    return Math.min(this.#writer.syncedOffset, this.#sealedTo === this.#active.baseOffset ? Infinity : this.#sealedTo)
  }

  get segmentCount(): number {
    return this.#segments.length
  }

  get config(): LogConfig {
    return this.#config
  }

  /** What is remembered of each producer, for DescribeProducers. Not to be changed. */
  get producers(): ProducerState {
    return this.#producers
  }

  listen(listener: LogListener): void {
    invariant(this.#listener === null || this.#listener === listener, `${this.name} has a listener already`)
    this.#listener = listener
  }

  configure(config: LogConfig): void {
    this.#config = config
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
    if (this.#isOffline) return refusedAppend.offline
    if (batch.length > this.#config.segmentBytes) return refusedAppend.recordListTooLarge
    const baseOffset = this.#end
    const producerId = producerIdOf(batch)
    let producerBatch: ProducerBatch | null = null
    if (producerId > noProducerId) {
      producerBatch = producerBatchOf(batch, 0, producerId, baseOffset)
      const version = options.transactionVersion ?? 0
      const check =
        origin === 'client'
          ? this.#producers.checkClient(producerBatch, version)
          : this.#producers.checkCoordinator(producerBatch, version)
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
    stampBaseOffset(batch, 0, baseOffset)
    stampLeaderEpoch(batch, 0, leaderEpoch)
    const lastOffset = baseOffset + lastOffsetDeltaOf(batch)
    const maxTimestamp = maxTimestampOf(batch)
    this.#admit(batch, baseOffset, lastOffset, leaderEpoch, maxTimestamp, producerBatch)
    const logAppendTimeMs = timestampTypeOf(batch) === 'LogAppendTime' ? maxTimestamp : -1
    return { ok: true, baseOffset, lastOffset, duplicate: false, logAppendTimeMs }
  }

  async read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    if (this.#isOffline) return offlineRead
    if (from < this.#start || from > this.#end) return outOfRange
    const limit = Math.min(upTo, this.#writer.writtenOffset)
    if (from >= limit) return nothingRead
    const chunks = this.#tail.read(from, maxBytes, limit, atLeastOne)
    if (chunks === null) return this.#reader.read(from, maxBytes, limit, atLeastOne)
    let sizeBytes = 0
    for (const chunk of chunks) sizeBytes += chunk.length
    return { ok: true, chunks, sizeBytes }
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
    return this.#atStart(this.#producers.firstUnstableOffset(highWatermark))
  }

  /** Whether the producer has a transaction open here in this epoch (KIP-890: a partition that has needs no verification). */
  hasOpenTransaction(producerId: number, epoch: number): boolean {
    return this.#producers.hasOpenTransaction(producerId, epoch)
  }

  /** Before the coordinator is asked about the producer's first batch here: the token to append it with. */
  beginVerification(producerId: number, producerEpoch: number): Verification {
    return this.#verifications.begin(producerId, producerEpoch)
  }

  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#epochs.endOffsetFor(epoch, this.#end)
  }

  epochAt(offset: Offset): number {
    return offset < this.#end ? this.#epochs.epochAt(offset) : -1
  }

  startEpoch(epoch: number): void {
    this.#epochs.start(epoch, this.#end)
  }

  /** Forgets producers that were silent for producer.id.expiration.ms. */
  expireProducers(): void {
    if (this.#producers.expire(this.#context.clock.now(), this.#config.producerIdExpirationMs) > 0) this.#changed = true
  }

  /** A batch that `end` lies in goes as a whole: the log then ends where that batch began. Nothing may be appended meanwhile. */
  async truncateTo(end: Offset): Promise<void> {
    await this.#exclusively(async () => {
      if (end >= this.#end) return
      await this.#reshape(() => (end < this.#segments[0]!.baseOffset ? this.#restart(end) : this.#truncate(end)))
    })
  }

  async advanceStartTo(start: Offset): Promise<void> {
    invariant(start <= this.#end, `${this.name} ends at ${this.#end}, it cannot start at ${start}`)
    if (start <= this.#start) return
    this.#start = start
    this.#changed = true
    this.#producers.startAt(start)
    await this.#exclusively(() => this.#dropBelowStart())
  }

  async sync(): Promise<void> {
    await this.#writer.syncedTo(this.#end)
  }

  close(): Promise<void> {
    this.#closing ??= this.#exclusive.then(() => this.#close())
    return this.#closing
  }

  /** Closes without a word to the disk: the log is about to be deleted. */
  abandon(): Promise<void> {
    this.#closing ??= this.#exclusive.then(async () => {
      this.#writer.fail(new LogClosedError(`${this.name} was deleted`))
      await this.#writer.idle()
      await this.#sealing
      await this.#closeFiles()
    })
    return this.#closing
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

  get #active(): Segment {
    return this.#segments[this.#segments.length - 1]!
  }

  get #isOffline(): boolean {
    return this.#fault !== null || this.#closing !== null
  }

  #atStart(offset: Offset | null): Offset | null {
    return offset === null ? null : Math.max(offset, this.#start)
  }

  /** The batch is accepted: memory, tail and writer take it. */
  #admit(
    batch: Uint8Array,
    baseOffset: Offset,
    lastOffset: Offset,
    leaderEpoch: number,
    maxTimestamp: number,
    producerBatch: ProducerBatch | null,
  ): void {
    invariant(!this.#reshaping, `${this.name} is being cut, nothing may be appended`)
    const size = batch.length
    const nextOffset = lastOffset + 1
    let segment = this.#active
    if (segment.mustRollFor(size, lastOffset, maxTimestamp, this.#config, this.#context.clock.now())) {
      segment = this.#roll(baseOffset)
    }
    segment.indexBatch(segment.sizeBytes, size, lastOffset, maxTimestamp, this.#config.indexIntervalBytes)
    segment.sizeBytes += size
    this.#sizeBytes += size
    if (this.#epochs.assign(leaderEpoch, baseOffset)) this.#sideFiles.epochsChanged = true
    if (producerBatch !== null) {
      const aborted = this.#producers.apply(producerBatch)
      if (aborted !== null) segment.aborted!.push(aborted)
      if (producerBatch.transactional) this.#verifications.settle(producerBatch.producerId)
    }
    this.#end = nextOffset
    this.#changed = true
    this.#tail.add(batch, baseOffset, nextOffset)
    this.#writer.enqueue(segment, batch, nextOffset)
  }

  /** Seals the active segment in the background and begins the next one. */
  #roll(baseOffset: Offset): Segment {
    const sealed = this.#active
    const next = newSegment(this.#context, this.folder, baseOffset, this.#config)
    next.startIndexes()
    sealed.finishTimeIndex()
    this.#segments.push(next)
    const snapshot = encodeProducerSnapshot(this.#producers)
    this.#sealing = this.#sealing.then(() => this.#seal(sealed, baseOffset, snapshot))
    return next
  }

  async #seal(segment: Segment, end: Offset, snapshot: Uint8Array): Promise<void> {
    try {
      if (this.#fault !== null) return
      await this.#writer.syncedTo(Math.min(end, this.#end))
      await this.#sideFiles.seal(segment, end, snapshot, this.#segments, this.#epochs)
      this.#sealedTo = end
    } catch (error) {
      this.#fail(error)
    }
  }

  async #create(): Promise<void> {
    if (this.#created) return
    await this.#host.create()
    this.#created = true
  }

  #onWritten(end: Offset): void {
    this.#listener?.written(end)
    if (this.#config.flushPolicy === 'page-cache') this.#confirm(end)
  }

  #onSynced(end: Offset): void {
    this.#confirm(end)
  }

  #confirm(end: Offset): void {
    if (end <= this.#durable) return
    this.#durable = end
    this.#listener?.durable(end)
  }

  #fail(error: unknown): void {
    if (this.#fault !== null || error instanceof LogClosedError) return
    this.#fault = error instanceof Error ? error : new Error(`${this.name} failed`, { cause: error })
    this.#context.logger.error({ log: this.name, err: this.#fault }, 'the log is offline')
    this.#writer.fail(this.#fault)
    this.#tail.clear()
    this.#listener?.failed(this.#fault)
  }

  /** What the reader may see, as it is now. */
  #readable(): ReadableLog {
    return {
      folder: this.folder,
      segments: this.#segments,
      snapshots: this.#sideFiles.snapshots,
      logStartOffset: this.#start,
      logEndOffset: this.#end,
      writtenOffset: this.#writer.writtenOffset,
      indexIntervalBytes: this.#config.indexIntervalBytes,
      isOffline: this.#isOffline,
      shape: this.#shape,
    }
  }

  /** A transaction may begin only after its coordinator was asked, where that is asked for at all. */
  #isVerified(batch: ProducerBatch, verification: Verification | null | undefined): boolean {
    const { producerId, producerEpoch } = batch
    if (verification === undefined || !batch.transactional || batch.control) return true
    if (this.#producers.hasOpenTransaction(producerId, producerEpoch)) return true
    return this.#verifications.holds(verification, producerId, producerEpoch)
  }

  /** Runs `work` after all that came before it; a fault of the disk takes the log offline, and rejects. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#exclusive.then(async () => {
      if (this.#fault !== null) throw this.#fault
      if (this.#closing !== null) throw new LogClosedError(`${this.name} is closed`)
      try {
        await work()
      } catch (error) {
        this.#fail(error)
        throw error
      }
      // A fault meanwhile elsewhere: the checkpoints leave a failed log out, so this may not have happened.
      this.#throwFault()
    })
    this.#exclusive = done.catch(() => undefined)
    return done
  }

  /** Nothing is appended while `cut` runs. */
  async #reshape(cut: () => Promise<void>): Promise<void> {
    this.#reshaping = true
    this.#shape++
    try {
      await cut()
    } finally {
      this.#reshaping = false
      this.#shape++
    }
  }

  async #truncate(end: Offset): Promise<void> {
    await this.#settleFor(end)
    const { logEndOffset, producers } = await cutLog(
      this.#context,
      {
        folder: this.folder,
        config: this.#config,
        segments: this.#segments,
        epochs: this.#epochs,
        sideFiles: this.#sideFiles,
        abortedIn: (segment) => this.#reader.abortedIn(segment),
      },
      end,
    )
    this.#producers = producers
    this.#endsAt(logEndOffset)
  }

  async #restart(offset: Offset): Promise<void> {
    await this.#settleFor(offset)
    await this.#create()
    for (const segment of this.#segments.toReversed()) await removeSegment(this.#context, segment)
    await this.#sideFiles.dropSnapshots(() => true)
    const segment = newSegment(this.#context, this.folder, offset, this.#config)
    segment.startIndexes()
    await this.#createFile(segment)
    this.#segments = [segment]
    this.#producers = new ProducerState()
    this.#epochs = new LeaderEpochCache()
    this.#sideFiles.epochsChanged = true
    await this.#sideFiles.writeEpochs(this.#epochs)
    this.#start = offset
    this.#endsAt(offset)
  }

  #throwFault(): void {
    if (this.#fault !== null) throw this.#fault
  }

  /** Waits until nothing is under way, and lets go of what was confirmed from `end` on. */
  async #settleFor(end: Offset): Promise<void> {
    await this.#writer.syncedTo(this.#end)
    await this.#sealing
    this.#throwFault()
    this.#durable = Math.min(this.#durable, end)
    this.#start = Math.min(this.#start, end)
    this.#writer.resetTo(Math.min(this.#end, end))
    await this.#host.truncating(end)
  }

  #endsAt(end: Offset): void {
    this.#tail.clear()
    this.#end = end
    this.#durable = end
    this.#writer.resetTo(end)
    this.#sealedTo = this.#active.baseOffset
    this.#sizeBytes = this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    this.#changed = true
  }

  async #dropBelowStart(): Promise<void> {
    const start = this.#start
    if (start === this.#end && this.#active.sizeBytes > 0) this.#roll(start)
    const kept = this.#segments.findLastIndex((segment) => segment.baseOffset <= start)
    const startsInside = this.#segments[Math.max(kept, 0)]!.baseOffset < start
    // Nothing is deleted, and no start is on record, before the log is known to reach there.
    await this.#writer.syncedTo(start)
    if (kept > 0) await this.#dropSegments(kept)
    if (startsInside) await this.#host.startAdvanced()
    // Only now: after a crash before this point the old start may be back, and needs its epochs.
    if (this.#epochs.truncateFromStart(start)) this.#sideFiles.epochsChanged = true
  }

  /** Removes the first `count` segments, oldest first. */
  async #dropSegments(count: number): Promise<void> {
    // The new first segment must be found after a crash before the old ones can go; it may have no byte yet.
    const first = this.#segments[count]!
    await this.#sealing
    if (!first.entryDurable) await this.#createFile(first)
    this.#shape++
    const gone = this.#segments.splice(0, count)
    for (const segment of gone) {
      this.#sizeBytes -= segment.sizeBytes
      segment.removed = true
    }
    this.#shape++
    for (const segment of gone) await removeSegment(this.#context, segment)
    await this.#context.disk.syncFolder(this.folder)
    // One snapshot stays in any case.
    const keepFrom = Math.min(first.baseOffset, Math.max(...this.#sideFiles.snapshots))
    await this.#sideFiles.dropSnapshots((offset) => offset < keepFrom)
  }

  /** Makes the file, empty, durable. */
  async #createFile(segment: Segment): Promise<void> {
    await this.#create()
    await segment.file.write([], 0)
    await this.#context.disk.syncFolder(this.folder)
    segment.entryDurable = true
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error) => this.#fail(error))
  }

  async #close(): Promise<void> {
    try {
      if (this.#fault === null) {
        await this.#writer.syncedTo(this.#end)
        await this.#sealing
      }
      if (this.#fault === null && this.#changed && this.#created) {
        const snapshot = encodeProducerSnapshot(this.#producers)
        await this.#sideFiles.writeAll(this.#segments, this.#end, snapshot, this.#epochs)
      }
    } catch (error) {
      this.#fail(error)
    }
    await this.#writer.idle()
    await this.#closeFiles()
  }

  async #closeFiles(): Promise<void> {
    this.#tail.clear()
    for (const segment of this.#segments) {
      this.#context.indexCache.forget(segment)
      await segment.file.close().catch((error: unknown) => this.#fail(error))
    }
  }
}

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
