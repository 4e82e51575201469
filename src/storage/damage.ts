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
  magicOf,
  sizeInBytesOf,
} from '../records/batch.ts'
import { writeInt64 } from '../records/big-endian.ts'
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
  // Good but for its place among the others, which no checksum covers: the damage is there, or in the place of the one before.
  const isGood = await beginsGoodBatch(file, position, sizeBytes)
  const next = isGood
    ? position + batchLayout.leaderEpoch
    : await nextGoodBatch(file, position + 1, sizeBytes, expectedOffset)
  if (next === null) return 'tornTail'
  // To the end of its sector: that is lost, too, when the good batch begins with no more than zeros in it.
  const end = Math.min(sizeBytes, Math.ceil(next / sectorBytes) * sectorBytes)
  return (await hasLostSector(file, position, end, expectedOffset)) ? 'lostWrite' : 'rot'
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

/** Whether some sector of [from, to), or the end of the first, reads as zeros that were never written. */
async function hasLostSector(file: ReadableFile, from: number, to: number, expectedOffset: Offset): Promise<boolean> {
  const window = Buffer.allocUnsafe(windowBytes)
  let position = from
  while (position < to) {
    const windowEnd = Math.min(to, position - (position % sectorBytes) + windowBytes)
    const bytes = window.subarray(0, await file.read(window.subarray(0, windowEnd - position), position))
    if (bytes.length === 0) return false
    let at = 0
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes))
      // The first bytes of a batch may well be zeros.
      const saysMore = position + at > from || !beginsWithZeros(end - at, expectedOffset)
      if (saysMore && isZero(bytes, at, end)) return true
      at = end
    }
    position += bytes.length
  }
  return false
}

/** Whether the first `length` bytes of a batch of that offset are zeros: eight of the offset, then four of its length. */
function beginsWithZeros(length: number, offset: Offset): boolean {
  if (length >= batchLayout.leaderEpoch) return false
  const bytes = Buffer.alloc(batchLayout.leaderEpoch)
  writeInt64(bytes, 0, offset)
  return isZero(bytes, 0, length)
}

async function beginsGoodBatch(file: ReadableFile, position: number, end: number): Promise<boolean> {
  const header = Buffer.alloc(batchHeaderBytes)
  if ((await file.read(header, position)) < batchHeaderBytes || magicOf(header) !== currentMagic) return false
  const size = sizeInBytesOf(header)
  return size >= batchHeaderBytes && position + size <= end && isGoodBatch(file, position, size)
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false
  return true
}
