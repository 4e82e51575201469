// From time to offset: the time index finds the segment and a place to begin, batch headers find the batch, its records the record.

import { baseOffsetOf, leaderEpochOf, maxTimestampOf, nextOffsetOf } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import { CorruptLogError } from './log-errors.ts'
import type { Offset, TimestampAndOffset } from './partition-log.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import { scanBatches } from './segment-scan.ts'

/** What a lookup may see of a log: the records in [startOffset, endOffset). */
export interface TimeLookup {
  readonly segments: readonly Segment[]
  readonly startOffset: Offset
  readonly endOffset: Offset
  indexesOf(segment: Segment): Promise<SegmentIndexes>
  /** All whole batches from the one that holds `from` to the end, when they are in memory; else null. */
  cached(from: Offset): readonly Uint8Array[] | null
}

/** First record of `timestamp` or later. */
export async function findByTimestamp(log: TimeLookup, timestamp: number): Promise<TimestampAndOffset | null> {
  for (const [i, segment] of log.segments.entries()) {
    if (!isInRange(log, i)) continue
    const indexes = await log.indexesOf(segment)
    if (greatestTimestamp(segment, indexes) < timestamp) continue
    let found: TimestampAndOffset | null = null
    const from = Math.max(indexes.times.lookup(timestamp), log.startOffset)
    await walk(log, segment, { indexes, from }, (batch) => {
      if (maxTimestampOf(batch) < timestamp) return true
      found = firstRecord(log, batch, timestamp)
      return found === null
    })
    if (found !== null) return found
  }
  return null
}

/** The record with the greatest timestamp, first of equals (KIP-734). */
export async function findMaxTimestamp(log: TimeLookup): Promise<TimestampAndOffset | null> {
  let best: { segment: Segment; timestamp: number; offset: Offset } | null = null
  for (const [i, segment] of log.segments.entries()) {
    if (!isInRange(log, i)) continue
    const greatest = await greatestInRange(log, segment, i)
    if (greatest.timestamp > (best?.timestamp ?? -1)) best = { segment, ...greatest }
  }
  if (best === null) return null
  const { segment, timestamp, offset } = best
  const indexes = await log.indexesOf(segment)
  let found: TimestampAndOffset | null = null
  await walk(log, segment, { indexes, from: offset }, (batch) => {
    if (nextOffsetOf(batch) <= offset) return true
    found = firstRecord(log, batch, timestamp)
    return false
  })
  return found
}

/** Greatest timestamp of a segment's batches in range, and the last offset of the first batch that has it. */
async function greatestInRange(
  log: TimeLookup,
  segment: Segment,
  i: number,
): Promise<{ timestamp: number; offset: Offset }> {
  const indexes = await log.indexesOf(segment)
  const next = log.segments[i + 1]?.baseOffset ?? Infinity
  const startsInside = segment.baseOffset >= log.startOffset
  if (startsInside && next <= log.endOffset) {
    return { timestamp: greatestTimestamp(segment, indexes), offset: segment.offsetOfMaxTimestamp }
  }
  let best = startsInside ? indexes.times.lastBelow(log.endOffset) : { timestamp: -1, offset: segment.baseOffset }
  const from = Math.max(log.startOffset, best.offset)
  await walk(log, segment, { indexes, from }, (batch) => {
    const timestamp = maxTimestampOf(batch)
    if (timestamp > best.timestamp) best = { timestamp, offset: nextOffsetOf(batch) - 1 }
    return true
  })
  return best
}

function greatestTimestamp(segment: Segment, { times }: SegmentIndexes): number {
  return segment.maxTimestamp ?? times.last.timestamp
}

function isInRange(log: TimeLookup, i: number): boolean {
  const { baseOffset, sizeBytes } = log.segments[i]!
  const next = log.segments[i + 1]?.baseOffset ?? Infinity
  return sizeBytes > 0 && baseOffset < log.endOffset && next > log.startOffset
}

function firstRecord(log: TimeLookup, batch: Uint8Array, timestamp: number): TimestampAndOffset | null {
  for (const record of recordsOf(batch)) {
    if (record.offset >= log.endOffset) return null
    if (record.offset >= log.startOffset && record.timestamp >= timestamp) {
      return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: leaderEpochOf(batch) }
    }
  }
  return null
}

/** Visits the segment's batches in range from about `from` on, until `visit` answers false. */
async function walk(
  log: TimeLookup,
  segment: Segment,
  { indexes, from }: { indexes: SegmentIndexes; from: Offset },
  visit: (batch: Uint8Array) => boolean,
): Promise<void> {
  // Only of the active segment, so that what is in memory is of no other.
  const cached = segment === log.segments.at(-1) ? log.cached(Math.max(from, segment.baseOffset)) : null
  if (cached !== null) {
    for (const batch of cached) if (!visit(batch)) return
    return
  }
  const scan = {
    from: indexes.offsets.lookup(from),
    to: segment.writtenBytes,
    expectedOffset: segment.baseOffset,
    verifyChecksums: false,
  }
  const scanned = await scanBatches(segment.file, scan, (bytes, at, size) => {
    if (nextOffsetOf(bytes, at) <= log.startOffset) return true
    if (baseOffsetOf(bytes, at) >= log.endOffset) return false
    return visit(bytes.subarray(at, at + size))
  })
  if (scanned.damage !== null) {
    throw new CorruptLogError(segment.file.path, scanned.position, scanned.nextOffset, scanned.damage)
  }
}
