// Reading a sealed segment from front to back for a cleaning: a buffer at a time, every checksum verified, for what is written anew gets a
// new one, and damage must not become truth that way.

import type { Disk } from '../../io/disk.ts'
import {
  baseOffsetOf,
  computedCrcOf,
  crcOf,
  lastOffsetDeltaOf,
  nextOffsetOf,
  sizeInBytesOf,
} from '../../records/batch.ts'
import { wholeBatchAt } from '../../records/batches-in.ts'
import { CorruptLogError } from '../log-errors.ts'
import type { Offset } from '../partition-log.ts'
import type { Pace } from './pace.ts'

export interface WalkedSegment {
  readonly path: string
  readonly baseOffset: Offset
  readonly sizeBytes: number
  /** Where the next segment begins. */
  readonly endOffset: Offset
}

export interface WalkOptions {
  readonly bufferBytes: number
  readonly pace: Pace
}

/**
 * Shows `visit` each batch, which is only valid until it is done; it may answer `false` to stop. Answers how many bytes were read. Rejects
 * with `CorruptLogError` when a batch is damaged, and with the disk's faults.
 */
export async function walkSegment(
  disk: Disk,
  segment: WalkedSegment,
  { bufferBytes, pace }: WalkOptions,
  visit: (batch: Uint8Array) => boolean | void | Promise<void>,
): Promise<number> {
  if (segment.sizeBytes === 0) return 0
  const file = await disk.open(segment.path, { readOnly: true })
  try {
    let buffer = Buffer.allocUnsafe(Math.min(bufferBytes, segment.sizeBytes))
    let position = 0
    let nextOffset = segment.baseOffset
    let bytesRead = 0
    while (position < segment.sizeBytes) {
      const wanted = Math.min(buffer.length, segment.sizeBytes - position)
      const length = await file.read(buffer.subarray(0, wanted), position)
      bytesRead += length
      pace.spend(length)
      if (length < wanted) throw damaged(segment, position + length, nextOffset, 'the file is shorter than the segment')
      let at = 0
      while (at < length) {
        const state = wholeBatchAt(buffer, at, length)
        if (state === 'torn') break
        const damage = state === 'whole' ? damageOf(buffer, at, nextOffset, segment.endOffset) : state
        if (damage !== null) throw damaged(segment, position + at, nextOffset, damage)
        const size = sizeInBytesOf(buffer, at)
        nextOffset = nextOffsetOf(buffer, at)
        const waits = pace.next()
        if (waits !== null) await waits
        const visited = visit(buffer.subarray(at, at + size))
        if (visited === false) return bytesRead
        if (visited instanceof Promise) await visited
        at += size
      }
      position += at
      if (at > 0) continue
      // A batch that is longer than the buffer: make room for it.
      const size = length < 12 ? Infinity : sizeInBytesOf(buffer)
      if (position + size > segment.sizeBytes) throw damaged(segment, position, nextOffset, 'torn')
      buffer = Buffer.allocUnsafe(Math.max(size, bufferBytes))
    }
    return bytesRead
  } finally {
    await file.close()
  }
}

function damageOf(bytes: Uint8Array, at: number, nextOffset: Offset, endOffset: Offset): string | null {
  const outOfOrder = baseOffsetOf(bytes, at) < nextOffset || lastOffsetDeltaOf(bytes, at) < 0
  if (outOfOrder || nextOffsetOf(bytes, at) > endOffset) return 'badOffset'
  return crcOf(bytes, at) === computedCrcOf(bytes, at) ? null : 'badChecksum'
}

function damaged(segment: WalkedSegment, position: number, offset: Offset, damage: string): CorruptLogError {
  return new CorruptLogError(segment.path, position, offset, damage)
}
