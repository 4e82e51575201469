// What one open log holds in memory, for the rooms that share it: the log itself appends (segmented-log.ts), the roller begins and seals
// segments (log-roller.ts), the shape cuts and deletes (log-shape.ts), the reader looks (log-reader.ts).

import { invariant } from '../lib/invariant.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LoadedLog } from './loaded-log.ts'
import { LogClosedError } from './log-errors.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'

export class LogState {
  readonly name: string
  readonly folder: string
  config: LogConfig
  /** Contiguous by base offset, never empty; the last one is active. */
  segments: Segment[]
  producers: ProducerState
  epochs: LeaderEpochCache
  start: Offset
  /** As far as the start is on the disk; it may have moved on since, or back. */
  keptStart: Offset
  end: Offset
  durable: Offset
  highWatermark: Offset
  /** What lies below it was read, perhaps by a follower that keeps it. */
  copiedTo: Offset = 0
  /** Of all segments, appended but not yet written bytes included. */
  sizeBytes: number
  /** All that was appended since the log was opened. */
  appendedBytes = 0
  /** Side files say less than memory does. */
  changed: boolean
  fault: Error | null = null
  /** Set once the log closes, or is about to be deleted. */
  closing: Promise<void> | null = null
  /** Changes when the files begin to be cut, deleted or replaced, and again when that is done: odd meanwhile. */
  shape = 0
  /** The end is being cut: nothing may be appended. */
  cutting = false
  /** There was no room on the disk: nothing may be appended until the log was cut back to what is there. */
  noRoom = false

  constructor(
    place: { readonly name: string; readonly folder: string; readonly changed: boolean },
    loaded: LoadedLog,
    config: LogConfig,
  ) {
    this.name = place.name
    this.folder = place.folder
    this.changed = place.changed
    this.config = config
    this.segments = loaded.segments
    this.producers = loaded.producers
    this.epochs = loaded.epochs
    this.start = loaded.logStartOffset
    this.keptStart = loaded.logStartOffset
    this.end = loaded.logEndOffset
    this.durable = loaded.logEndOffset
    this.highWatermark = loaded.logStartOffset
    this.sizeBytes = sizeOf(loaded.segments)
  }

  get active(): Segment {
    return this.segments[this.segments.length - 1]!
  }

  get isOffline(): boolean {
    return this.fault !== null || this.closing !== null
  }

  /** Where the segment ends: the base offset of the next one, or the end of the log. */
  segmentEnd(segment: Segment): Offset {
    const index = this.segments.indexOf(segment)
    invariant(index >= 0, `${this.name} has no segment ${segment.baseOffset}`)
    return this.segments[index + 1]?.baseOffset ?? this.end
  }

  countBytes(): void {
    this.sizeBytes = sizeOf(this.segments)
  }

  throwIfOffline(): void {
    if (this.fault !== null) throw this.fault
    if (this.closing !== null) throw new LogClosedError(`${this.name} is closed`)
  }
}

function sizeOf(segments: readonly Segment[]): number {
  let sum = 0
  for (const { sizeBytes } of segments) sum += sizeBytes
  return sum
}
