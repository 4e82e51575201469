// What all logs of a data folder share: the doors, and the caches whose bounds hold for the whole broker.

import type { Clock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { SlabPool } from '../lib/slab-pool.ts'
import { DeletedFiles } from './deleted-files.ts'
import { DiskRoom } from './disk/disk-room.ts'
import { FileHandles } from './file-handles.ts'
import { IndexCache } from './index-cache.ts'
import { ExpectedReads } from './expected-reads.ts'
import { TailCache } from './tail-cache.ts'

export interface StorageContext {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly handles: FileHandles
  readonly tailCache: TailCache
  /** What was read for somebody, until it was sent. */
  readonly readMemory: SlabPool
  /** What is read before somebody asks for it. */
  readonly expectedReads: ExpectedReads
  readonly indexCache: IndexCache
  readonly deletedFiles: DeletedFiles
  /** What may still be appended. */
  readonly room: DiskRoom
}

/** Bounds that hold for all logs of a broker together. */
export interface StorageLimits {
  /** Files open at once. */
  readonly openFilesMax: number
  /** Newest batches kept in memory for readers at the end of a log. */
  readonly tailCacheBytes: number
  /** Indexes of sealed segments kept in memory. */
  readonly indexCacheBytes: number
}

/** About what a dozen busy consumers have under way. What is more becomes garbage, which the collector is slow to find. */
const spareReadBytesMax = 48 * 1024 * 1024

/** For a few dozen consumers that read old records at the same time. */
const expectedReadBytesMax = 32 * 1024 * 1024

const storageLimitsDefault: StorageLimits = {
  openFilesMax: 1000,
  tailCacheBytes: 32 * 1024 * 1024,
  indexCacheBytes: 64 * 1024 * 1024,
}

export function storageContext(
  doors: { disk: Disk; clock: Clock; random: Random; logger: Logger },
  limits: Partial<StorageLimits> = {},
  room: DiskRoom = new DiskRoom(),
): StorageContext {
  const { openFilesMax, tailCacheBytes, indexCacheBytes } = { ...storageLimitsDefault, ...limits }
  return {
    ...doors,
    handles: new FileHandles(doors.disk, openFilesMax),
    tailCache: new TailCache(tailCacheBytes),
    readMemory: new SlabPool(spareReadBytesMax),
    expectedReads: new ExpectedReads(doors.clock, expectedReadBytesMax),
    indexCache: new IndexCache(doors.disk, doors.logger, indexCacheBytes),
    deletedFiles: new DeletedFiles(doors),
    room,
  }
}
