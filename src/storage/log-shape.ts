// What changes a log's files other than by appending: cutting its end, deleting its old segments, replacing segments. One change at a
// time; readers that a change overtook read again (`LogState.shape`).

import { DiskError } from '../io/disk.ts'
import { announceSwap, finishSwap } from './compaction/swap-files.ts'
import { isNoRoom } from '../io/no-room.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { cutLog, endAfterCut } from './log-cut.ts'
import { RecordsDropped } from './log-errors.ts'
import { indexOfSegment } from './log-reader.ts'
import type { LogRoller } from './log-roller.ts'
import type { LogState } from './log-state.ts'
import type { LogWriter } from './log-writer.ts'
import type { Offset } from './partition-log.ts'
import { ProducerState } from './producer-state.ts'
import { deleteSegment, newSegment } from './segment-files.ts'
import type { Segment } from './segment.ts'
import type { SideFiles } from './side-files.ts'
import type { StorageContext } from './storage-context.ts'
import type { LogTail } from './tail-cache.ts'
import type { AbortedTransaction } from './txn-index.ts'

export interface ShapeParts {
  readonly state: LogState
  readonly writer: LogWriter
  readonly sideFiles: SideFiles
  readonly roller: LogRoller
  readonly tail: LogTail
  /** Aborted transactions that ended in a segment. */
  readonly abortedIn: (segment: Segment) => Promise<AbortedTransaction[]>
  /** Makes it known, durably, that all below `end` is sealed. */
  sealed(end: Offset): Promise<void>
  /** Makes it known, durably, that records below the log's start are gone. */
  startAdvanced(): Promise<void>
  /** Makes it known, durably, that nothing from `end` on is confirmed. */
  truncating(end: Offset): Promise<void>
  /** Takes the log offline. */
  fail(error: unknown): void
}

const always = (): boolean => true
const never = (): boolean => false

export class LogShape {
  readonly #context: StorageContext
  readonly #parts: ShapeParts
  readonly #state: LogState
  #last: Promise<unknown> = Promise.resolve()
  #cuts = 0

  constructor(context: StorageContext, parts: ShapeParts) {
    this.#context = context
    this.#parts = parts
    this.#state = parts.state
  }

  /** Resolves when no change is under way; never rejects. */
  settled(): Promise<unknown> {
    return this.#last
  }

  /** How often the log was cut: what was known of a segment before may not be true of it after. */
  get cuts(): number {
    return this.#cuts
  }

  /**
   * Runs `work` after all that came before it; a fault of the disk takes the log offline, and rejects. `again`, asked after a fault: a full
   * disk may interrupt the work here, for it is done again later.
   */
  exclusively<T>(work: () => Promise<T>, again: () => boolean = never): Promise<T> {
    const done = this.#last.then(async () => {
      this.#state.throwIfOffline()
      let result: T
      try {
        result = await work()
      } catch (error) {
        if (!(error instanceof RecordsDropped) && !(isNoRoom(error) && again())) this.#parts.fail(error)
        throw error
      }
      // A fault meanwhile elsewhere: the checkpoints leave a failed log out, so this may not have happened.
      this.#throwFault()
      return result
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  /** As `PartitionLog.truncateTo`. */
  async truncateTo(end: Offset): Promise<void> {
    await this.#untilBegun(async (begins) => {
      const state = this.#state
      if (end >= state.end) return
      const isBelow = end < state.segments[0]!.baseOffset
      await this.#cutting(() => (isBelow ? this.#restart(end, begins) : this.#truncate(end, begins)))
    })
  }

  /** As `PartitionLog.restartAt`. */
  async restartAt(offset: Offset): Promise<void> {
    await this.#untilBegun((begins) => this.#cutting(() => this.#restart(offset, begins)))
  }

  /** Until `begins` is called nothing has changed, and a full disk is no reason to give the log up. */
  #untilBegun(work: (begins: () => void) => Promise<void>): Promise<void> {
    let begun = false
    const begins = (): void => {
      begun = true
    }
    return this.exclusively(
      () => work(begins),
      () => !begun,
    )
  }

  /** Deletes the segments below the log's start, which has just moved. */
  async dropBelowStart(): Promise<void> {
    await this.exclusively(async () => {
      const { writer, roller, sideFiles } = this.#parts
      const state = this.#state
      const { start } = state
      if (start === state.end && state.active.sizeBytes > 0) roller.roll()
      const kept = state.segments.findLastIndex((segment) => segment.baseOffset <= start)
      // Nothing is deleted, and no start is on record, before the log is known to reach there.
      await writer.syncedTo(start)
      if (kept > 0) await this.#dropSegments(kept)
      if (state.segments[0]!.baseOffset < start) await this.#parts.startAdvanced()
      // A log that failed meanwhile is left out of the checkpoints.
      this.#throwFault()
      // Only now: after a crash before this point the old start may be back, and needs its epochs.
      if (state.epochs.truncateFromStart(start)) sideFiles.epochsChanged = true
      state.keptStart = start
    }, always)
  }

  /** There was no room for what was appended last: the log ends where its files do. Rejects while there is not even room for that. */
  async dropUnwritten(): Promise<void> {
    await this.exclusively(async () => {
      const { writer, roller } = this.#parts
      const state = this.#state
      await writer.idle()
      await writer.syncedTo(writer.keptTo).catch((error: unknown) => {
        // There was no room for that either: then less is kept.
        if (!(error instanceof RecordsDropped)) throw error
      })
      await roller.idle()
      this.#throwFault()
      // The next records would have the offsets and the epoch of what others may keep: nobody could tell them apart.
      if (state.copiedTo > writer.keptTo) {
        throw new Error(`records to ${state.copiedTo} were read, and the disk has no room beyond ${writer.keptTo}`)
      }
      this.#cuts++
      state.cutting = true
      state.shape++
      try {
        await this.#cutBackTo(writer.keptTo)
        state.cutting = false
      } finally {
        state.shape++
      }
    }, always)
  }

  /**
   * Puts the cleaned segment, which lies in `.cleaned` files that are synced, in the place of `replaced`. False, and nothing has changed,
   * when those are not all sealed segments of this log as they were after `cuts` cuts.
   */
  async replaceSegments(replaced: readonly Segment[], sizeBytes: number, cuts: number): Promise<boolean> {
    return this.exclusively(async () => {
      const { roller, sideFiles, tail } = this.#parts
      const state = this.#state
      const { folder, segments } = state
      const at = segments.indexOf(replaced[0]!)
      const isThere = at >= 0 && replaced.every((segment, i) => segments[at + i] === segment)
      if (!isThere || at + replaced.length >= segments.length || this.#cuts !== cuts) return false
      await roller.idle()
      this.#throwFault()
      const { baseOffset } = replaced[0]!
      const endOffset = segments[at + replaced.length]!.baseOffset
      // Above its recovery point a recovery takes what compaction leaves out for lost. Without room that point may lag behind.
      if (endOffset > roller.sealedTo) return false
      await this.#parts.sealed(endOffset)
      state.shape++
      try {
        for (const segment of replaced) segment.removed = true
        for (const segment of replaced) await this.#context.indexCache.release(segment)
        // A snapshot stays where a segment begins.
        const gone = new Set(replaced.slice(1).map((segment) => segment.baseOffset))
        await sideFiles.dropSnapshots((offset) => gone.has(offset))
        await announceSwap(this.#context.disk, folder, baseOffset)
        for (const segment of replaced) await deleteSegment(this.#context, segment, state.config)
        await this.#context.disk.syncFolder(folder)
        await finishSwap(this.#context.disk, folder, baseOffset)
        const cleaned = newSegment(this.#context, folder, baseOffset, state.config, replaced.at(-1)!.modifiedAtMs)
        cleaned.sizeBytes = sizeBytes
        cleaned.writtenBytes = sizeBytes
        cleaned.entryDurable = true
        segments.splice(at, replaced.length, cleaned)
        state.countBytes()
        tail.clearBelow(endOffset)
      } finally {
        state.shape++
      }
      return true
    })
  }

  /** Deletes the first `countMax` segments, oldest first. */
  async #dropSegments(countMax: number): Promise<void> {
    const { roller, sideFiles } = this.#parts
    const state = this.#state
    await roller.idle()
    this.#throwFault()
    // What is not sealed, for want of room, has no snapshot of its producers: the batches are all that is known of them.
    let count = countMax
    while (count > 0 && state.segments[count]!.baseOffset > roller.sealedTo) count--
    if (count === 0) return
    // The new first segment must be found after a crash before the old ones can go; it may have no byte yet.
    const first = state.segments[count]!
    if (!first.entryDurable) await roller.createFile(first)
    state.shape++
    const gone = state.segments.splice(0, count)
    for (const segment of gone) {
      state.sizeBytes -= segment.sizeBytes
      segment.removed = true
    }
    state.shape++
    for (const segment of gone) await deleteSegment(this.#context, segment, state.config)
    await this.#context.disk.syncFolder(state.folder)
    // One snapshot stays in any case.
    const keepFrom = Math.min(first.baseOffset, Math.max(...sideFiles.snapshots))
    await sideFiles.dropSnapshots((offset) => offset < keepFrom)
  }

  async #cutting(work: () => Promise<void>): Promise<void> {
    const state = this.#state
    this.#cuts++
    state.cutting = true
    state.shape++
    try {
      await work()
    } finally {
      state.cutting = false
      state.shape++
    }
  }

  async #cutBackTo(end: Offset): Promise<void> {
    const state = this.#state
    const { roller, sideFiles, abortedIn } = this.#parts
    const { folder, segments, epochs } = state
    const { newestEpoch } = epochs
    for (const segment of segments) segment.sizeBytes = Math.min(segment.sizeBytes, segment.writtenBytes)
    let logEndOffset = end
    if (roller.folderMade) {
      // A part of what found no room may have been written; and a handle whose sync failed is of no more use.
      const kept = segments[indexOfSegment(segments, end)]!
      await kept.file.reopen()
      await cutTail(kept)
      const config = { ...state.config, fileDeleteDelayMs: 0 }
      try {
        const cut = await cutLog(this.#context, { folder, config, segments, epochs, sideFiles, abortedIn }, end)
        state.producers = cut.producers
        logEndOffset = cut.logEndOffset
      } finally {
        // The leadership goes on.
        epochs.start(newestEpoch, logEndOffset)
      }
    } else {
      const segment = newSegment(this.#context, folder, end, state.config)
      segment.startIndexes()
      state.segments = [segment]
      state.producers = new ProducerState()
      epochs.truncateFromEnd(end)
      epochs.start(newestEpoch, end)
    }
    state.highWatermark = Math.min(state.highWatermark, logEndOffset)
    this.#endsAt(logEndOffset)
  }

  async #truncate(wanted: Offset, begins: () => void): Promise<void> {
    await this.#settle()
    const state = this.#state
    const { sideFiles, abortedIn } = this.#parts
    const { folder, config, segments, epochs } = state
    // A batch goes as a whole: no file may promise the beginning of the one that `wanted` lies in.
    const end = await endAfterCut(this.#context, segments, wanted, config.indexIntervalBytes)
    await this.#letGoFrom(end)
    begins()
    const log = { folder, config, segments, epochs, sideFiles, abortedIn }
    const { logEndOffset, producers } = await cutLog(this.#context, log, end)
    state.producers = producers
    this.#endsAt(logEndOffset)
  }

  /** No record is wanted: the log is empty then, and goes on at `offset`. */
  async #restart(offset: Offset, begins: () => void): Promise<void> {
    await this.#settle()
    const state = this.#state
    const { roller, sideFiles } = this.#parts
    // Deleted records stay so, if the old ones are back after a crash.
    await this.#letGoFrom(Math.min(offset, state.segments[0]!.baseOffset), Math.min(offset, state.start))
    begins()
    await roller.createFolder()
    for (const segment of state.segments.toReversed()) await deleteSegment(this.#context, segment, state.config)
    await sideFiles.dropSnapshots(() => true)
    // Before there is a segment again: epochs of what is gone say nothing of what comes.
    const epochs = new LeaderEpochCache()
    sideFiles.epochsChanged = true
    await sideFiles.writeEpochs(epochs)
    const segment = newSegment(this.#context, state.folder, offset, state.config)
    segment.startIndexes()
    await roller.createFile(segment)
    state.segments = [segment]
    state.producers = new ProducerState()
    state.epochs = epochs
    state.start = offset
    state.keptStart = offset
    this.#endsAt(offset)
  }

  /** Waits until nothing is under way. */
  async #settle(): Promise<void> {
    const { writer, roller } = this.#parts
    await writer.syncedTo(this.#state.end)
    await roller.idle()
    this.#throwFault()
  }

  /** Nothing from `end` on is confirmed any more. */
  async #letGoFrom(end: Offset, start = Math.min(this.#state.start, end)): Promise<void> {
    const { writer } = this.#parts
    const state = this.#state
    const before = { durable: state.durable, start: state.start, keptStart: state.keptStart }
    state.durable = Math.min(state.durable, end)
    state.highWatermark = Math.min(state.highWatermark, end)
    state.start = start
    state.keptStart = Math.min(state.keptStart, start)
    writer.resetTo(Math.min(state.end, end))
    try {
      await this.#parts.truncating(end)
    } catch (error) {
      // Nothing was cut, and all of it was durable.
      Object.assign(state, before)
      writer.resetTo(state.end)
      throw error
    }
  }

  #endsAt(end: Offset): void {
    const state = this.#state
    const { tail, writer, roller } = this.#parts
    tail.clear()
    state.end = end
    state.durable = end
    state.copiedTo = 0
    writer.resetTo(end)
    roller.reset()
    state.countBytes()
    state.changed = true
  }

  #throwFault(): void {
    if (this.#state.fault !== null) throw this.#state.fault
  }
}

/** Takes off what is in the file beyond what is known to be written, durably: the next batch may go into another file. */
async function cutTail({ file, writtenBytes }: Segment): Promise<void> {
  try {
    await file.truncate(writtenBytes)
    await file.sync()
  } catch (error) {
    // There was not even room for its name.
    if (!(writtenBytes === 0 && error instanceof DiskError && error.code === 'ENOENT')) throw error
  }
}
