// Opening a log: what its files say, and after an unclean stop what its batches say.
//
// Clean: sizes and snapshots are right; the end of the active segment is read from its last index entry on.
// Unclean: from the segment of the recovery point on every batch is read and its checksum verified; indexes, leader epochs and producer
// state are built again from there; a torn tail is cut (damage.ts). What lies below the recovery point or the given high watermark was
// confirmed: when it is damaged or missing, the log is not opened for use, and says why.

import {
  baseOffsetOf,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
  noProducerId,
  producerIdOf,
} from '../records/batch.ts'
import { CheckpointFormatError } from './checkpoint-file.ts'
import { judgeDamage } from './damage.ts'
import { clearFailedSync, hasFailedSync, writeAgain } from './failed-sync.ts'
import { writeIndexes } from './index-cache.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { emptyLog, isShortLog, keptTailBytesMax, type LoadedLog } from './loaded-log.ts'
import { CorruptLogError } from './log-errors.ts'
import { listLogFiles } from './log-files.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { producerBatchOf } from './producer-batch.ts'
import { abortedIn, producersAt } from './producer-recovery.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import { dropSnapshots, loadActiveSegment, newSegment, removeSegment, removeSideFiles } from './segment-files.ts'
import { fileNameOf, leaderEpochFileName, snapshotSuffix } from './segment-names.ts'
import { scanBatches } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'
import type { CachedBatch } from './tail-cache.ts'

export interface LoadOptions {
  readonly folder: string
  readonly config: LogConfig
  /** The log was closed properly and not touched since. */
  readonly clean: boolean
  /** Below it everything was synced, segments' side files included. */
  readonly recoveryPoint: Offset
  /** Below it everything was confirmed, by the checkpoint of high watermarks; 0 when that says nothing. */
  readonly confirmedOffset: Offset
  /** First readable offset by its checkpoint; the first segment may begin later. */
  readonly logStartOffset: Offset
}

/** How much of a log is read when it opens. */
type Extent = 'tail' | 'fromRecoveryPoint' | 'all'

/** Rejects with `CorruptLogError` when confirmed records are damaged or missing, and with the disk's faults. */
export async function loadLog(context: StorageContext, options: LoadOptions): Promise<LoadedLog> {
  const { folder, clean } = options
  const files = await listLogFiles(context.disk, folder)
  const segments = files.segments.map(({ baseOffset, sizeBytes, modifiedAtMs }) => {
    const segment = newSegment(context, folder, baseOffset, options.config, modifiedAtMs)
    segment.sizeBytes = sizeBytes
    segment.writtenBytes = sizeBytes
    segment.entryDurable = true
    return segment
  })
  const snapshots = new Set(files.snapshots)
  const epochs = segments.length === 0 || isShortLog(segments) ? null : await readEpochs(context, folder)
  const log = new LogLoader(context, options, segments, snapshots, epochs ?? new LeaderEpochCache())
  return log.load(clean && epochs !== null ? 'tail' : epochs === null ? 'all' : 'fromRecoveryPoint')
}

/** Null when the file is missing or unreadable. */
async function readEpochs(context: StorageContext, folder: string): Promise<LeaderEpochCache | null> {
  const bytes = await context.disk.readFile(`${folder}/${leaderEpochFileName}`)
  if (bytes === null) return null
  try {
    return LeaderEpochCache.decode(bytes)
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error
    context.logger.warn({ folder, err: error }, 'leader epochs are unreadable, taking them from the batches')
    return null
  }
}

class LogLoader {
  readonly #context: StorageContext
  readonly #options: LoadOptions
  readonly #segments: Segment[]
  readonly #snapshots: Set<Offset>
  readonly #epochs: LeaderEpochCache
  readonly #tail: CachedBatch[] = []

  constructor(
    context: StorageContext,
    options: LoadOptions,
    segments: Segment[],
    snapshots: Set<Offset>,
    epochs: LeaderEpochCache,
  ) {
    this.#context = context
    this.#options = options
    this.#segments = segments
    this.#snapshots = snapshots
    this.#epochs = epochs
  }

  async load(extent: Extent): Promise<LoadedLog> {
    const { clean } = this.#options
    const confirmed = Math.max(this.#options.recoveryPoint, this.#options.confirmedOffset)
    if (this.#segments.length === 0) {
      if (!clean && confirmed > this.#options.logStartOffset) {
        throw new CorruptLogError(this.#options.folder, 0, this.#options.logStartOffset, 'its segments are missing')
      }
      return this.#empty(this.#options.logStartOffset)
    }
    const { producers, logEndOffset } =
      extent === 'tail'
        ? await this.#loadClean()
        : await this.#scan(extent === 'all' ? 0 : this.#options.recoveryPoint, confirmed)
    if (logEndOffset < confirmed) throw this.#missing(logEndOffset, confirmed)
    const first = this.#segments[0]!.baseOffset
    const logStartOffset = Math.max(this.#options.logStartOffset, first)
    if (logStartOffset > logEndOffset) {
      // Everything was deleted before the crash, up to a place the disk has not heard of: begin there.
      for (const segment of this.#segments) await this.#remove(segment)
      await this.#context.disk.syncFolder(this.#options.folder)
      return this.#empty(logStartOffset)
    }
    this.#epochs.truncateFromEnd(logEndOffset)
    this.#epochs.truncateFromStart(logStartOffset)
    await this.#dropSnapshotsAbove(logEndOffset)
    return {
      segments: this.#segments,
      logStartOffset,
      logEndOffset,
      epochs: this.#epochs,
      producers,
      snapshots: this.#snapshots,
      epochsOnDisk: extent === 'tail' || (await this.#writeEpochs()),
      tail: this.#tail,
    }
  }

  /** Nothing is left of the log, or nothing that counts: what was half deleted stays gone, and its snapshots go along. */
  async #empty(offset: Offset): Promise<LoadedLog> {
    await this.#dropSnapshotsAbove(-1)
    if (!this.#options.clean) await this.#context.disk.syncFolder(this.#options.folder)
    return emptyLog(this.#context, this.#options.folder, offset, this.#options.config)
  }

  async #loadClean(): Promise<{ producers: ProducerState; logEndOffset: Offset }> {
    const active = this.#segments.at(-1)!
    const logEndOffset = await loadActiveSegment(this.#context, active, this.#options.config, this.#epochs)
    active.aborted = await abortedIn(this.#context, {
      folder: this.#options.folder,
      segments: this.#segments,
      snapshots: this.#snapshots,
      segment: active,
      endOffset: logEndOffset,
      indexIntervalBytes: this.#options.config.indexIntervalBytes,
    })
    return { producers: await this.#producersAt(logEndOffset), logEndOffset }
  }

  async #producersAt(upTo: Offset): Promise<ProducerState> {
    return producersAt(this.#context, {
      folder: this.#options.folder,
      segments: this.#segments,
      snapshots: this.#snapshots,
      upTo,
      indexIntervalBytes: this.#options.config.indexIntervalBytes,
    })
  }

  /** Reads every batch from the segment of `from` on. */
  async #scan(from: Offset, confirmed: Offset): Promise<{ producers: ProducerState; logEndOffset: Offset }> {
    const segments = this.#segments
    // A segment that begins at the recovery point may follow one that was not sealed yet.
    const first = Math.max(
      0,
      segments.findLastIndex((segment) => segment.baseOffset < from),
    )
    let end = segments[first]!.baseOffset
    this.#epochs.truncateFromEnd(end)
    const producers = await this.#producersAt(end)
    for (let i = first; i < segments.length; i++) {
      const segment = segments[i]!
      if (i > first) await this.#writeSnapshot(segment.baseOffset, producers)
      const scanned = await this.#scanSegment(
        segment,
        Math.max(end, segment.baseOffset),
        segments[i + 1]?.baseOffset,
        producers,
      )
      end = scanned.nextOffset
      if (scanned.damage !== null) {
        await this.#cut(i, scanned, confirmed)
        break
      }
      if (this.#isHole(end, segments[i + 1])) {
        await this.#dropFrom(i + 1, end, confirmed)
        break
      }
      if (i < segments.length - 1) await this.#seal(segment)
    }
    if (this.#options.clean) return { producers, logEndOffset: end }
    // What a killed process wrote is in the page cache only; from here on it counts as durable.
    const { disk } = this.#context
    const inDoubt = await hasFailedSync(disk, this.#options.folder)
    for (const segment of segments) {
      if (segment.indexes === null) continue
      if (inDoubt) await writeAgain(segment.file, segment.sizeBytes)
      await segment.file.sync()
    }
    await disk.syncFolder(this.#options.folder)
    if (inDoubt) await clearFailedSync(disk, this.#options.folder)
    return { producers, logEndOffset: end }
  }

  async #scanSegment(
    segment: Segment,
    expectedOffset: Offset,
    endOffset: Offset | undefined,
    producers: ProducerState,
  ) {
    segment.startIndexes()
    const { indexIntervalBytes } = this.#options.config
    const keepsTail = isShortLog(this.#segments) && segment.sizeBytes <= keptTailBytesMax
    const scan = {
      from: 0,
      to: segment.sizeBytes,
      expectedOffset,
      endOffset: endOffset ?? Infinity,
      verifyChecksums: true,
    }
    return scanBatches(segment.file, scan, (bytes, at, size, position) => {
      segment.indexBatch(position, size, lastOffsetOf(bytes, at), maxTimestampOf(bytes, at), indexIntervalBytes)
      const baseOffset = baseOffsetOf(bytes, at)
      if (keepsTail) {
        const copy = new Uint8Array(bytes.subarray(at, at + size))
        this.#tail.push({ bytes: copy, baseOffset, nextOffset: lastOffsetOf(bytes, at) + 1 })
      }
      this.#epochs.assign(leaderEpochOf(bytes, at), baseOffset)
      const producerId = producerIdOf(bytes, at)
      if (producerId === noProducerId) return
      const aborted = producers.apply(producerBatchOf(bytes, at, producerId, baseOffset))
      if (aborted !== null) segment.aborted!.push(aborted)
    })
  }

  /** Segment `i` is good up to a position. Cuts there what no one was told of; rejects when someone may have been. */
  async #cut(
    i: number,
    { position, nextOffset, damage }: { position: number; nextOffset: Offset; damage: string | null },
    confirmed: Offset,
  ): Promise<void> {
    const { logger, disk } = this.#context
    const segment = this.#segments[i]!
    const path = segment.file.path
    const refuse = (why: string) => new CorruptLogError(path, position, nextOffset, `${damage}, ${why}`)
    if (nextOffset < confirmed) throw refuse(`below offset ${confirmed}, which was confirmed`)
    const verdict = await judgeDamage(segment.file, position, segment.sizeBytes, nextOffset)
    if (verdict === 'rot') throw refuse('with good batches after it')
    const later = this.#segments.slice(i + 1)
    // With fsync a segment is durable before the next one gets its first byte.
    if (this.#options.config.flushPolicy === 'fsync' && later.some((other) => other.sizeBytes > 0)) {
      throw refuse('with good segments after it')
    }
    logger.warn(
      { file: path, position, sizeBytes: segment.sizeBytes, offset: nextOffset, damage },
      'cutting a torn tail',
    )
    for (const other of later.toReversed()) await this.#remove(other)
    this.#segments.length = i + 1
    await removeSideFiles(this.#context, segment)
    await disk.syncFolder(this.#options.folder)
    await segment.file.truncate(position)
    await segment.file.sync()
    segment.sizeBytes = position
    segment.writtenBytes = position
  }

  /**
   * Whether records are missing before `next`. Without fsync a crash may keep a segment and lose the one before; with it that cannot be.
   * What compaction has left out lies below the recovery point.
   */
  #isHole(end: Offset, next: Segment | undefined): boolean {
    const { clean, config, recoveryPoint } = this.#options
    if (clean || next === undefined || config.flushPolicy === 'fsync') return false
    return next.baseOffset > Math.max(end, recoveryPoint)
  }

  /** Drops the segments from `i` on: they come after a hole, and nobody was promised them. Rejects when somebody was. */
  async #dropFrom(i: number, end: Offset, confirmed: Offset): Promise<void> {
    if (end < confirmed) throw this.#missing(end, confirmed)
    const { logger, disk } = this.#context
    const { folder } = this.#options
    const lost = this.#segments.splice(i)
    logger.warn({ folder, offset: end, segments: lost.length }, 'records are missing, dropping the segments after them')
    for (const segment of lost.toReversed()) await this.#remove(segment)
    await disk.syncFolder(folder)
  }

  #missing(end: Offset, confirmed: Offset): CorruptLogError {
    const { file, sizeBytes } = this.#segments.at(-1)!
    return new CorruptLogError(
      file.path,
      sizeBytes,
      end,
      `records below offset ${confirmed}, which were confirmed, are missing`,
    )
  }

  async #seal(segment: Segment): Promise<void> {
    segment.finishTimeIndex()
    await writeIndexes(this.#context.disk, segment)
    await segment.file.sync()
    this.#context.indexCache.adopt(segment)
  }

  async #remove(segment: Segment): Promise<void> {
    await removeSegment(this.#context, segment)
  }

  async #writeSnapshot(offset: Offset, producers: ProducerState): Promise<void> {
    const path = `${this.#options.folder}/${fileNameOf(offset, snapshotSuffix)}`
    await this.#context.disk.replaceFile(path, encodeProducerSnapshot(producers))
    this.#snapshots.add(offset)
  }

  /**
   * From here on the recovery point may pass segments that no later recovery reads: what it would learn from them must be on disk. False
   * for a short log, which is read whole every time.
   */
  async #writeEpochs(): Promise<boolean> {
    if (isShortLog(this.#segments)) return false
    await this.#context.disk.replaceFile(`${this.#options.folder}/${leaderEpochFileName}`, this.#epochs.encode())
    return true
  }

  /** They speak of batches that are gone, and would lie about those that take their offsets. */
  async #dropSnapshotsAbove(end: Offset): Promise<void> {
    await dropSnapshots(this.#context, this.#options.folder, this.#snapshots, (offset) => offset > end)
  }
}
