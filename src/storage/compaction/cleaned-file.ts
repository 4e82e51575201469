// A segment that a cleaning writes: `.log.cleaned` and its indexes, all synced before anyone hears of them. Its files are called as Kafka
// calls them, so that a start of either clears away what a cleaning left half done.

import type { Disk, DiskFile } from '../../io/disk.ts'
import { lastOffsetOf, maxTimestampOf } from '../../records/batch.ts'
import { FileHandles } from '../file-handles.ts'
import type { Offset } from '../partition-log.ts'
import { Segment } from '../segment.ts'
import { cleanedSuffix, logSuffix } from '../segment-names.ts'
import { type AbortedTransaction, encodeTxnIndex } from '../txn-index.ts'
import type { Pace } from './pace.ts'

/** Positions in the index are int32. */
const segmentBytesMax = 2147483647

export class CleanedFile {
  readonly #disk: Disk
  readonly #pace: Pace
  readonly #file: DiskFile
  /** Only for what its indexes say. */
  readonly #segment: Segment
  readonly #indexIntervalBytes: number
  readonly #buffer: Uint8Array
  #filled = 0
  #position = 0
  #aborted: AbortedTransaction[] = []

  private constructor(disk: Disk, file: DiskFile, segment: Segment, options: CleanedFileOptions) {
    this.#disk = disk
    this.#file = file
    this.#segment = segment
    this.#pace = options.pace
    this.#indexIntervalBytes = options.indexIntervalBytes
    this.#buffer = Buffer.allocUnsafe(options.bufferBytes)
  }

  /** Begins the file anew if a cleaning before left one. */
  static async create(disk: Disk, options: CleanedFileOptions): Promise<CleanedFile> {
    const { folder, baseOffset } = options
    // The index rules are a segment's; its own file is never opened.
    const handles = new FileHandles(disk, 1)
    const segment = new Segment({ baseOffset, folder, handles, createdAtMs: 0, rollJitterMs: 0 })
    segment.startIndexes()
    const file = await disk.open(segment.path(logSuffix) + cleanedSuffix, { create: true })
    try {
      await file.truncate(0)
    } catch (error) {
      await file.close()
      throw error
    }
    return new CleanedFile(disk, file, segment, options)
  }

  get sizeBytes(): number {
    return this.#segment.sizeBytes
  }

  /** Copies the batch; answers a promise when it has to be waited for. */
  add(batch: Uint8Array): Promise<void> | void {
    const segment = this.#segment
    if (segment.sizeBytes + batch.length > segmentBytesMax) throw new RangeError('the cleaned segment is too large')
    segment.indexBatch(
      segment.sizeBytes,
      batch.length,
      lastOffsetOf(batch),
      maxTimestampOf(batch),
      this.#indexIntervalBytes,
    )
    segment.sizeBytes += batch.length
    if (this.#filled + batch.length > this.#buffer.length) return this.#writeWith(batch)
    this.#buffer.set(batch, this.#filled)
    this.#filled += batch.length
  }

  /** By their markers' offsets. */
  addAborted(transaction: AbortedTransaction): void {
    this.#aborted.push(transaction)
  }

  /** Writes what is left and syncs all files; their entries in the folder are not. */
  async finish(): Promise<void> {
    await this.#write(this.#buffer.subarray(0, this.#filled))
    await this.#file.sync()
    await this.#file.close()
    const segment = this.#segment
    segment.finishTimeIndex()
    const { offsets, times } = segment.indexes!
    await this.#writeFile(segment.offsetIndexPath, offsets.encode())
    await this.#writeFile(segment.timeIndexPath, times.encode())
    if (this.#aborted.length > 0) await this.#writeFile(segment.txnIndexPath, encodeTxnIndex(this.#aborted))
  }

  /** After a failure: the files stay for whoever started the cleaning to remove. */
  async close(): Promise<void> {
    await this.#file.close()
  }

  async #writeWith(batch: Uint8Array): Promise<void> {
    await this.#write(this.#buffer.subarray(0, this.#filled))
    if (batch.length <= this.#buffer.length) {
      this.#buffer.set(batch)
      this.#filled = batch.length
    } else {
      await this.#write(batch)
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#filled = 0
    if (bytes.length === 0) return
    await this.#file.write([bytes], this.#position)
    this.#position += bytes.length
    this.#pace.spend(bytes.length)
  }

  async #writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#disk.open(path + cleanedSuffix, { create: true })
    try {
      await file.truncate(0)
      await file.write([bytes], 0)
      await file.sync()
    } finally {
      await file.close()
    }
    this.#pace.spend(bytes.length)
  }
}

export interface CleanedFileOptions {
  readonly folder: string
  readonly baseOffset: Offset
  readonly indexIntervalBytes: number
  readonly bufferBytes: number
  readonly pace: Pace
}
