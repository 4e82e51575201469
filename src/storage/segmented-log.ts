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
import { writeFile, writeIndexes, writeShortIndexes } from './index-cache.ts'
import { LeaderEpochCache, type EpochEnd } from './leader-epoch-cache.ts'
import { LogClosedError } from './log-errors.ts'
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
import { abortedIn, producersAt } from './producer-recovery.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import { type ProducerBatch, type ProducerRefusal, ProducerState } from './producer-state.ts'
import {
  dropSnapshots,
  isShortLog,
  type LoadedLog,
  loadActiveSegment,
  newSegment,
  removeSegment,
  removeSideFiles,
} from './recovery.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import { fileNameOf, leaderEpochFileName, snapshotSuffix } from './segment-names.ts'
import { readSegment } from './segment-read.ts'
import { scanBatches } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'
import type { LogTail } from './tail-cache.ts'
import { findByTimestamp, findMaxTimestamp, type TimeLookup } from './time-lookup.ts'
import type { AbortedTransaction } from './txn-index.ts'

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
}

export type ReplicatedAppend =
  | { readonly ok: true; readonly lastOffset: Offset }
  | { readonly ok: false; readonly refusal: 'offline' | 'unexpectedOffset' }

export interface SegmentDescription {
  readonly baseOffset: Offset
  /** Where the next segment begins, or the log's end. */
  readonly nextOffset: Offset
  readonly sizeBytes: number
  /** Of its records; -1 when none has a timestamp. */
  readonly maxTimestamp: number
  readonly createdAtMs: number
}

const nothingRead: LogRead = { ok: true, chunks: [], sizeBytes: 0 }
const outOfRange: LogRead = { ok: false, refusal: 'offsetOutOfRange' }
const offlineRead: LogRead = { ok: false, refusal: 'offline' }

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
  readonly #snapshots: Set<Offset>
  #start: Offset
  #end: Offset
  #durable: Offset
  #sizeBytes = 0
  #fault: Error | null = null
  #closing: Promise<void> | null = null
  /** The folder is there. */
  #created: boolean
  /** Side files (indexes, snapshot, epochs) say less than memory does. */
  #changed: boolean
  #epochsChanged: boolean
  /** Segments below are sealed: all their files are durable. */
  #sealedTo: Offset
  #sealing: Promise<void> = Promise.resolve()
  /** Cutting, deleting and closing wait for each other. */
  #exclusive: Promise<unknown> = Promise.resolve()
  #reshaping = false

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
    this.#epochsChanged = !loaded.epochsOnDisk
    this.#context = context
    this.#host = host
    this.#config = config
    this.#tail = context.tailCache.tail()
    this.#segments = loaded.segments
    this.#producers = loaded.producers
    this.#epochs = loaded.epochs
    this.#snapshots = loaded.snapshots
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

  /** How many producers are remembered. */
  get producerCount(): number {
    return this.#producers.size
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
        const { lastOffset, offsetDelta, timestamp } = check.batch
        const logAppendTimeMs = timestampTypeOf(batch) === 'LogAppendTime' ? timestamp : -1
        return { ok: true, baseOffset: lastOffset - offsetDelta, lastOffset, duplicate: true, logAppendTimeMs }
      }
    }
    stampBaseOffset(batch, 0, baseOffset)
    stampLeaderEpoch(batch, 0, leaderEpoch)
    const lastOffset = baseOffset + lastOffsetDeltaOf(batch)
    const maxTimestamp = maxTimestampOf(batch)
    this.#admit(batch, baseOffset, lastOffset, leaderEpoch, maxTimestamp, producerBatch)
    const logAppendTimeMs = timestampTypeOf(batch) === 'LogAppendTime' ? maxTimestamp : -1
    return { ok: true, baseOffset, lastOffset, duplicate: false, logAppendTimeMs }
  }

  /**
   * Appends a batch as the leader has it, offsets and epoch included; offsets may leave a gap (compaction), never go back. The log keeps
   * `batch` until it is written. The producer's state follows; the leader has checked it.
   */
  appendReplicated(batch: Uint8Array): ReplicatedAppend {
    if (this.#isOffline) return { ok: false, refusal: 'offline' }
    const baseOffset = baseOffsetOf(batch)
    if (baseOffset < this.#end) return { ok: false, refusal: 'unexpectedOffset' }
    const producerId = producerIdOf(batch)
    const producerBatch = producerId > noProducerId ? producerBatchOf(batch, 0, producerId, baseOffset) : null
    const lastOffset = lastOffsetOf(batch)
    this.#admit(batch, baseOffset, lastOffset, leaderEpochOf(batch), maxTimestampOf(batch), producerBatch)
    return { ok: true, lastOffset }
  }

  async read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    if (this.#isOffline) return offlineRead
    if (from < this.#start || from > this.#end) return outOfRange
    const limit = Math.min(upTo, this.#writer.writtenOffset)
    if (from >= limit) return nothingRead
    const chunks = this.#tail.read(from, maxBytes, limit, atLeastOne)
    if (chunks === null) return this.#readFromDisk(from, maxBytes, limit, atLeastOne)
    let sizeBytes = 0
    for (const chunk of chunks) sizeBytes += chunk.length
    return { ok: true, chunks, sizeBytes }
  }

  async findByTimestamp(timestamp: number, upTo: Offset): Promise<TimestampAndOffset | null> {
    return this.#lookUp(upTo, (view) => findByTimestamp(view, timestamp))
  }

  async findMaxTimestamp(upTo: Offset): Promise<TimestampAndOffset | null> {
    return this.#lookUp(upTo, findMaxTimestamp)
  }

  /**
   * Aborted transactions that overlap [from, upTo), by their markers' offsets: what a reader of committed records must skip. Some
   * may end beyond `upTo`. Rejects when the disk fails.
   */
  async abortedTransactions(from: Offset, upTo: Offset): Promise<AbortedTransaction[]> {
    const found: AbortedTransaction[] = []
    const segments = this.#segments
    for (let i = this.#indexOfSegment(from); i < segments.length; i++) {
      const segment = segments[i]!
      segment.aborted ??= await this.#abortedIn(segment)
      for (const transaction of segment.aborted) {
        if (transaction.lastOffset >= from && transaction.firstOffset < upTo) found.push(transaction)
        if (transaction.lastStableOffset >= upTo) return found
      }
    }
    return found
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

  /** What retention and compaction decide by, oldest first. Rejects when the disk fails. */
  async describeSegments(): Promise<SegmentDescription[]> {
    const descriptions: SegmentDescription[] = []
    const segments = [...this.#segments]
    for (const [i, segment] of segments.entries()) {
      if (segment.maxTimestamp === null && !segment.removed) await this.#indexesOf(segment, segments)
      if (segment.removed) continue
      descriptions.push({
        baseOffset: segment.baseOffset,
        nextOffset: segments[i + 1]?.baseOffset ?? this.#end,
        sizeBytes: segment.sizeBytes,
        maxTimestamp: segment.maxTimestamp ?? -1,
        createdAtMs: segment.createdAtMs,
      })
    }
    return descriptions
  }

  /** A batch that `end` lies in goes as a whole: the log then ends where that batch began. Nothing may be appended meanwhile. */
  async truncateTo(end: Offset): Promise<void> {
    await this.#exclusively(async () => {
      if (end >= this.#end) return
      if (end < this.#segments[0]!.baseOffset) await this.#restart(end)
      else await this.#truncate(end)
    })
  }

  /** Drops everything; the log goes on, empty, at `offset`: what a follower does that its leader no longer reaches. */
  async restartAt(offset: Offset): Promise<void> {
    await this.#exclusively(() => this.#restart(offset))
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
    const segment = newSegment(context, place.folder, 0, config)
    segment.startIndexes()
    const loaded = {
      segments: [segment],
      logStartOffset: 0,
      logEndOffset: 0,
      epochs: new LeaderEpochCache(),
      producers: new ProducerState(),
      snapshots: new Set<Offset>(),
      epochsOnDisk: true,
    }
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
    if (this.#epochs.assign(leaderEpoch, baseOffset)) this.#epochsChanged = true
    if (producerBatch !== null) {
      const aborted = this.#producers.apply(producerBatch)
      if (aborted !== null) segment.aborted!.push(aborted)
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
      if (!segment.removed) await writeIndexes(this.#context.disk, segment)
      await this.#writeSnapshot(end, snapshot)
      await this.#writeEpochs()
      this.#sealedTo = end
      this.#context.indexCache.adopt(segment)
    } catch (error) {
      this.#fail(error)
    }
  }

  async #writeSnapshot(offset: Offset, bytes: Uint8Array): Promise<void> {
    await this.#context.disk.replaceFile(this.#snapshotPath(offset), bytes)
    this.#snapshots.add(offset)
    const bases = new Set(this.#segments.map((segment) => segment.baseOffset))
    await dropSnapshots(this.#context, this.folder, this.#snapshots, (known) => known < offset && !bases.has(known))
  }

  async #writeEpochs(): Promise<void> {
    if (!this.#epochsChanged) return
    this.#epochsChanged = false
    await this.#context.disk.replaceFile(`${this.folder}/${leaderEpochFileName}`, this.#epochs.encode())
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
    if (this.#fault !== null) return
    this.#fault = error instanceof Error ? error : new Error(`${this.name} failed`, { cause: error })
    this.#context.logger.error({ log: this.name, error: this.#fault }, 'the log is offline')
    this.#writer.fail(this.#fault)
    this.#tail.clear()
    this.#listener?.failed(this.#fault)
  }

  async #readFromDisk(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    const { indexIntervalBytes } = this.#config
    for (;;) {
      if (this.#isOffline) return offlineRead
      if (from < this.#start) return outOfRange
      const segments = this.#segments
      let segment: Segment | null = null
      try {
        for (let i = this.#indexOfSegment(from); i < segments.length; i++) {
          segment = segments[i]!
          if (segment.baseOffset >= upTo) break
          if (segment.writtenBytes === 0) continue
          const indexes = await this.#indexesOf(segment, segments)
          const bytes = await readSegment(segment, indexes, { from, maxBytes, upTo, atLeastOne, indexIntervalBytes })
          if (bytes !== null)
            return bytes.length === 0 ? nothingRead : { ok: true, chunks: [bytes], sizeBytes: bytes.length }
        }
        return nothingRead
      } catch (error) {
        if (this.#isOffline) return offlineRead
        // Its files went while they were read: look again at what is left.
        if (this.#reshaping || segment?.removed === true) {
          if (this.#reshaping) await this.#exclusive
          continue
        }
        this.#fail(error)
      }
    }
  }

  async #lookUp(
    upTo: Offset,
    find: (view: TimeLookup) => Promise<TimestampAndOffset | null>,
  ): Promise<TimestampAndOffset | null> {
    for (;;) {
      if (this.#fault !== null) throw this.#fault
      const segments = [...this.#segments]
      const startOffset = this.#start
      try {
        return await find({
          segments,
          startOffset,
          endOffset: Math.min(upTo, this.#writer.writtenOffset),
          indexesOf: (segment) => this.#indexesOf(segment, segments),
        })
      } catch (error) {
        if (!segments.some((segment) => segment.removed)) throw error
      }
    }
  }

  #indexesOf(segment: Segment, segments: readonly Segment[]): Promise<SegmentIndexes> {
    if (segment.indexes !== null && segment === segments[segments.length - 1]) return Promise.resolve(segment.indexes)
    const end = segments[segments.indexOf(segment) + 1]?.baseOffset ?? Infinity
    return this.#context.indexCache.indexesOf(segment, end, this.#config.indexIntervalBytes)
  }

  /** The last segment that begins at or before `offset`, or the first. */
  #indexOfSegment(offset: Offset): number {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#segments[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  async #abortedIn(segment: Segment): Promise<AbortedTransaction[]> {
    return abortedIn(this.#context, {
      folder: this.folder,
      segments: this.#segments,
      snapshots: this.#snapshots,
      segment,
      endOffset: this.#segments[this.#segments.indexOf(segment) + 1]?.baseOffset ?? this.#end,
      indexIntervalBytes: this.#config.indexIntervalBytes,
    })
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

  async #truncate(end: Offset): Promise<void> {
    this.#reshaping = true
    try {
      await this.#settleFor(end)
      const { disk } = this.#context
      const keep = this.#indexOfSegment(end)
      const gone = this.#segments.splice(keep + 1)
      for (const segment of gone.toReversed()) await removeSegment(this.#context, segment)
      const segment = this.#active
      const indexes = await this.#context.indexCache.indexesOf(segment, Infinity, this.#config.indexIntervalBytes)
      this.#context.indexCache.forget(segment)
      segment.indexes = indexes
      segment.aborted ??= await this.#abortedIn(segment)
      const cut = await this.#cutPosition(segment, indexes, end)
      await removeSideFiles(this.#context, segment)
      await disk.syncFolder(this.folder)
      if (cut.position < segment.sizeBytes) {
        await segment.file.truncate(cut.position)
        await segment.file.sync()
      }
      segment.sizeBytes = cut.position
      segment.writtenBytes = cut.position
      indexes.offsets.truncateTo(cut.nextOffset)
      indexes.times.truncateTo(cut.nextOffset)
      const aborted = segment.aborted.filter((transaction) => transaction.lastOffset < cut.nextOffset)
      this.#epochs.truncateFromEnd(cut.nextOffset)
      await loadActiveSegment(this.#context, segment, this.#config, this.#epochs)
      this.#epochsChanged = true
      await this.#writeEpochs()
      segment.aborted = aborted
      await dropSnapshots(this.#context, this.folder, this.#snapshots, (offset) => offset > cut.nextOffset)
      this.#producers = await producersAt(this.#context, {
        folder: this.folder,
        segments: this.#segments,
        snapshots: this.#snapshots,
        upTo: cut.nextOffset,
        indexIntervalBytes: this.#config.indexIntervalBytes,
      })
      this.#endsAt(cut.nextOffset)
    } finally {
      this.#reshaping = false
    }
  }

  /** Where the first batch that reaches to `end` or beyond begins, and where the log then ends. */
  async #cutPosition(
    segment: Segment,
    indexes: SegmentIndexes,
    end: Offset,
  ): Promise<{ position: number; nextOffset: Offset }> {
    const from = indexes.offsets.lookup(end)
    const scan = { from, to: segment.sizeBytes, expectedOffset: segment.baseOffset, verifyChecksums: false }
    let nextOffset = end
    const { position } = await scanBatches(segment.file, scan, (bytes, at) => {
      if (lastOffsetOf(bytes, at) < end) return true
      nextOffset = Math.min(end, baseOffsetOf(bytes, at))
      return false
    })
    return { position, nextOffset }
  }

  async #restart(offset: Offset): Promise<void> {
    this.#reshaping = true
    try {
      await this.#settleFor(offset)
      await this.#create()
      for (const segment of this.#segments.toReversed()) await removeSegment(this.#context, segment)
      await dropSnapshots(this.#context, this.folder, this.#snapshots, () => true)
      const segment = newSegment(this.#context, this.folder, offset, this.#config)
      segment.startIndexes()
      await this.#createFile(segment)
      this.#segments = [segment]
      this.#producers = new ProducerState()
      this.#epochs = new LeaderEpochCache()
      this.#epochsChanged = true
      await this.#writeEpochs()
      this.#start = offset
      this.#endsAt(offset)
    } finally {
      this.#reshaping = false
    }
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
    if (kept > 0) {
      // The new first segment must be found after a crash before the old ones can go; it may have no byte yet.
      const next = this.#segments[kept]!
      await this.#sealing
      if (!next.entryDurable) await this.#createFile(next)
      const gone = this.#segments.splice(0, kept)
      for (const segment of gone) {
        this.#sizeBytes -= segment.sizeBytes
        segment.removed = true
      }
      for (const segment of gone) await removeSegment(this.#context, segment)
      await this.#context.disk.syncFolder(this.folder)
      const newest = Math.max(...this.#snapshots)
      const keepFrom = Math.min(next.baseOffset, newest)
      await dropSnapshots(this.#context, this.folder, this.#snapshots, (offset) => offset < keepFrom)
    }
    if (startsInside) await this.#host.startAdvanced()
    // Only now: after a crash before this point the old start may be back, and needs its epochs.
    if (this.#epochs.truncateFromStart(start)) this.#epochsChanged = true
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
      if (this.#fault === null && this.#changed && this.#created) await this.#writeSideFiles()
    } catch (error) {
      this.#fail(error)
    }
    await this.#closeFiles()
  }

  /** What makes the next start quick. A short log is read whole then, so that its files only serve tools and may be lost. */
  async #writeSideFiles(): Promise<void> {
    const { disk } = this.#context
    const snapshot = encodeProducerSnapshot(this.#producers)
    this.#active.finishTimeIndex()
    if (isShortLog(this.#segments)) {
      if (this.#active.entryDurable) await writeShortIndexes(disk, this.#active)
      await writeFile(disk, this.#snapshotPath(this.#end), snapshot)
      this.#snapshots.add(this.#end)
      await writeFile(disk, `${this.folder}/${leaderEpochFileName}`, this.#epochs.encode())
    } else {
      if (this.#active.entryDurable) await writeIndexes(disk, this.#active)
      if (!this.#snapshots.has(this.#end)) await this.#writeSnapshot(this.#end, snapshot)
      await this.#writeEpochs()
    }
    this.#changed = false
  }

  #snapshotPath(offset: Offset): string {
    return `${this.folder}/${fileNameOf(offset, snapshotSuffix)}`
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
  offline: { ok: false, refusal: 'offline' },
} as const satisfies Record<AppendRefusal, Appended>
