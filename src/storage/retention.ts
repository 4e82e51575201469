// Which old segments of a log go, as Kafka's UnifiedLog.deleteOldSegments: those below the log start, then the oldest while the log is
// larger than retention.bytes, then the oldest whose records are all older than retention.ms.
//
//   segments [0,99] [100,199] [200,250) of 50 bytes each, high watermark 180: only [0,99] may go
//   retention.bytes 100: [0,99] goes; 101: none, for what is left would be too little
//
// Whole segments only, and none with a record at or above the high watermark. The active one goes only when every record in it is to go; an
// empty one stays.

import type { Millis } from '../io/clock.ts'
import type { LogConfig, Offset } from './partition-log.ts'

export interface RetainedSegment {
  readonly baseOffset: Offset
  readonly sizeBytes: number
}

export interface RetainedLog<S extends RetainedSegment> {
  /** Oldest first, without gaps; the last one is active. */
  readonly segments: readonly S[]
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  readonly highWatermark: Offset
  readonly config: Pick<LogConfig, 'deletes' | 'retentionMs' | 'retentionBytes'>
}

export type DeletionReason = 'logStart' | 'size' | 'time'

export interface Deletion<S extends RetainedSegment> {
  readonly reason: DeletionReason
  /** At least one, oldest first, right after those of the deletion before. */
  readonly segments: readonly S[]
  /** Where the log starts then, at least. */
  readonly startOffset: Offset
}

/**
 * What is to be deleted, in order. `largestTimestampOf` is asked only as far as time decides: Kafka's largestTimestamp of the segment, wall
 * time in ms. A segment with a timestamp in the future is young.
 */
export async function deletionsOf<S extends RetainedSegment>(
  log: RetainedLog<S>,
  now: Millis,
  largestTimestampOf: (segment: S) => Promise<Millis> | Millis,
): Promise<Deletion<S>[]> {
  const { segments, logStartOffset, config } = log
  const { deletes, retentionMs, retentionBytes } = config
  const deletable = deletableCount(log)
  const deletions: Deletion<S>[] = []
  let next = 0
  const take = (reason: DeletionReason, upTo: number) => {
    const taken = segments.slice(next, upTo)
    if (taken.length > 0) deletions.push({ reason, segments: taken, startOffset: endOf(log, upTo - 1) })
    next = upTo
  }

  let end = next
  while (end < deletable && end + 1 < segments.length && endOf(log, end) <= logStartOffset) end++
  take('logStart', end)
  if (!deletes) return deletions

  let excessBytes = -retentionBytes
  for (let i = end; i < segments.length; i++) excessBytes += segments[i]!.sizeBytes
  while (end < deletable && excessBytes >= segments[end]!.sizeBytes) excessBytes -= segments[end++]!.sizeBytes
  take('size', end)

  if (retentionMs === Infinity) return deletions
  while (end < deletable && now - (await largestTimestampOf(segments[end]!)) > retentionMs) end++
  take('time', end)
  return deletions
}

/** How many of the oldest segments hold nothing that must stay in any case. */
function deletableCount(log: RetainedLog<RetainedSegment>): number {
  const { segments, highWatermark } = log
  let count = segments.length
  while (count > 0 && endOf(log, count - 1) > highWatermark) count--
  const active = segments.length - 1
  return count > active && segments[active]!.sizeBytes === 0 ? active : count
}

function endOf({ segments, logEndOffset }: RetainedLog<RetainedSegment>, index: number): Offset {
  return segments[index + 1]?.baseOffset ?? logEndOffset
}
