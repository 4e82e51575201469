// Which part of a log may be compacted, and whether it is worth it (Kafka's LogCleanerManager.cleanableOffsets, LogToClean). Never the active
// segment, nothing from the last stable offset on, nothing younger than min.compaction.lag.ms; whole segments only.
//
//   segments [0,99] [100,199] [200,299] [300,320], last stable offset 310, compacted to 100: clean [0,99], dirty [100,299]

import type { Millis } from '../../io/clock.ts'
import type { LogConfig, Offset } from '../partition-log.ts'

export interface RangedSegment {
  readonly baseOffset: Offset
  readonly sizeBytes: number
}

export interface RangedLog<S extends RangedSegment> {
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  /** Not above the high watermark. */
  readonly lastStableOffset: Offset
  /** Oldest first; the last one is active. */
  readonly segments: readonly S[]
  readonly config: Pick<LogConfig, 'minCompactionLagMs' | 'maxCompactionLagMs' | 'minCleanableDirtyRatio'>
  largestTimestampOf(segment: S): Promise<Millis>
  /** Greatest timestamp of its first batch. */
  firstTimestampOf(segment: S): Promise<Millis>
}

export interface CleanableRange {
  /** Below it the log was compacted. */
  readonly firstDirtyOffset: Offset
  /** Base offset of the first segment that must stay as it is. */
  readonly firstUncleanableOffset: Offset
  /** The checkpoint lies outside the log, which then counts as never compacted: it is to be set to `firstDirtyOffset`. */
  readonly resetsCheckpoint: boolean
  /** What of the cleanable part is dirty, 0 to 1, by bytes. */
  readonly dirtyRatio: number
  /** To be compacted now, by min.cleanable.dirty.ratio or max.compaction.lag.ms. */
  readonly isDue: boolean
}

/** `cleanedTo`: by the checkpoint; undefined when the log was never compacted. `now`: wall time. */
export async function cleanableRange<S extends RangedSegment>(
  log: RangedLog<S>,
  cleanedTo: Offset | undefined,
  now: Millis,
): Promise<CleanableRange> {
  const { segments, config, logStartOffset, logEndOffset } = log
  const known = cleanedTo ?? logStartOffset
  const resetsCheckpoint = known < logStartOffset || known > logEndOffset
  const firstDirtyOffset = resetsCheckpoint ? logStartOffset : known
  const active = segments.length - 1
  const firstDirty = indexAt(segments, firstDirtyOffset)
  let firstUncleanable = Math.min(active, indexAt(segments, Math.max(firstDirtyOffset, log.lastStableOffset)))
  if (config.minCompactionLagMs > 0) {
    for (let i = firstDirty; i < firstUncleanable; i++) {
      if ((await log.largestTimestampOf(segments[i]!)) > now - config.minCompactionLagMs) firstUncleanable = i
    }
  }
  let cleanBytes = 0
  let dirtyBytes = 0
  for (let i = 0; i < firstUncleanable; i++) {
    const { baseOffset, sizeBytes } = segments[i]!
    // As in Kafka: the segment that the dirty part begins inside of counts as both.
    if (baseOffset < firstDirtyOffset) cleanBytes += sizeBytes
    if (i >= firstDirty) dirtyBytes += sizeBytes
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
  return {
    firstDirtyOffset,
    firstUncleanableOffset: segments[firstUncleanable]!.baseOffset,
    resetsCheckpoint,
    dirtyRatio,
    isDue:
      dirtyBytes > 0 &&
      (dirtyRatio > config.minCleanableDirtyRatio || (await isOverdue(log, segments.slice(firstDirty, active), now))),
  }
}

/** Whether one of the sealed dirty segments began longer ago than max.compaction.lag.ms. */
async function isOverdue<S extends RangedSegment>(
  log: RangedLog<S>,
  dirty: readonly S[],
  now: Millis,
): Promise<boolean> {
  const { maxCompactionLagMs } = log.config
  if (maxCompactionLagMs === Infinity) return false
  for (const segment of dirty) {
    const timestamp = await log.firstTimestampOf(segment)
    if (timestamp > 0 && timestamp < now - maxCompactionLagMs) return true
  }
  return false
}

/** The segment that holds the offset, or the first. */
function indexAt(segments: readonly RangedSegment[], offset: Offset): number {
  return Math.max(
    0,
    segments.findLastIndex((segment) => segment.baseOffset <= offset),
  )
}
