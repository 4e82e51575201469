// The logs of a data folder as the disk budget sees them.

import { type Clock, nextTurn } from '../../io/clock.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import type { Segment } from '../segment.ts'
import { blockBytes, type DiskUse } from './disk-use.ts'
import type { RemovableLog, RemovableSegment } from './removal-plan.ts'

/** `LogDirectory` is one. */
export interface KeptFolder {
  readonly path: string
  logs(): Iterable<SegmentedLog>
  /** Removes the files of deleted segments now, whatever their delay. Never rejects. */
  removeDeletedNow(): Promise<void>
}

export interface PlannedLog extends RemovableLog {
  readonly source: SegmentedLog
}

/** Side files that are written when a segment is sealed: two indexes and a snapshot, each with the rest of its last block. */
const sideFileBlocks = 4 * blockBytes
/** Of a producer, in a snapshot. */
const producerBytes = 46

export interface FolderUse {
  /** On disk, and on its way there. */
  readonly usedBytes: number
  /** Of it all but the ordinary topics. */
  readonly internalBytes: number
}

/** What the logs take, and are about to take with what has been appended. */
export function folderUse(folder: KeptFolder, use: DiskUse): FolderUse {
  let ordinary = 0
  let pending = 0
  let cleaning = 0
  for (const log of folder.logs()) {
    const coming = comingOf(log)
    pending += coming
    if (log.config.compacts) cleaning = Math.max(cleaning, Math.min(log.sizeBytes, log.segmentBytesMax))
    if (log.config.budgetPolicy !== 'exempt') ordinary += use.bytesIn(log.folder) + coming
  }
  // The cleaner writes one segment at a time, of one log, beside those it is made of.
  const usedBytes = use.totalBytes + pending + cleaning
  return { usedBytes, internalBytes: usedBytes - ordinary }
}

/** Bytes that are appended and not written yet, and the side files that come with them. */
function comingOf(log: SegmentedLog): number {
  const { segments } = log
  const active = segments[segments.length - 1]!
  if (active.sizeBytes === 0) return log.queuedBytes
  const { indexes } = active
  const indexBytes = indexes === null ? 0 : indexes.offsets.sizeBytes + indexes.times.sizeBytes
  return log.queuedBytes + indexBytes + sideFileBlocks + log.producers.size * producerBytes
}

/** Work over all logs gives way to others after so many of them. */
export const logsPerTurn = 500

/** Reads what the planner has to know, and remembers it of segments that are sealed: their records do not change. */
export class SegmentTimes {
  readonly #sealed = new WeakMap<Segment, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Logs that cannot be asked are left out: they are offline, or closed. */
  async of(logs: readonly SegmentedLog[]): Promise<PlannedLog[]> {
    const planned: PlannedLog[] = []
    let seen = 0
    for (const source of logs) {
      if (++seen % logsPerTurn === 0) await nextTurn(this.#clock)
      if (source.fault !== null || source.config.budgetPolicy !== 'delete' || source.sizeBytes === 0) continue
      const segments = await this.#segmentsOf(source)
      if (segments === null) continue
      const { budgetWeight: weight, budgetPolicy: policy } = source.config
      const { name, highWatermark } = source
      planned.push({ source, name, weight, policy, highWatermark, segments })
    }
    return planned
  }

  async #segmentsOf(log: SegmentedLog): Promise<RemovableSegment[] | null> {
    const found = [...log.segments]
    const end = log.logEndOffset
    const segments: RemovableSegment[] = []
    for (let i = 0; i < found.length; i++) {
      const segment = found[i]!
      const active = i === found.length - 1
      let newestMs = active ? undefined : this.#sealed.get(segment)
      if (newestMs === undefined) {
        try {
          newestMs = await log.largestTimestampOf(segment)
        } catch {
          return null
        }
        if (!active) this.#sealed.set(segment, newestMs)
      }
      const { baseOffset, sizeBytes } = segment
      segments.push({ baseOffset, endOffset: found[i + 1]?.baseOffset ?? end, sizeBytes, newestMs, active })
    }
    return segments
  }
}
