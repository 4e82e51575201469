// The files of deleted segments: renamed to `.deleted` at once, so that no start takes them for the log, and removed after
// `file.delete.delay.ms` (Kafka's LocalLog.deleteSegmentFiles). One queue and one timer for the whole data folder. What is still here when
// the broker stops goes with the next start: a log that is opened clears its folder of leftovers.

import type { Clock, Millis, Timer } from '../io/clock.ts'
import { DiskError, type Disk } from '../io/disk.ts'
import type { Logger } from '../lib/logger.ts'
import type { Offset } from './partition-log.ts'
import {
  deletedSuffix,
  fileNameOf,
  logSuffix,
  offsetIndexSuffix,
  timeIndexSuffix,
  txnIndexSuffix,
} from './segment-names.ts'

/** The batches first: they must never be found without the aborted transactions among them. */
const suffixes = [logSuffix, offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix]

/** Segments that wait; beyond it the one that is due first goes early. */
const waitingMax = 100_000

interface DeletedSegment {
  readonly folder: string
  readonly baseOffset: Offset
  readonly sizeBytes: number
  /** On the monotonic clock. */
  readonly dueAt: Millis
  /** Taken care of by someone else. */
  forgotten: boolean
}

export class DeletedFiles {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #logger: Logger
  /** Due first comes first, from `#first` on. */
  #queue: DeletedSegment[] = []
  #first = 0
  readonly #byFolder = new Map<string, Map<Offset, DeletedSegment>>()
  #sizeBytes = 0
  #count = 0
  #timer: Timer | null = null
  #removing: Promise<void> | null = null
  /** What is due by then is being removed. */
  #removingTo: Millis = -Infinity
  #stopped = false

  constructor({ disk, clock, logger }: { disk: Disk; clock: Clock; logger: Logger }) {
    this.#disk = disk
    this.#clock = clock
    this.#logger = logger
  }

  /** Bytes of batches that are deleted and still take room on the disk. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Segments whose files still wait. */
  get count(): number {
    return this.#count
  }

  /**
   * Takes a segment's files out of the log: renamed when this resolves, durably after `syncFolder`. `delayMs` of 0 removes them at once.
   * Rejects with the disk's faults.
   */
  async add(segment: { folder: string; baseOffset: Offset; sizeBytes: number }, delayMs: Millis): Promise<void> {
    const { folder, baseOffset, sizeBytes } = segment
    for (const suffix of suffixes) {
      const path = `${folder}/${fileNameOf(baseOffset, suffix)}`
      if (delayMs === 0) await this.#disk.remove(path)
      else await this.#setAside(path)
    }
    if (delayMs === 0) return
    const before = this.#byFolder.get(folder)?.get(baseOffset)
    if (before !== undefined) this.#forget(before)
    this.#enqueue({ folder, baseOffset, sizeBytes, dueAt: this.#clock.monotonic() + delayMs, forgotten: false })
    if (this.#count > waitingMax) this.#removeTo(this.#next()!.dueAt)
    this.#arm()
  }

  /** Removes all that wait now, whatever their delay: the room is needed. Never rejects. */
  async removeNow(): Promise<void> {
    if (this.#next() !== undefined) this.#removeTo(Infinity)
    await this.#removing
  }

  /** The folder's leftovers are about to be removed with it, or by whoever opens it. */
  forget(folder: string): void {
    const waiting = this.#byFolder.get(folder)
    if (waiting !== undefined) for (const segment of waiting.values()) this.#forget(segment)
  }

  /** Waits for the removal under way; the rest is left for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#removing
  }

  /** A segment that never had a byte has no file, one without aborted transactions no index of them. */
  async #setAside(path: string): Promise<void> {
    try {
      await this.#disk.rename(path, path + deletedSuffix)
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error
    }
  }

  #enqueue(segment: DeletedSegment): void {
    let low = this.#first
    let high = this.#queue.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#queue[middle]!.dueAt <= segment.dueAt) low = middle + 1
      else high = middle
    }
    this.#queue.splice(low, 0, segment)
    let waiting = this.#byFolder.get(segment.folder)
    if (waiting === undefined) this.#byFolder.set(segment.folder, (waiting = new Map()))
    waiting.set(segment.baseOffset, segment)
    this.#sizeBytes += segment.sizeBytes
    this.#count++
  }

  #forget(segment: DeletedSegment): void {
    if (segment.forgotten) return
    segment.forgotten = true
    this.#sizeBytes -= segment.sizeBytes
    this.#count--
    const waiting = this.#byFolder.get(segment.folder)!
    waiting.delete(segment.baseOffset)
    if (waiting.size === 0) this.#byFolder.delete(segment.folder)
  }

  /** The segment that is due first. */
  #next(): DeletedSegment | undefined {
    while (this.#queue[this.#first]?.forgotten === true) this.#first++
    if (this.#first === this.#queue.length || (this.#first > 1024 && this.#first * 2 > this.#queue.length)) {
      this.#queue = this.#queue.slice(this.#first)
      this.#first = 0
    }
    return this.#queue[this.#first]
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timer = null
    const next = this.#next()
    if (next === undefined || this.#stopped || this.#removing !== null) return
    const delayMs = Math.max(0, next.dueAt - this.#clock.monotonic())
    this.#timer = this.#clock.setTimer(delayMs, () => this.#removeTo(this.#clock.monotonic()))
  }

  #removeTo(dueAt: Millis): void {
    this.#removingTo = Math.max(this.#removingTo, dueAt)
    this.#removing ??= Promise.resolve().then(() => this.#removeAll())
  }

  async #removeAll(): Promise<void> {
    for (;;) {
      const next = this.#next()
      if (next === undefined || this.#stopped || next.dueAt > this.#removingTo) break
      await this.#remove(next)
      this.#forget(next)
    }
    this.#removing = null
    this.#removingTo = -Infinity
    this.#arm()
  }

  async #remove({ folder, baseOffset }: DeletedSegment): Promise<void> {
    for (const suffix of suffixes) {
      const path = `${folder}/${fileNameOf(baseOffset, suffix)}${deletedSuffix}`
      try {
        await this.#disk.remove(path)
      } catch (error) {
        this.#logger.warn({ path, err: error }, 'a deleted file could not be removed, the next start tries again')
      }
    }
  }
}
