// The indexes of sealed segments, in memory while they are used: read from their files, or rebuilt from the log when those are missing or
// cannot be right. Bounded in bytes over all logs of a broker; what was used longest ago goes first.

import type { Disk } from '../io/disk.ts'
import type { Logger } from '../lib/logger.ts'
import { lastOffsetOf, maxTimestampOf } from '../records/batch.ts'
import { CorruptLogError, LogClosedError } from './log-errors.ts'
import { OffsetIndex } from './offset-index.ts'
import type { Offset } from './partition-log.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import { scanBatches } from './segment-scan.ts'
import { TimeIndex } from './time-index.ts'
import { encodeTxnIndex } from './txn-index.ts'

export class IndexCache {
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #budgetBytes: number
  /** Longest unused first. */
  readonly #resident = new Map<Segment, number>()
  readonly #loading = new Map<Segment, Promise<SegmentIndexes>>()
  #usedBytes = 0

  constructor(disk: Disk, logger: Logger, budgetBytes: number) {
    this.#disk = disk
    this.#logger = logger
    this.#budgetBytes = budgetBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** The segment's indexes, from memory if possible. `endOffset`: where the next segment begins. */
  async indexesOf(segment: Segment, endOffset: Offset, indexIntervalBytes: number): Promise<SegmentIndexes> {
    if (segment.indexes !== null) {
      this.#touch(segment)
      return segment.indexes
    }
    let loading = this.#loading.get(segment)
    if (loading === undefined) {
      loading = this.#load(segment, endOffset, indexIntervalBytes).finally(() => this.#loading.delete(segment))
      this.#loading.set(segment, loading)
    }
    return loading
  }

  /** The segment is sealed and its indexes are on disk: from now on memory may drop them. */
  adopt(segment: Segment): void {
    if (segment.indexes === null || segment.removed) return
    const bytes = segment.indexes.offsets.sizeBytes + segment.indexes.times.sizeBytes
    this.forget(segment)
    this.#resident.set(segment, bytes)
    this.#usedBytes += bytes
    for (const [oldest] of this.#resident) {
      if (this.#usedBytes <= this.#budgetBytes || oldest === segment) break
      this.forget(oldest)
      oldest.indexes = null
    }
  }

  /** The segment is active again, or gone. */
  forget(segment: Segment): void {
    const bytes = this.#resident.get(segment)
    if (bytes === undefined) return
    this.#resident.delete(segment)
    this.#usedBytes -= bytes
  }

  /** The segment is `removed`, and its files are about to change: resolves once nobody writes its indexes. */
  async release(segment: Segment): Promise<void> {
    await this.#loading.get(segment)?.catch(() => undefined)
    this.forget(segment)
    segment.indexes = null
  }

  #touch(segment: Segment): void {
    const bytes = this.#resident.get(segment)
    if (bytes === undefined) return
    this.#resident.delete(segment)
    this.#resident.set(segment, bytes)
  }

  async #load(segment: Segment, endOffset: Offset, indexIntervalBytes: number): Promise<SegmentIndexes> {
    const found = await readIndexes(this.#disk, segment, endOffset)
    const indexes = found === null || saysTooLittle(found, segment, indexIntervalBytes) ? null : found
    // While the files were read the segment may have become the active one again.
    if (segment.indexes !== null) return segment.indexes
    if (indexes !== null) {
      const { firstTimestamp } = segment
      segment.resumeIndexes(indexes)
      segment.firstTimestamp = firstTimestamp
    } else {
      await rebuildIndexes(segment, endOffset, indexIntervalBytes)
      if (segment.removed) throw new LogClosedError(`${segment.file.path} is gone`)
      // One large batch has no entry: what said little said all.
      const wereRight = found !== null && found.times.count > 0 && segment.indexes!.offsets.count === 0
      if (!wereRight) {
        this.#logger.warn({ segment: segment.file.path }, 'indexes were missing or wrong and have been built again')
        await writeIndexes(this.#disk, segment)
      }
    }
    this.adopt(segment)
    return segment.indexes!
  }
}

/** Whether a sealed segment with these indexes has probably lost them: zeros and nothing look like an index without entries. */
function saysTooLittle({ offsets, times }: SegmentIndexes, segment: Segment, indexIntervalBytes: number): boolean {
  return times.count === 0 || (offsets.count === 0 && segment.sizeBytes > 16 * indexIntervalBytes)
}

/** What the index files say; null when one is missing or cannot be right. */
export async function readIndexes(disk: Disk, segment: Segment, endOffset: Offset): Promise<SegmentIndexes | null> {
  const offsetBytes = await disk.readFile(segment.offsetIndexPath)
  const timeBytes = await disk.readFile(segment.timeIndexPath)
  if (offsetBytes === null || timeBytes === null) return null
  const offsets = OffsetIndex.decode(offsetBytes, segment.baseOffset, segment.sizeBytes, endOffset)
  const times = TimeIndex.decode(timeBytes, segment.baseOffset, endOffset)
  return offsets === null || times === null ? null : { offsets, times }
}

/** Builds the indexes of a sealed segment from its batches. Rejects with `CorruptLogError` when those are damaged. */
async function rebuildIndexes(segment: Segment, endOffset: Offset, indexIntervalBytes: number): Promise<void> {
  const aborted = segment.aborted
  segment.startIndexes()
  segment.aborted = aborted
  const scan = { from: 0, to: segment.sizeBytes, expectedOffset: segment.baseOffset, endOffset, verifyChecksums: false }
  const scanned = await scanBatches(segment.file, scan, (bytes, at, size, position) => {
    segment.indexBatch(position, size, lastOffsetOf(bytes, at), maxTimestampOf(bytes, at), indexIntervalBytes)
  })
  if (scanned.damage !== null) {
    segment.indexes = null
    throw new CorruptLogError(segment.file.path, scanned.position, scanned.nextOffset, scanned.damage)
  }
  segment.finishTimeIndex()
}

/** Writes the index files of a segment whose indexes are in memory; they survive a crash. */
export async function writeIndexes(disk: Disk, segment: Segment): Promise<void> {
  const { offsets, times } = segment.indexes!
  await writeTxnIndex(disk, segment)
  await Promise.all([
    disk.replaceFile(segment.offsetIndexPath, offsets.encode()),
    disk.replaceFile(segment.timeIndexPath, times.encode()),
  ])
}

/** As `writeIndexes`, quicker: only the aborted transactions survive a crash. */
export async function writeShortIndexes(disk: Disk, segment: Segment): Promise<void> {
  const { offsets, times } = segment.indexes!
  await writeTxnIndex(disk, segment)
  await Promise.all([
    writeFile(disk, segment.offsetIndexPath, offsets.encode()),
    writeFile(disk, segment.timeIndexPath, times.encode()),
  ])
}

/** Writes a whole file that need not survive a crash: afterwards it may be missing, short or zeros. */
export async function writeFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, { create: true })
  try {
    await file.truncate(0)
    await file.write([bytes], 0)
  } finally {
    await file.close()
  }
}

async function writeTxnIndex(disk: Disk, segment: Segment): Promise<void> {
  const { aborted, txnIndexPath } = segment
  if (aborted !== null && aborted.length > 0) await disk.replaceFile(txnIndexPath, encodeTxnIndex(aborted))
}
