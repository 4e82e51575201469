// Cutting the end off a log's files. Nothing may be under way, and nothing confirmed may be promised beyond the new end: the caller sees to
// both. After a crash in between, recovery finds the old log or a part of it, and builds the side files again.

import { lastOffsetOf } from '../records/batch.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import { indexOfSegment } from './log-reader.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { producersAt } from './producer-recovery.ts'
import type { ProducerState } from './producer-state.ts'
import { deleteSegment, loadActiveSegment, removeSideFiles } from './segment-files.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import { scanBatches } from './segment-scan.ts'
import type { SideFiles } from './side-files.ts'
import type { StorageContext } from './storage-context.ts'
import type { AbortedTransaction } from './txn-index.ts'

export interface LogToCut {
  readonly folder: string
  readonly config: LogConfig
  /** Those beyond `end` are taken off; the last that stays becomes the active one. */
  readonly segments: Segment[]
  readonly epochs: LeaderEpochCache
  readonly sideFiles: SideFiles
  abortedIn(segment: Segment): Promise<AbortedTransaction[]>
}

/** Drops [end, ...), and the whole batch that `end` lies in. Answers where the log then ends, and its producers there. */
export async function cutLog(
  context: StorageContext,
  log: LogToCut,
  end: Offset,
): Promise<{ logEndOffset: Offset; producers: ProducerState }> {
  const { folder, segments, config, sideFiles, epochs } = log
  const { indexIntervalBytes } = config
  const kept = indexOfSegment(segments, end)
  const segment = segments[kept]!
  const aborted = await log.abortedIn(segment)
  for (const gone of segments.splice(kept + 1).toReversed()) await deleteSegment(context, gone, config)
  const indexes = await context.indexCache.indexesOf(segment, Infinity, indexIntervalBytes)
  // Active again: memory may not drop them any more.
  context.indexCache.forget(segment)
  segment.indexes = indexes
  const { position, nextOffset } = await cutPosition(segment, indexes, end)
  await removeSideFiles(context, segment)
  await context.disk.syncFolder(folder)
  if (position < segment.sizeBytes) {
    await segment.file.truncate(position)
    await segment.file.sync()
  }
  segment.sizeBytes = position
  segment.writtenBytes = position
  indexes.offsets.truncateTo(nextOffset)
  indexes.times.truncateTo(nextOffset)
  epochs.truncateFromEnd(nextOffset)
  await loadActiveSegment(context, segment, config, epochs)
  segment.aborted = aborted.filter((transaction) => transaction.lastOffset < nextOffset)
  sideFiles.epochsChanged = true
  await sideFiles.writeEpochs(epochs)
  await sideFiles.dropSnapshots((offset) => offset > nextOffset)
  const { snapshots } = sideFiles
  const producers = await producersAt(context, { folder, segments, snapshots, upTo: nextOffset, indexIntervalBytes })
  return { logEndOffset: nextOffset, producers }
}

/** Where the log will end when it is cut at `end`: where the last batch that lies below it ends. */
export async function endAfterCut(
  context: StorageContext,
  segments: readonly Segment[],
  end: Offset,
  indexIntervalBytes: number,
): Promise<Offset> {
  const kept = indexOfSegment(segments, end)
  const segment = segments[kept]!
  const segmentEnd = segments[kept + 1]?.baseOffset ?? Infinity
  const indexes = segment.indexes ?? (await context.indexCache.indexesOf(segment, segmentEnd, indexIntervalBytes))
  return (await cutPosition(segment, indexes, end)).nextOffset
}

/** Where the first batch that reaches to `end` or beyond lies, and where the log then ends. */
async function cutPosition(
  segment: Segment,
  indexes: SegmentIndexes,
  end: Offset,
): Promise<{ position: number; nextOffset: Offset }> {
  // A batch that stays: its end is where the log ends, when nothing else stays behind it.
  const from = indexes.offsets.lookup(end - 1)
  const scan = { from, to: segment.sizeBytes, expectedOffset: segment.baseOffset, verifyChecksums: false }
  // Not `end` itself: where offsets are missing before it, the files could not say so after a crash.
  return scanBatches(segment.file, scan, (bytes, at) => lastOffsetOf(bytes, at) < end)
}
