// Keeps a data folder within `disk.budget` and `disk.free.reserve`. Counting is cheap and often (disk-use.ts, kept-logs.ts); what may be
// appended until the next count is a number that every append takes from (disk-room.ts), so that the budget holds at all times. When use
// comes near the limit the oldest segments go (removal-plan.ts), at once, without file.delete.delay.ms.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import type { Disk, Volume } from '../../io/disk.ts'
import type { Logger } from '../../lib/logger.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import { type BudgetSettings, type DiskLimits, diskLimits, segmentBytesMax } from './disk-limits.ts'
import { type DiskRoom, newSegmentBytes } from './disk-room.ts'
import type { DiskUse } from './disk-use.ts'
import { folderUse, type FolderUse, type KeptFolder, type PlannedLog, SegmentTimes } from './kept-logs.ts'
import { planRemoval, type Removal } from './removal-plan.ts'

export interface DiskKeeperOptions {
  readonly folder: KeptFolder
  readonly disk: Disk
  readonly use: DiskUse
  readonly room: DiskRoom
  readonly settings: BudgetSettings
  readonly clock: Clock
  readonly logger: Logger
}

/** What a count found. */
export interface DiskCount extends FolderUse {
  readonly volume: Volume
  readonly limits: DiskLimits | null
}

const countEveryMs = 1000
/** Room that other programs take is seen this late. */
const volumeEveryMs = 1000
/** Under pressure, when nothing could be deleted this time: a high watermark has to move, a segment has to be sealed. */
const againMs = 50
const nothingToDeleteMs = 500
const segmentsPerRound = 32
/** A budget that is in use is always used up: that its oldest records go is said this often at most. */
const deletingToldEveryMs = 3_600_000

export class DiskKeeper {
  readonly #options: DiskKeeperOptions
  readonly #times: SegmentTimes
  #volume: Volume = { totalBytes: Infinity, freeBytes: Infinity }
  #volumeAtMs = -Infinity
  #timer: Timer | null = null
  #working: Promise<void> | null = null
  /** Asked for while it was under way. */
  #again = false
  #stopped = false
  #told: 'none' | 'deleting' | 'nothingToDelete' = 'none'
  #deletingToldAtMs = -Infinity

  constructor(options: DiskKeeperOptions) {
    this.#options = options
    this.#times = new SegmentTimes(options.clock)
  }

  get isBound(): boolean {
    const { budget, freeReserve } = this.#options.settings
    return budget !== null || freeReserve !== null
  }

  /** All logs are open. When it resolves they are bound. Rejects when the disk cannot be counted. */
  async start(): Promise<void> {
    if (!this.isBound) return
    const { room, settings } = this.#options
    await this.#lookAtVolume()
    await this.#countFolders()
    room.segmentBytesMax = segmentBytesMax(settings, this.#volume)
    this.#publish()
    this.#work()
  }

  /** Resolves when no log is touched any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#working
  }

  /** What is used now, and the bounds for it. */
  async count(): Promise<DiskCount> {
    await this.#lookAtVolume()
    return this.#count()
  }

  /** The logs that may lose records, with what a plan needs. */
  planned(): Promise<PlannedLog[]> {
    return this.#times.of([...this.#options.folder.logs()])
  }

  #count(): DiskCount {
    const { folder, use, settings } = this.#options
    const found = folderUse(folder, use)
    return { ...found, volume: this.#volume, limits: diskLimits(settings, { ...found, volume: this.#volume }) }
  }

  /** Files of folders that no log has opened: what was set aside, what could not be opened. */
  async #countFolders(): Promise<void> {
    const { disk, folder, use } = this.#options
    for (const { name, kind } of await disk.list(folder.path)) {
      const path = `${folder.path}/${name}`
      if (kind === 'folder' && !use.isComplete(path)) await disk.list(path)
    }
  }

  async #lookAtVolume(): Promise<void> {
    const { disk, folder, clock } = this.#options
    if (clock.monotonic() - this.#volumeAtMs < volumeEveryMs) return
    this.#volume = await disk.volume(folder.path)
    this.#volumeAtMs = clock.monotonic()
  }

  #work(): void {
    if (this.#stopped) return
    if (this.#working !== null) {
      this.#again = true
      return
    }
    this.#again = false
    this.#timer?.cancel()
    const working = this.#keep()
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'the disk budget could not be looked after, it is tried again')
        return nothingToDeleteMs
      })
      .then((againInMs) => {
        this.#working = null
        if (this.#again) this.#work()
        else if (!this.#stopped) this.#timer = this.#options.clock.setTimer(againInMs, () => this.#work())
      })
    this.#working = working
  }

  /** Counts, and deletes until there is room again. Answers when to look again. */
  async #keep(): Promise<Millis> {
    const { room, folder } = this.#options
    await this.#lookAtVolume()
    for (;;) {
      const wanted = room.wantedBytes
      const { usedBytes, internalBytes, limits } = this.#publish()
      if (limits === null) return countEveryMs
      const ordinary = usedBytes - internalBytes
      // For a batch that is larger than half of the budget everything would have to go, and it would still be refused the next time.
      const wantedRoom = Math.min(wanted + newSegmentBytes, limits.hardBytes / 2)
      const start = Math.min(limits.startBytes, wanted > 0 ? limits.hardBytes - wantedRoom : Infinity)
      if (ordinary <= start || this.#stopped) {
        room.wantedBytes = 0
        room.nothingToDelete = false
        room.wakeBelow(limits.hardBytes - limits.startBytes, () => this.#work())
        if (this.#told !== 'none') this.#tell('none', usedBytes, limits)
        return countEveryMs
      }
      await folder.removeDeletedNow()
      const counted = this.#publish()
      const target = Math.min(limits.targetBytes, start)
      const excess = counted.usedBytes - counted.internalBytes - target
      if (excess <= 0) continue
      const outcome = await this.#free(excess, limits)
      if (outcome === 'freed') continue
      room.nothingToDelete = outcome === 'nothing'
      if (outcome === 'nothing') this.#tell('nothingToDelete', usedBytes, limits)
      this.#publish()
      return outcome === 'nothing' ? nothingToDeleteMs : againMs
    }
  }

  /** Counts, and gives the appends what is left. */
  #publish(): DiskCount {
    const { room } = this.#options
    const count = this.#count()
    const { limits, usedBytes, internalBytes } = count
    if (limits !== null) {
      room.counted(limits.hardBytes - (usedBytes - internalBytes), limits.reservedBytes - internalBytes)
    }
    return count
  }

  /** `later`: what may go is not sealed yet, or not committed, or could not be deleted now. */
  async #free(bytes: number, limits: DiskLimits): Promise<'freed' | 'later' | 'nothing'> {
    const { clock, folder } = this.#options
    const logs = await this.planned()
    const plan = planRemoval(logs, { bytes, segmentsMax: segmentsPerRound, nowMs: clock.now() })
    const ends = new Map<SegmentedLog, number>()
    for (const { log, segment, kind } of plan) {
      if (kind === 'roll') log.source.roll()
      if (segment.endOffset <= log.source.highWatermark) ends.set(log.source, segment.endOffset)
    }
    if (ends.size === 0)
      return logs.some((log) => log.segments.some(({ sizeBytes }) => sizeBytes > 0)) ? 'later' : 'nothing'
    this.#tell('deleting', bytes, limits)
    this.#say(plan)
    const advanced = await Promise.all([...ends].map(([log, end]) => this.#advance(log, end)))
    await folder.removeDeletedNow()
    return advanced.includes(true) ? 'freed' : 'later'
  }

  async #advance(log: SegmentedLog, end: number): Promise<boolean> {
    try {
      if (end > log.logStartOffset) await log.advanceStartTo(end)
      // It starts there since an earlier try, which did not come to an end.
      else await log.deleteBelowStart()
      return true
    } catch (error) {
      // A log that was closed or deleted meanwhile has freed its room by itself; one whose disk failed has said so.
      this.#options.logger.debug({ log: log.name, err: error }, 'a log lost no segment to the disk budget')
      return false
    }
  }

  #say(plan: readonly Removal[]): void {
    for (const { log, segment, ageMs } of plan) {
      const { baseOffset, endOffset, sizeBytes } = segment
      this.#options.logger.debug(
        { log: log.name, baseOffset, endOffset, sizeBytes, ageMs },
        'a segment goes: the disk budget is used up',
      )
    }
  }

  /** Once for each change, not for each segment; of deletions now and then only. */
  #tell(state: 'none' | 'deleting' | 'nothingToDelete', bytes: number, limits: DiskLimits): void {
    if (this.#told === state || (state === 'deleting' && this.#told === 'nothingToDelete')) return
    const { logger } = this.#options
    const fields = { limitBytes: limits.limitBytes, reservedBytes: limits.reservedBytes, bytes: Math.ceil(bytes) }
    if (state === 'deleting') {
      const now = this.#options.clock.monotonic()
      if (now - this.#deletingToldAtMs >= deletingToldEveryMs) {
        this.#deletingToldAtMs = now
        logger.info(fields, 'the disk budget is used up: the oldest segments are deleted')
      }
    } else if (state === 'nothingToDelete') {
      logger.warn(fields, 'the disk budget is used up and nothing may be deleted: producers are refused')
    } else if (this.#told === 'nothingToDelete') logger.info(fields, 'there is room in the disk budget again')
    this.#told = state
  }
}
