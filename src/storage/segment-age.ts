// How old a sealed segment is, from the last entry of its time index alone: retention asks every segment that may have expired, and the
// whole index may be megabytes.

import { DiskError, type Disk, type DiskFile } from '../io/disk.ts'
import type { Offset } from './partition-log.ts'
import type { Segment } from './segment.ts'
import { lastTimeIndexEntry, timeIndexEntryBytes } from './time-index.ts'

/**
 * Brings the segment's greatest timestamp into memory. False when the end of its time index does not say it for certain: then the whole
 * index, or the batches, must. `endOffset`: where the next segment begins. Rejects with the disk's faults.
 */
export async function readGreatestTimestamp(disk: Disk, segment: Segment, endOffset: Offset): Promise<boolean> {
  const tail = await tailOf(disk, segment.timeIndexPath, 2 * timeIndexEntryBytes)
  const entry = tail === null ? null : lastTimeIndexEntry(tail, segment.baseOffset, endOffset)
  if (entry === null) return false
  // Meanwhile it may have become the active one again.
  if (segment.maxTimestamp === null) {
    segment.maxTimestamp = entry.timestamp
    segment.offsetOfMaxTimestamp = entry.offset
  }
  return true
}

/** The last `lengthMax` bytes of a file, or fewer; null when there is no such file. */
async function tailOf(disk: Disk, path: string, lengthMax: number): Promise<Uint8Array | null> {
  let file: DiskFile
  try {
    file = await disk.open(path, { readOnly: true })
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return null
    throw error
  }
  try {
    const size = await file.size()
    const bytes = new Uint8Array(size % timeIndexEntryBytes === 0 ? Math.min(size, lengthMax) : 0)
    return bytes.subarray(0, await file.read(bytes, size - bytes.length))
  } finally {
    await file.close()
  }
}
