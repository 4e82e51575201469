// The room of the data folder: what it takes is counted, bounded by `disk.budget`, reported, and on a full volume the broker goes on with
// what was kept back.

import { isInternalTopic } from '../cluster/internal-topics.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk, Volume } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { DataDisk } from '../storage/disk/data-disk.ts'
import { DiskKeeper } from '../storage/disk/disk-keeper.ts'
import { diskReportFileName } from '../storage/disk/disk-report.ts'
import { DiskReporter } from '../storage/disk/disk-reporter.ts'
import { DiskRoom } from '../storage/disk/disk-room.ts'
import { DiskUse } from '../storage/disk/disk-use.ts'
import { FullVolume } from '../storage/disk/full-volume.ts'
import { spareBytesFor, SpareFile } from '../storage/disk/spare-file.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { parseLogFolderName } from '../storage/log-folder-name.ts'
import { metadataFolder } from './metadata.ts'

export interface DiskSpaceOptions {
  /** The machine's. */
  readonly disk: Disk
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export class DiskSpace {
  /** What everything in the data folder is to be written through. */
  readonly disk: Disk
  /** What the logs may append. */
  readonly room = new DiskRoom()
  readonly #options: DiskSpaceOptions
  readonly #use = new DiskUse()
  readonly #volume: Volume
  readonly #full: FullVolume
  #stops: (() => Promise<void>)[] = []

  /** Makes the data folder when it is absent. Rejects with the disk's faults. */
  static async open(options: DiskSpaceOptions): Promise<DiskSpace> {
    const { disk, settings } = options
    await disk.makeFolder(settings.dataFolder)
    const space = new DiskSpace(options, await disk.volume(settings.dataFolder))
    await space.#full.open()
    return space
  }

  private constructor(options: DiskSpaceOptions, volume: Volume) {
    const { disk, settings, clock, random, logger } = options
    const { dataFolder: folder } = settings
    this.#options = options
    this.#volume = volume
    const spare = new SpareFile({ disk, use: this.#use, random, folder })
    const spareBytes = spareBytesFor(volume, budgetOf(settings))
    this.#full = new FullVolume({ disk, folder, room: this.room, spare, clock, logger }, spareBytes)
    this.disk = new DataDisk({
      disk,
      use: this.#use,
      isPrivileged: (path) => isPrivileged(path.slice(folder.length + 1)),
      makeRoom: () => this.#full.makeRoom(),
    })
  }

  /** From now on the logs keep within the budget. All of them are open. */
  async keep(directory: LogDirectory): Promise<void> {
    const { settings, clock, logger } = this.#options
    const parts = { folder: directory, disk: this.disk, use: this.#use, room: this.room, clock, logger }
    const keeper = new DiskKeeper({ ...parts, settings: budgetOf(settings) })
    await keeper.start()
    this.#stops.push(() => keeper.stop())
    this.#full.start()
    // In memory there is nothing to look at from outside.
    if (this.#volume.totalBytes === Infinity) return
    const reporter = new DiskReporter({ ...parts, keeper })
    reporter.start()
    this.#stops.push(() => reporter.stop())
  }

  /** No log is touched any more when it resolves, and nothing is written unasked; what finds no room is still helped. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop()
    this.#stops = []
    await this.#full.stop()
  }
}

function budgetOf({ diskBudget, diskFreeReserve }: BrokerSettings) {
  return { budget: diskBudget, freeReserve: diskFreeReserve }
}

/** Everything but the batches of ordinary topics, those that a cleaner copies, and the report. `path`: within the data folder. */
function isPrivileged(path: string): boolean {
  const slash = path.indexOf('/')
  if (slash < 0) return !path.startsWith(diskReportFileName)
  const folder = path.slice(0, slash)
  if (folder === metadataFolder) return true
  const topic = parseLogFolderName(folder)?.topicName
  if (topic !== undefined && isInternalTopic(topic)) return true
  return !/\.(log|cleaned|swap)(\.|$)/.test(path.slice(slash))
}
