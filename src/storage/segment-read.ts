// Reading whole batches from a segment's file: the index gives a position near the batch, one positional read brings it and what follows.

import { baseOffsetOf, nextOffsetOf, sizeInBytesOf } from '../records/batch.ts'
import type { SlabPool } from '../lib/slab-pool.ts'
import { slabOf } from '../lib/slab.ts'
import { wholeBatchAt } from '../records/batches-in.ts'
import { CorruptLogError } from './log-errors.ts'
import type { Offset } from './partition-log.ts'
import type { Segment, SegmentIndexes } from './segment.ts'

export interface SegmentReadOptions {
  readonly from: Offset
  readonly maxBytes: number
  readonly upTo: Offset
  readonly atLeastOne: boolean
  /** What is answered lies in it, held once. */
  readonly memory: SlabPool
  /** Where the segment's batches end, as of now. */
  readonly endOffset: () => Offset
  /** Whether a thread reads even what may be in the page cache, as nobody waits for it. */
  readonly onThread: boolean
  /** About how far before the batch the index may point where it ends. */
  readonly indexIntervalBytes: number
}

/** More than this before the batch is skipped head by head rather than read. */
const skippedBytesMax = 64 * 1024
/** Enough to see a batch's size and magic. */
const headBytes = 61
const nothing = new Uint8Array(0)

/**
 * Batches from the one that holds `from`, or the first after it, all below `upTo`, as one view; empty when the limits allow none.
 * Null when the segment has none at or after `from`.
 * Rejects with `CorruptLogError` when what is there is no batch, and with the disk's faults.
 */
export async function readSegment(
  segment: Segment,
  indexes: SegmentIndexes,
  options: SegmentReadOptions,
): Promise<Uint8Array | null> {
  const { from, maxBytes, upTo, atLeastOne } = options
  const end = segment.writtenBytes
  let position = indexes.offsets.lookup(from)
  let skipped = (indexes.offsets.lookupAfter(from) ?? position + options.indexIntervalBytes) - position
  if (skipped > skippedBytesMax) {
    position = await skipBatches(segment, position, end, from)
    skipped = 0
  }
  let wanted = Math.max(maxBytes, headBytes) + skipped
  while (position < end) {
    const bytes = options.memory.take(Math.min(wanted, end - position))
    let length = options.onThread ? -1 : segment.file.readNow(bytes, position)
    if (length < 0) length = await segment.file.read(bytes, position)
    if (length < bytes.length)
      throw damaged(segment, position + length, from, 'the file is shorter than what was written')
    const start = firstBatchAt(segment, bytes, position, from)
    if (start < length) {
      const size = wholeBatchAt(bytes, start, length) === 'whole' ? sizeInBytesOf(bytes, start) : null
      if (size !== null) {
        checkEnd(segment, bytes, start, position, options)
        return bytes.subarray(start, lastBatchEnd(segment, bytes, position, start, options))
      }
    }
    // The batch goes on beyond what was read, or begins there. From there, with room for it.
    position += start
    const head = length - start
    const size = head >= headBytes ? sizeInBytesOf(bytes, start) : 0
    if (head > 0 && head < headBytes && position + head === end) throw damaged(segment, position, from, 'torn')
    if (size > end - position) throw damaged(segment, position, from, 'a batch is longer than the file')
    if (head >= headBytes) checkEnd(segment, bytes, start, position - start, options)
    const isBeyond = head >= headBytes && nextOffsetOf(bytes, start) > upTo
    slabOf(bytes)?.release()
    if (isBeyond || (size > maxBytes && !atLeastOne)) return nothing
    wanted = Math.max(size, maxBytes, headBytes)
  }
  return null
}

/**
 * Where the batch of `from` begins, found by the heads of those before it, or what lies at the first head that makes no sense. The index
 * points to the batch before it, which is not worth reading when it is large.
 */
async function skipBatches(segment: Segment, start: number, end: number, from: Offset): Promise<number> {
  const head = Buffer.allocUnsafe(headBytes)
  let position = start
  while (position + headBytes <= end) {
    let length = segment.file.readNow(head, position)
    if (length < 0) length = await segment.file.read(head, position)
    const size = length < headBytes ? 0 : sizeInBytesOf(head, 0)
    if (size < headBytes || baseOffsetOf(head, 0) > from || nextOffsetOf(head, 0) > from) break
    position += size
  }
  return Math.min(position, end)
}

/** Where the first whole batch that ends after `from` lies in `bytes`, or what is not whole begins. */
function firstBatchAt(segment: Segment, bytes: Uint8Array, position: number, from: Offset): number {
  let at = 0
  let least = segment.baseOffset
  while (at < bytes.length) {
    const state = wholeBatchAt(bytes, at, bytes.length)
    if (state === 'torn') break
    if (state !== 'whole') throw damaged(segment, position + at, from, state)
    // A batch's checksum does not cover where it begins.
    if (baseOffsetOf(bytes, at) < least) throw damaged(segment, position + at, from, 'badOffset')
    least = nextOffsetOf(bytes, at)
    if (least > from) break
    at += sizeInBytesOf(bytes, at)
  }
  return at
}

/** Where the batches from `start` on end that fit into the limits. */
function lastBatchEnd(
  segment: Segment,
  bytes: Uint8Array,
  position: number,
  start: number,
  { from, maxBytes, upTo, atLeastOne }: SegmentReadOptions,
): number {
  let at = start
  let least = segment.baseOffset
  while (at < bytes.length) {
    const state = wholeBatchAt(bytes, at, bytes.length)
    if (state === 'torn') break
    if (state !== 'whole') throw damaged(segment, position + at, from, state)
    if (baseOffsetOf(bytes, at) < least) throw damaged(segment, position + at, from, 'badOffset')
    const size = sizeInBytesOf(bytes, at)
    least = nextOffsetOf(bytes, at)
    if (least > upTo) break
    if (at + size - start > maxBytes && !(atLeastOne && at === start)) break
    at += size
  }
  return at
}

/** A batch that says it goes on beyond the segment would never be read, and those who wait for it never told. */
function checkEnd(
  segment: Segment,
  bytes: Uint8Array,
  at: number,
  position: number,
  { from, upTo, endOffset }: SegmentReadOptions,
): void {
  const next = nextOffsetOf(bytes, at)
  if (next > upTo && next > endOffset()) throw damaged(segment, position + at, from, 'badOffset')
}

function damaged(segment: Segment, position: number, offset: Offset, reason: string): CorruptLogError {
  return new CorruptLogError(segment.file.path, position, offset, reason)
}
