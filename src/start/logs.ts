// Takes the data folder for this broker, and says in the operator's words why it cannot.

import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import { type Disk, DiskError } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { FolderInUse, ForeignFolder, LogDirectory } from '../storage/log-directory.ts'
import { StartRefused } from './start-refused.ts'

/** Rejects with `StartRefused` when the folder is another broker's, or cannot be used. */
export async function openLogDirectory(options: {
  settings: BrokerSettings
  disk: Disk
  clock: Clock
  random: Random
  logger: Logger
}): Promise<LogDirectory> {
  const { settings, ...doors } = options
  try {
    return await LogDirectory.open({ ...doors, path: settings.dataFolder, nodeId: settings.brokerId })
  } catch (error) {
    if (error instanceof FolderInUse || error instanceof ForeignFolder) {
      throw new StartRefused(error.message, { cause: error })
    }
    if (error instanceof DiskError) {
      throw new StartRefused(`cannot use the data folder ${settings.dataFolder}: ${error.message}`, { cause: error })
    }
    throw error
  }
}
