// A data folder: the logs of one broker, and what holds for all of them. It is locked while in use, says whose it is (meta.properties),
// and keeps Kafka's checkpoints: how far each log is known to be whole, where it starts, its high watermark, how far it is compacted.

import type { Clock, Timer } from '../io/clock.ts'
import { type Disk, DiskError, type DiskLock } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import { invariant } from '../lib/invariant.ts'
import type { Logger } from '../lib/logger.ts'
import { decodeUuid } from '../lib/uuid.ts'
import { allCheckpoints, DirectoryCheckpoints } from './directory-checkpoints.ts'
import {
  type ExistingLog,
  FolderInUse,
  ForeignFolder,
  listLogs,
  putCleanMarker,
  takeCleanMarker,
  takeOver,
} from './directory-start.ts'
import type { DiskRoom } from './disk/disk-room.ts'
import { Gate } from './gate.ts'
import { deletedFolderName, type FolderName, logFolderName, strayFolderName } from './log-folder-name.ts'
import { isShortLog } from './loaded-log.ts'
import type { MetaProperties } from './meta-properties.ts'
import { encodePartitionMetadata } from './partition-metadata.ts'
import type { LogConfig, Offset } from './partition-log.ts'
import { loadLog } from './recovery.ts'
import { partitionMetadataFileName } from './segment-names.ts'
import { SegmentedLog } from './segmented-log.ts'
import { storageContext, type StorageContext, type StorageLimits } from './storage-context.ts'

export { type ExistingLog, FolderInUse, ForeignFolder } from './directory-start.ts'

export interface LogDirectoryOptions {
  readonly disk: Disk
  /** Made when absent. */
  readonly path: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly nodeId: number
  /** When left out: the one the folder has, or a new one. */
  readonly clusterId?: string
  readonly limits?: Partial<StorageLimits>
  /** What may be appended; without it there is no bound. */
  readonly room?: DiskRoom
  /** log.flush.offset.checkpoint.interval.ms, for recovery points and log starts. Default 60,000. */
  readonly checkpointIntervalMs?: number
  /** replica.high.watermark.checkpoint.interval.ms. Default 5,000. */
  readonly highWatermarkIntervalMs?: number
  /** Logs opened, recovered or closed at once. Default 16. */
  readonly parallelism?: number
}

export interface LogPlace extends FolderName {
  /** Null: not known, not checked. */
  readonly topicId: string | null
}

/** Says the high watermark of each log this broker has a replica of, by `<topic>-<partition>`. */
export type HighWatermarks = () => Iterable<readonly [name: string, highWatermark: Offset]>

/** Works on logs in the background, and is told to leave one alone, by its name, that is about to be closed or deleted. */
export interface BackgroundWork {
  /** Resolves once nothing of the log is touched any more, and nothing will be before it is opened anew. */
  release(name: string): Promise<void>
}

export class LogDirectory {
  readonly path: string
  readonly meta: MetaProperties
  /** Whether the last run ended with `close`: then no log needs to be recovered. */
  readonly wasClean: boolean
  readonly #context: StorageContext
  readonly #lock: DiskLock
  readonly #existing: Map<string, ExistingLog>
  readonly #checkpoints: DirectoryCheckpoints
  readonly #logs = new Map<string, SegmentedLog>()
  readonly #opening = new Map<string, Promise<SegmentedLog>>()
  /** Closed by this process, or before it, with nothing to recover. */
  readonly #clean = new Set<string>()
  readonly #gate: Gate
  readonly #removals = new Set<Promise<void>>()
  /** A few at a time: whoever reads or writes must not queue behind the files of thousands of deleted logs. */
  readonly #removing = new Gate(2)
  #highWatermarks: HighWatermarks = () => []
  #backgroundWork: BackgroundWork | null = null
  #timers: Timer[] = []
  #faults = 0
  #closing: Promise<void> | null = null

  private constructor(
    options: LogDirectoryOptions,
    lock: DiskLock,
    found: {
      meta: MetaProperties
      wasClean: boolean
      existing: Map<string, ExistingLog>
      checkpoints: DirectoryCheckpoints
      leftovers: readonly string[]
      gate: Gate
    },
  ) {
    this.path = options.path
    this.meta = found.meta
    this.wasClean = found.wasClean
    this.#lock = lock
    this.#context = storageContext(options, options.limits, options.room)
    this.#existing = found.existing
    this.#checkpoints = found.checkpoints
    this.#checkpoints.refresh = () => this.#refreshCheckpoints()
    this.#gate = found.gate
    if (found.wasClean) for (const name of found.existing.keys()) this.#clean.add(name)
    for (const leftover of found.leftovers) this.#removeInBackground(`${this.path}/${leftover}`)
    this.#every(options.checkpointIntervalMs ?? 60_000, () => {
      for (const log of this.#logs.values()) log.expireProducers()
      return this.checkpoint()
    })
    this.#every(options.highWatermarkIntervalMs ?? 5_000, () => this.#checkpoints.write(['highWatermarks']))
  }

  /**
   * Takes the folder for this broker. Rejects with `FolderInUse`, with `ForeignFolder` when it belongs to another node or cluster, and
   * with the disk's faults.
   */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const { disk, path } = options
    await disk.makeFolder(path)
    const lock = await disk.lock(path)
    if (lock === null) throw new FolderInUse(path)
    try {
      const meta = await takeOver(options, path, { nodeId: options.nodeId, clusterId: options.clusterId })
      const gate = new Gate(options.parallelism ?? 16)
      const { existing, leftovers } = await listLogs(disk, path, gate)
      const checkpoints = await DirectoryCheckpoints.read(options, path, existing)
      const wasClean = await takeCleanMarker(disk, path)
      // What was read may so far be in the page cache only: a killed process left it there.
      if (!wasClean) await disk.syncFolder(path)
      return new LogDirectory(options, lock, { meta, wasClean, existing, checkpoints, leftovers, gate })
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  get context(): StorageContext {
    return this.#context
  }

  /** Bytes of all open logs. */
  get sizeBytes(): number {
    let sum = 0
    for (const log of this.#logs.values()) sum += log.sizeBytes
    return sum
  }

  /** Bytes of deleted segments whose files still wait for file.delete.delay.ms to pass. */
  get deletedBytes(): number {
    return this.#context.deletedFiles.sizeBytes
  }

  /** Removes the files of deleted segments now, whatever their delay: the room is needed. Never rejects. */
  removeDeletedNow(): Promise<void> {
    return this.#context.deletedFiles.removeNow()
  }

  /** The logs that are open, in the order they were opened. */
  logs(): IterableIterator<SegmentedLog> {
    return this.#logs.values()
  }

  /** The logs that have a folder, open or not, as of when the directory was opened and what was opened or deleted since. */
  existing(): ExistingLog[] {
    return [...this.#existing.values()]
  }

  /** Who knows the high watermarks; they are written every few seconds and on close. */
  useHighWatermarks(highWatermarks: HighWatermarks): void {
    this.#highWatermarks = highWatermarks
  }

  /** The high watermark of a log when it was last checkpointed, or 0. */
  highWatermarkOf(name: FolderName): Offset {
    return this.#checkpoints.highWatermarks.get(logFolderName(name)) ?? 0
  }

  /** Who compacts the logs. */
  useBackgroundWork(work: BackgroundWork): void {
    this.#backgroundWork = work
  }

  /** Below it the log was compacted; undefined when it never was. It falls when the log is cut, and may lie outside the log. */
  cleanedTo(name: string): Offset | undefined {
    return this.#checkpoints.cleaned.get(name)
  }

  /** The log was compacted up to there, durably. Rejects with the disk's faults. */
  async setCleanedTo(name: string, offset: Offset): Promise<void> {
    if (!this.#existing.has(name)) return
    this.#checkpoints.cleaned.set(name, offset)
    await this.#checkpoints.write(['cleaned'])
  }

  /**
   * Opens a log, making it when it does not exist: nothing is written then until its first append. A log that cannot be opened comes back
   * offline, with its `fault`. Rejects with `ForeignFolder` when the folder belongs to another topic of that name.
   */
  openLog(place: LogPlace & { readonly config: LogConfig }): Promise<SegmentedLog> {
    const name = logFolderName(place)
    const known = this.#opening.get(name)
    if (known !== undefined) return known
    const opening = this.#gate.run(() => this.#open(name, place))
    this.#opening.set(name, opening)
    opening.catch(() => this.#opening.delete(name))
    return opening
  }

  /** The log, when it is open. */
  log(name: FolderName): SegmentedLog | undefined {
    return this.#logs.get(logFolderName(name))
  }

  /** Deletes a log for good, open or not. When it resolves its name is free; the bytes go in the background. */
  async deleteLog(place: FolderName): Promise<void> {
    const name = logFolderName(place)
    await this.#opening.get(name)?.catch(() => undefined)
    await this.#backgroundWork?.release(name)
    const log = this.#logs.get(name)
    if (log !== undefined) await log.abandon()
    this.#forget(name)
    // The folder of an open log may be half made.
    const known = this.#existing.get(name)
    const mayExist = this.#existing.delete(name) || log !== undefined
    const { random } = this.#context
    if (!mayExist) {
      this.#checkpoints.forget(name)
      return
    }
    this.#context.deletedFiles.forget(`${this.path}/${name}`)
    const target = deletedFolderName(place, hexOf(random.uuid()))
    const isThere = await this.#moveAway(name, target).catch((error: unknown) => {
      // Its name is not free: the folder may be there, with all it holds.
      if (known !== undefined) this.#existing.set(name, known)
      throw error
    })
    // Not before: should the log come back, what is known of it still holds.
    this.#checkpoints.forget(name)
    if (isThere) this.#removeInBackground(`${this.path}/${target}`)
  }

  /**
   * Takes a log that is not open out of use without deleting it: its folder gets a name of its own, as Kafka's stray logs, and its name
   * is free. Answers the new name of the folder.
   */
  async setAside(place: FolderName): Promise<string> {
    const name = logFolderName(place)
    invariant(this.#existing.has(name) && !this.#opening.has(name), `${name} is open, or not there`)
    const { random } = this.#context
    this.#context.deletedFiles.forget(`${this.path}/${name}`)
    const target = strayFolderName(place, hexOf(random.uuid()))
    await this.#moveAway(name, target)
    this.#forget(name)
    this.#existing.delete(name)
    this.#checkpoints.forget(name)
    return target
  }

  /** Closes one log and keeps it: this broker no longer has a replica, or moves it. */
  async closeLog(place: FolderName): Promise<void> {
    const name = logFolderName(place)
    await this.#opening.get(name)?.catch(() => undefined)
    await this.#backgroundWork?.release(name)
    const log = this.#logs.get(name)
    if (log !== undefined) await this.#closeLog(name, log)
  }

  /** Writes all checkpoints that changed. Rejects with the disk's faults. */
  checkpoint(): Promise<void> {
    return this.#checkpoints.write(allCheckpoints)
  }

  /**
   * Closes all logs, writes the checkpoints, and then the mark of a clean shutdown; without it, when anything failed, or when a log that
   * needs recovery was never opened. Frees the folder in any case. Never rejects: what fails is logged.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(name: string, place: LogPlace & { readonly config: LogConfig }): Promise<SegmentedLog> {
    const folder = `${this.path}/${name}`
    const found = this.#existing.get(name)
    if (found !== undefined && found.topicId !== null && place.topicId !== null && found.topicId !== place.topicId) {
      throw new ForeignFolder(folder, 'topic', found.topicId, place.topicId)
    }
    const log = await this.#load(name, folder, found, place)
    this.#logs.set(name, log)
    return log
  }

  async #load(
    name: string,
    folder: string,
    found: ExistingLog | undefined,
    place: LogPlace & { readonly config: LogConfig },
  ): Promise<SegmentedLog> {
    const { config, topicId } = place
    const clean = this.#clean.delete(name)
    // That far the recovery point is known to be on the disk.
    let checkpointed = 0
    const host = {
      create: () => this.#create(folder, place),
      sealed: async (end: Offset) => {
        if (end <= checkpointed) return
        await this.#checkpoints.write(['recoveryPoints'])
        checkpointed = end
      },
      startAdvanced: () => this.#checkpoints.write(['logStarts']),
      truncating: (end: Offset) => {
        this.#checkpoints.lower(name, end)
        checkpointed = Math.min(checkpointed, end)
        return this.checkpoint()
      },
    }
    try {
      if (found !== undefined && found.topicId === null && topicId !== null) await this.#create(folder, place)
      // What was left of an earlier opening goes now, with the folder's other leftovers.
      this.#context.deletedFiles.forget(folder)
      const loaded = await loadLog(this.#context, {
        folder,
        config,
        clean: clean || found === undefined,
        recoveryPoint: this.#checkpoints.recoveryPoints.get(name) ?? 0,
        // Without fsync the high watermark says nothing about the disk.
        confirmedOffset: config.flushPolicy === 'fsync' ? (this.#checkpoints.highWatermarks.get(name) ?? 0) : 0,
        logStartOffset: this.#checkpoints.logStarts.get(name) ?? 0,
      })
      const created = found !== undefined
      // A file of leader epochs that was lost is written again on close; a short log is read whole anyway.
      const changed = !clean || (!loaded.epochsOnDisk && !isShortLog(loaded.segments))
      return new SegmentedLog(this.#context, { name, folder, created, changed }, loaded, config, host)
    } catch (error) {
      this.#faults++
      const fault = error instanceof Error ? error : new Error(`${name} cannot be opened`, { cause: error })
      return SegmentedLog.offline(this.#context, { name, folder }, config, host, fault)
    }
  }

  /** Makes the folder of a log that is about to be written, or names its topic. */
  async #create(folder: string, place: LogPlace): Promise<void> {
    const { topicName, partition, topicId } = place
    const { disk } = this.#context
    await this.#checkpoints.nameIsFree(logFolderName(place))
    await disk.makeFolder(folder)
    if (topicId !== null) {
      await disk.replaceFile(`${folder}/${partitionMetadataFileName}`, encodePartitionMetadata(topicId))
    }
    this.#existing.set(logFolderName(place), { folder, topicName, partition, topicId })
  }

  /** Durably; false when there is no folder. When it fails the log may be back after a crash: then no close is a clean one. */
  async #moveAway(name: string, target: string): Promise<boolean> {
    const { disk } = this.#context
    try {
      await disk.rename(`${this.path}/${name}`, `${this.path}/${target}`)
      await disk.syncFolder(this.path)
      return true
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return false
      this.#faults++
      throw error
    }
  }

  #forget(name: string): void {
    this.#logs.delete(name)
    this.#opening.delete(name)
    this.#clean.delete(name)
  }

  async #closeLog(name: string, log: SegmentedLog): Promise<void> {
    await log.close()
    this.#note(name, log)
    if (log.fault !== null) this.#faults++
    this.#forget(name)
    if (log.fault === null) this.#clean.add(name)
  }

  /** What the checkpoints say of an open log. A recovery point falls only when the log is cut: no file may promise more. */
  #note(name: string, log: SegmentedLog): void {
    if (log.fault !== null || !this.#existing.has(name)) return
    const { recoveryPoints, logStarts } = this.#checkpoints
    if (log.recoveryPoint > (recoveryPoints.get(name) ?? 0)) recoveryPoints.set(name, log.recoveryPoint)
    // A start that the log does not reach after a crash would make it one without a past.
    const logStart = log.startToKeep
    if (logStart > 0 || logStarts.has(name)) logStarts.set(name, logStart)
  }

  /** Brings the checkpoints up to date, a log with each step. */
  *#refreshCheckpoints(): Generator<void> {
    for (const [name, log] of this.#logs) {
      this.#note(name, log)
      yield
    }
    for (const [name, offset] of this.#highWatermarks()) {
      const log = this.#logs.get(name)
      if (log === undefined || log.fault !== null || !this.#existing.has(name)) continue
      // Never more than what is known to be on this disk, for recovery takes it as a promise.
      this.#checkpoints.highWatermarks.set(name, Math.min(offset, log.durableOffset))
      yield
    }
  }

  #every(intervalMs: number, work: () => Promise<void>): void {
    const { clock, logger } = this.#context
    const index = this.#timers.length
    const arm = () => {
      this.#timers[index] = clock.setTimer(intervalMs, () => {
        work().catch((error: unknown) =>
          logger.error({ folder: this.path, err: error }, 'a checkpoint could not be written'),
        )
        arm()
      })
    }
    arm()
  }

  #removeInBackground(path: string): void {
    const { disk, logger } = this.#context
    const removal = this.#removing
      .run(() => disk.remove(path))
      .catch((error: unknown) =>
        logger.warn({ path, err: error }, 'a deleted log could not be removed, the next start tries again'),
      )
      .then(() => {
        this.#removals.delete(removal)
      })
    this.#removals.add(removal)
  }

  async #close(): Promise<void> {
    const { disk, logger } = this.#context
    for (const timer of this.#timers) timer.cancel()
    await Promise.allSettled(this.#opening.values())
    const logs = [...this.#logs]
    await Promise.all(logs.map(([, log]) => this.#gate.run(() => log.close())))
    await Promise.all([...this.#removals, this.#context.deletedFiles.stop()])
    for (const [, log] of logs) if (log.fault !== null) this.#faults++
    try {
      await this.checkpoint()
      const unchecked = [...this.#existing.keys()].some((name) => !this.#logs.has(name) && !this.#clean.has(name))
      if (this.#faults === 0 && !unchecked) await putCleanMarker(disk, this.path)
    } catch (error) {
      logger.error({ folder: this.path, err: error }, 'the data folder could not be closed cleanly')
    }
    await this.#lock
      .release()
      .catch((error: unknown) => logger.warn({ folder: this.path, err: error }, 'the lock stays'))
  }
}

function hexOf(uuid: string): string {
  return Buffer.from(decodeUuid(uuid)!).toString('hex')
}
