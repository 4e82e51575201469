// Which segments a cleaning makes one of: neighbours, as many as fit into a segment of the log's size with its indexes, so that cleaned
// segments do not become ever smaller (Kafka's Cleaner.groupSegmentsBySize).

import type { Offset } from '../partition-log.ts'

export interface GroupedSegment {
  readonly baseOffset: Offset
  readonly sizeBytes: number
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
}

export interface GroupLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  /** Where the last of the segments ends. */
  readonly endOffset: Offset
}

/** Offsets in an index are int32, relative to the base offset. */
const offsetSpanMax = 2147483647

/** Oldest first; every segment is in one group. */
export function groupSegments<T extends GroupedSegment>(segments: readonly T[], limits: GroupLimits): T[][] {
  const groups: T[][] = []
  let sum = { sizeBytes: 0, offsetIndexBytes: 0, timeIndexBytes: 0 }
  for (const [i, segment] of segments.entries()) {
    const group = groups.at(-1)
    const lastOffset = (segments[i + 1]?.baseOffset ?? limits.endOffset) - 1
    if (
      group !== undefined &&
      sum.sizeBytes + segment.sizeBytes <= limits.segmentBytes &&
      sum.offsetIndexBytes + segment.offsetIndexBytes <= limits.segmentIndexBytes &&
      sum.timeIndexBytes + segment.timeIndexBytes <= limits.segmentIndexBytes &&
      (segment.sizeBytes === 0 || lastOffset - group[0]!.baseOffset <= offsetSpanMax)
    ) {
      group.push(segment)
      sum.sizeBytes += segment.sizeBytes
      sum.offsetIndexBytes += segment.offsetIndexBytes
      sum.timeIndexBytes += segment.timeIndexBytes
    } else {
      groups.push([segment])
      const { sizeBytes, offsetIndexBytes, timeIndexBytes } = segment
      sum = { sizeBytes, offsetIndexBytes, timeIndexBytes }
    }
  }
  return groups
}
