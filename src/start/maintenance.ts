// What the broker does to its logs unasked, from when it serves clients until it stops: each kind of upkeep is a service with a start and
// a stop, and they are all begun here.

import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import type { Disk } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { CleaningThread, cleaningInProcess } from '../storage/compaction/cleaning-engines.ts'
import { LogCleaner } from '../storage/compaction/log-cleaner.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { RetentionRounds } from '../storage/retention-rounds.ts'
import { Scrub } from '../storage/verify/scrub.ts'

export interface MaintenanceParts {
  readonly directory: LogDirectory
  readonly settings: BrokerSettings
  /** What the directory lies on, below all that counts what it takes. */
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

interface Service {
  start(): void
  /** Resolves when it touches no log any more. */
  stop(): Promise<void>
}

/** Begins the upkeep of the logs. The answer ends it: to be awaited before the logs close. */
export function startMaintenance(parts: MaintenanceParts): () => Promise<void> {
  const services = servicesOf(parts)
  for (const service of services) service.start()
  return async () => {
    await Promise.all(services.map((service) => service.stop()))
  }
}

function servicesOf(parts: MaintenanceParts): readonly Service[] {
  const { directory, settings, clock, random, logger } = parts
  return [
    new RetentionRounds({
      directory,
      clock,
      logger,
      initialDelayMs: settings.logInitialTaskDelayMs,
      intervalMs: settings.logRetentionCheckIntervalMs,
    }),
    ...(settings.logCleanerEnable ? [cleanerOf(parts)] : []),
    new Scrub({
      directory,
      clock,
      random,
      logger,
      bytesPerSecond: settings.logScrubMaxBytesPerSecond,
      initialDelayMs: settings.logInitialTaskDelayMs,
      intervalMs: settings.logScrubIntervalMs,
    }),
  ]
}

function cleanerOf({ directory, settings, disk, clock, random, logger }: MaintenanceParts): LogCleaner {
  const cleaner = new LogCleaner({
    directory,
    disk: directory.context.disk,
    clock,
    random,
    logger,
    // What lies in memory cannot be seen from another thread.
    engine: disk === realDisk ? new CleaningThread(clock) : cleaningInProcess(directory.context.disk, clock),
    limits: {
      keyMapBytes: settings.logCleanerDedupeBufferSize,
      loadFactor: settings.logCleanerIoBufferLoadFactor,
      bufferBytes: settings.logCleanerIoBufferSize,
      bytesPerSecond: settings.logCleanerIoMaxBytesPerSecond,
    },
    backoffMs: settings.logCleanerBackoffMs,
  })
  directory.useBackgroundWork(cleaner)
  return cleaner
}
