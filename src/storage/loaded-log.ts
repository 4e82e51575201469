// What opening a log comes to: all that it holds in memory.

import { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import { newSegment } from './segment-files.ts'
import type { StorageContext } from './storage-context.ts'
import type { CachedBatch } from './tail-cache.ts'

const shortLogBytes = 256 * 1024
/** So that thousands of logs with a few records are looked up by time without opening a file of each. */
export const keptTailBytesMax = 2048

export interface LoadedLog {
  /** At least one; the last is active. */
  segments: Segment[]
  logStartOffset: Offset
  logEndOffset: Offset
  epochs: LeaderEpochCache
  producers: ProducerState
  snapshots: Set<Offset>
  /** The file of leader epochs is as `epochs`, and survives a crash. */
  epochsOnDisk: boolean
  /** The last batches of a log so short that they are kept in memory: without gaps, to the end of the log. */
  tail: readonly CachedBatch[]
}

/** A log without records that goes on at `offset`, with nothing on disk yet. */
export function emptyLog(context: StorageContext, folder: string, offset: Offset, config: LogConfig): LoadedLog {
  const segment = newSegment(context, folder, offset, config)
  segment.startIndexes()
  return {
    segments: [segment],
    logStartOffset: offset,
    logEndOffset: offset,
    epochs: new LeaderEpochCache(),
    producers: new ProducerState(),
    snapshots: new Set(),
    epochsOnDisk: false,
    tail: [],
  }
}

/** Whether the log is all there from its very beginning, and short: then it is read whole, which costs less than its side files. */
export function isShortLog(segments: readonly Segment[]): boolean {
  const [first] = segments
  return segments.length === 1 && first!.baseOffset === 0 && first!.sizeBytes <= shortLogBytes
}
