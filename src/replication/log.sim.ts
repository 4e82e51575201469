// A partition's log in memory whose progress is a test's to make: `write` and `flush` say how far disk and page cache have come.

import {
  baseOffsetOf,
  lastOffsetDeltaOf,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
  nextOffsetOf,
  noTimestamp,
  stampBaseOffset,
  stampLeaderEpoch,
  timestampTypeOf,
} from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import type {
  Appended,
  AppendRefusal,
  LogConfig,
  LogListener,
  LogRead,
  Offset,
  Replicated,
  TimestampAndOffset,
} from '../storage/partition-log.ts'
import { replicatedRefusal } from '../storage/replicated-batches.ts'
import type { AbortedTransaction, ReplicaLog } from './partition.ts'

export class SimulatedLog implements ReplicaLog {
  readonly name: string
  logStartOffset: Offset = 0
  keptStartOffset: Offset = 0
  logEndOffset: Offset = 0
  writtenOffset: Offset = 0
  durableOffset: Offset = 0
  highWatermark: Offset = 0
  firstUnstableOffset: Offset | null = null
  latestEpoch = -1
  sizeBytes = 0
  fault: Error | null = null
  config: LogConfig | null = null
  closed = false
  /** What the next appends are refused with. */
  refusal: AppendRefusal | null = null
  /** Reads that are under way wait for this. */
  reading: Promise<void> = Promise.resolve()
  /** The log start is durable once this resolves. */
  advancing: Promise<void> = Promise.resolve()
  reads = 0
  batches: Uint8Array[] = []
  queuedBytes = 0
  aborted: readonly AbortedTransaction[] = []
  #listener: LogListener | null = null
  #epochs: { epoch: number; start: Offset }[] = []
  /** Every append is written and durable before it returns. */
  readonly #immediate: boolean

  constructor(name: string, options: { immediate?: boolean } = {}) {
    this.name = name
    this.#immediate = options.immediate ?? true
  }

  listen(listener: LogListener): void {
    this.#listener = listener
  }

  configure(config: LogConfig): void {
    this.config = config
  }

  append(batch: Uint8Array, leaderEpoch: number): Appended {
    if (this.refusal !== null) return { ok: false, refusal: this.refusal }
    const baseOffset = this.logEndOffset
    stampBaseOffset(batch, 0, baseOffset)
    stampLeaderEpoch(batch, 0, leaderEpoch)
    this.latestEpoch = leaderEpoch
    this.batches.push(batch)
    this.sizeBytes += batch.length
    this.queuedBytes += batch.length
    this.logEndOffset = baseOffset + lastOffsetDeltaOf(batch) + 1
    const logAppendTimeMs = timestampTypeOf(batch) === 'LogAppendTime' ? maxTimestampOf(batch) : -1
    if (this.#immediate) queueMicrotask(() => this.flush())
    return { ok: true, baseOffset, lastOffset: this.logEndOffset - 1, duplicate: false, logAppendTimeMs }
  }

  appendReplicated(batches: Uint8Array, leaderEpochMax: number): Replicated {
    if (this.fault !== null) return { ok: false, refusal: 'offline' }
    if (this.refusal === 'diskFull') return { ok: false, refusal: 'diskFull' }
    const refusal = replicatedRefusal(batches, this.logEndOffset, leaderEpochMax)
    if (refusal !== null) return { ok: false, refusal }
    for (const batch of batchesIn(batches)) {
      const epoch = leaderEpochOf(batch)
      if (epoch > this.latestEpoch) this.#epochs.push({ epoch, start: baseOffsetOf(batch) })
      this.latestEpoch = epoch
      this.batches.push(batch)
      this.sizeBytes += batch.length
      this.queuedBytes += batch.length
      this.logEndOffset = nextOffsetOf(batch)
    }
    if (this.#immediate) queueMicrotask(() => this.flush())
    return { ok: true, endOffset: this.logEndOffset }
  }

  /** Everything appended is in the page cache. */
  write(): void {
    this.writtenOffset = this.logEndOffset
    this.queuedBytes = 0
    this.#listener?.written(this.writtenOffset)
  }

  /** Everything appended survives a crash. */
  flush(): void {
    if (this.fault !== null) return
    this.write()
    this.durableOffset = this.logEndOffset
    this.#listener?.durable(this.durableOffset)
  }

  /** There was no room for what is not written. */
  drop(): void {
    this.batches.splice(this.batches.findLastIndex((batch) => lastOffsetOf(batch) < this.writtenOffset) + 1)
    this.logEndOffset = this.writtenOffset
    this.queuedBytes = 0
    this.#listener?.dropped(this.logEndOffset)
  }

  fail(error: Error): void {
    this.fault = error
    this.#listener?.failed(error)
  }

  expectRead(): void {}

  async read(from: Offset, maxBytes: number, upTo: Offset, atLeastOne: boolean): Promise<LogRead> {
    this.reads += 1
    await this.reading
    if (this.fault !== null) return { ok: false, refusal: 'offline' }
    if (from < this.logStartOffset || from > this.logEndOffset) return { ok: false, refusal: 'offsetOutOfRange' }
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    for (const batch of this.batches) {
      if (lastOffsetOf(batch) < from || baseOffsetOf(batch) >= upTo) continue
      if (sizeBytes + batch.length > maxBytes && !(atLeastOne && chunks.length === 0)) break
      chunks.push(batch)
      sizeBytes += batch.length
    }
    return { ok: true, chunks, sizeBytes }
  }

  firstUnstableOffsetAt(): Offset | null {
    return this.firstUnstableOffset
  }

  async abortedTransactions(from: Offset, upTo: Offset): Promise<readonly AbortedTransaction[]> {
    return this.aborted.filter(({ firstOffset }) => firstOffset >= from && firstOffset < upTo)
  }

  async findByTimestamp(timestamp: number, upTo: Offset): Promise<TimestampAndOffset | null> {
    await this.reading
    const batch = this.batches.find((one) => maxTimestampOf(one) >= timestamp && baseOffsetOf(one) < upTo)
    return batch === undefined ? null : placeOf(batch)
  }

  async findMaxTimestamp(upTo: Offset): Promise<TimestampAndOffset | null> {
    await this.reading
    let greatest: Uint8Array | null = null
    for (const batch of this.batches) {
      if (nextOffsetOf(batch) > upTo) break
      if (maxTimestampOf(batch) > (greatest === null ? noTimestamp : maxTimestampOf(greatest))) greatest = batch
    }
    return greatest === null ? null : placeOf(greatest)
  }

  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: Offset } {
    const at = this.#epochs.findLastIndex((known) => known.epoch <= epoch)
    const next = this.#epochs[at + 1]
    if (at < 0 || (next === undefined && this.#epochs[at]!.epoch < epoch)) return { epoch: -1, endOffset: -1 }
    return { epoch: this.#epochs[at]!.epoch, endOffset: next?.start ?? this.logEndOffset }
  }

  epochAt(offset: Offset): number {
    const batch = this.batches.find((one) => lastOffsetOf(one) >= offset)
    return batch === undefined ? -1 : leaderEpochOf(batch)
  }

  startEpoch(epoch: number): void {
    if (epoch > (this.#epochs.at(-1)?.epoch ?? -1)) this.#epochs.push({ epoch, start: this.logEndOffset })
  }

  async truncateTo(end: Offset): Promise<void> {
    if (end >= this.logEndOffset) return
    this.batches = this.batches.filter((batch) => lastOffsetOf(batch) < end)
    this.#endAt(end)
  }

  async restartAt(offset: Offset): Promise<void> {
    this.batches = []
    this.#endAt(offset)
    this.logStartOffset = offset
    this.keptStartOffset = offset
  }

  #endAt(end: Offset): void {
    this.logEndOffset = end
    this.writtenOffset = end
    this.durableOffset = end
    this.queuedBytes = 0
    this.#epochs = this.#epochs.filter(({ start }) => start < end)
    this.latestEpoch = this.#epochs.at(-1)?.epoch ?? -1
  }

  async advanceStartTo(start: Offset): Promise<void> {
    this.logStartOffset = Math.max(this.logStartOffset, start)
    await this.advancing
    this.keptStartOffset = Math.max(this.keptStartOffset, start)
  }

  async sync(): Promise<void> {
    this.flush()
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

function placeOf(batch: Uint8Array): TimestampAndOffset {
  return { timestamp: maxTimestampOf(batch), offset: baseOffsetOf(batch), leaderEpoch: leaderEpochOf(batch) }
}
