// After an unclean stop a segment may hold bytes that make no batch. Either a crash left them (writes that were never synced arrive in
// part: a torn tail) and they go, or something that was confirmed has rotted, and then nothing may be cut.
//
// What tells them apart: everything confirmed before is older, so a torn write has no good batch after it, unless the disk wrote
// sectors out of order. Then the missing sectors read as zeros, for the file had only just grown. Damage with good batches
// after it and without a sector of zeros is rot.

import {
  baseOffsetOf,
  batchHeaderBytes,
  batchLayout,
  computedCrcOf,
  crcOf,
  currentMagic,
  sizeInBytesOf,
} from '../records/batch.ts'
import type { DiskFile } from '../io/disk.ts'
import type { Offset } from './partition-log.ts'

/** Looked at in one turn of the event loop. */
const windowBytes = 256 * 1024
/** What disks write whole or not at all. */
const sectorBytes = 512

type ReadableFile = Pick<DiskFile, 'read'>

export type Verdict = 'tornTail' | 'lostWrite' | 'rot'

/** Judges the bytes of `file` from `position` on, where a batch of `expectedOffset` or later should begin. */
export async function judgeDamage(
  file: ReadableFile,
  position: number,
  sizeBytes: number,
  expectedOffset: Offset,
): Promise<Verdict> {
  const next = await nextGoodBatch(file, position + 1, sizeBytes, expectedOffset)
  if (next === null) return 'tornTail'
  return (await hasSectorOfZeros(file, position, next)) ? 'lostWrite' : 'rot'
}

/** Offsets in one segment lie within this of each other: it is where an index can still point. */
const offsetsApartMax = 2147483648

/** Position of the first whole batch with a right checksum from `from` on, or null. */
export async function nextGoodBatch(
  file: ReadableFile,
  from: number,
  end: number,
  expectedOffset: Offset,
): Promise<number | null> {
  const window = Buffer.allocUnsafe(Math.min(windowBytes, Math.max(0, end - from)))
  let position = from
  while (end - position >= batchHeaderBytes) {
    const length = await file.read(window.subarray(0, Math.min(window.length, end - position)), position)
    if (length < batchHeaderBytes) return null
    for (let at = magicFrom(window, 0); at >= 0 && at + batchHeaderBytes <= length; at = magicFrom(window, at + 1)) {
      const size = sizeInBytesOf(window, at)
      const offset = baseOffsetOf(window, at)
      if (size < batchHeaderBytes || position + at + size > end || offset < expectedOffset) continue
      if (offset > expectedOffset + offsetsApartMax) continue
      if (await isGoodBatch(file, position + at, size)) return position + at
    }
    position += length - batchHeaderBytes + 1
  }
  return null
}

/** The first place from `at` on where a batch of today's format may begin, or a negative number. */
function magicFrom(window: Buffer, at: number): number {
  return window.indexOf(currentMagic, at + batchLayout.magic) - batchLayout.magic
}

async function isGoodBatch(file: ReadableFile, position: number, size: number): Promise<boolean> {
  const batch = Buffer.allocUnsafe(size)
  return (await file.read(batch, position)) === size && crcOf(batch) === computedCrcOf(batch)
}

/** Whether some sector's part of [from, to) is all zeros. */
async function hasSectorOfZeros(file: ReadableFile, from: number, to: number): Promise<boolean> {
  const window = Buffer.allocUnsafe(windowBytes)
  let position = from
  while (position < to) {
    const windowEnd = Math.min(to, position - (position % sectorBytes) + windowBytes)
    const bytes = window.subarray(0, await file.read(window.subarray(0, windowEnd - position), position))
    if (bytes.length === 0) return false
    let at = 0
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes))
      if (isZero(bytes, at, end)) return true
      at = end
    }
    position += bytes.length
  }
  return false
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false
  return true
}
