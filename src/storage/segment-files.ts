// A segment's files as a whole: made ready for appends, or removed.

import { baseOffsetOf, batchHeaderBytes, lastOffsetOf, leaderEpochOf, maxTimestampOf } from '../records/batch.ts'
import { readIndexes } from './index-cache.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import { CorruptLogError } from './log-errors.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { Segment, type SegmentIndexes } from './segment.ts'
import {
  fileNameOf,
  logSuffix,
  offsetIndexSuffix,
  snapshotSuffix,
  timeIndexSuffix,
  txnIndexSuffix,
} from './segment-names.ts'
import { scanBatches, type Scanned } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'

/** A segment without content, not yet on disk; or one that is, and was last written at `modifiedAtMs`. */
export function newSegment(
  context: StorageContext,
  folder: string,
  baseOffset: Offset,
  config: LogConfig,
  modifiedAtMs: number = context.clock.now(),
): Segment {
  return new Segment({
    baseOffset,
    folder,
    handles: context.handles,
    createdAtMs: modifiedAtMs,
    rollJitterMs: config.segmentJitterMs > 0 ? context.random.below(config.segmentJitterMs) : 0,
  })
}

/**
 * Makes the segment ready for appends: its indexes from their files, and from the last entry on from the batches; answers the offset
 * after its last batch. Rejects with `CorruptLogError` when its batches do not reach to its end.
 */
export async function loadActiveSegment(
  context: StorageContext,
  segment: Segment,
  config: LogConfig,
  epochs: LeaderEpochCache,
): Promise<Offset> {
  context.indexCache.forget(segment)
  const stored =
    segment.sizeBytes === 0 ? null : (segment.indexes ?? (await readIndexes(context.disk, segment, Infinity)))
  let scanned = stored === null ? null : await indexRest(segment, stored, config, epochs)
  // An entry beyond the end is of batches that were cut.
  const reachesBeyond = stored !== null && scanned !== null && stored.times.last.offset >= scanned.nextOffset
  if (scanned === null || scanned.damage !== null || reachesBeyond)
    scanned = await indexRest(segment, null, config, epochs)
  if (scanned.damage !== null) {
    throw new CorruptLogError(segment.file.path, scanned.position, scanned.nextOffset, scanned.damage)
  }
  return scanned.nextOffset
}

async function indexRest(
  segment: Segment,
  stored: SegmentIndexes | null,
  config: LogConfig,
  epochs: LeaderEpochCache,
): Promise<Scanned> {
  const { indexIntervalBytes } = config
  const from = stored?.offsets.lastPosition ?? 0
  if (stored === null) segment.startIndexes()
  else segment.resumeIndexes(stored)
  if (from > 0) {
    const header = Buffer.alloc(batchHeaderBytes)
    await segment.file.read(header, 0)
    segment.firstTimestamp = maxTimestampOf(header)
  }
  // The end of the log is where the last of these batches says that it ends.
  const scan = { from, to: segment.sizeBytes, expectedOffset: segment.baseOffset, verifyChecksums: true }
  return scanBatches(segment.file, scan, (bytes, at, size, position) => {
    segment.indexBatch(position, size, lastOffsetOf(bytes, at), maxTimestampOf(bytes, at), indexIntervalBytes)
    // The file knows the older ones, also those that begin after this batch.
    const epoch = leaderEpochOf(bytes, at)
    if (epoch > epochs.latestEpoch) epochs.assign(epoch, baseOffsetOf(bytes, at))
  })
}

/** Removes a segment and what belongs to it at once; `syncFolder` makes it durable. Its snapshot, if any, is not its own. */
export async function removeSegment(context: StorageContext, segment: Segment): Promise<void> {
  segment.removed = true
  segment.indexes = null
  context.indexCache.forget(segment)
  await segment.file.close()
  // The batches first: they must never be found without the aborted transactions among them.
  await context.disk.remove(segment.path(logSuffix))
  await removeSideFiles(context, segment)
}

/**
 * Takes a segment's files out of the log: renamed now, removed after `file.delete.delay.ms`; `syncFolder` makes it durable. Its snapshot,
 * if any, is not its own.
 */
export async function deleteSegment(context: StorageContext, segment: Segment, config: LogConfig): Promise<void> {
  segment.removed = true
  segment.indexes = null
  context.indexCache.forget(segment)
  await segment.file.close()
  const { folder, baseOffset, writtenBytes: sizeBytes } = segment
  await context.deletedFiles.add({ folder, baseOffset, sizeBytes }, config.fileDeleteDelayMs)
}

/** Removes what speaks of a segment's batches: it is about to be cut. `syncFolder` makes it durable. */
export async function removeSideFiles(context: StorageContext, segment: Segment): Promise<void> {
  for (const suffix of [offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix]) {
    await context.disk.remove(segment.path(suffix))
  }
}

/** Removes the snapshots that `isStale`, durably, and takes them off `known`. */
export async function dropSnapshots(
  context: StorageContext,
  folder: string,
  known: Set<Offset>,
  isStale: (offset: Offset) => boolean,
): Promise<void> {
  const stale = [...known].filter(isStale)
  if (stale.length === 0) return
  for (const offset of stale) {
    known.delete(offset)
    await context.disk.remove(`${folder}/${fileNameOf(offset, snapshotSuffix)}`)
  }
  await context.disk.syncFolder(folder)
}
