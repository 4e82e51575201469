// What the broker does to its logs unasked, from when it serves clients until it stops: each kind of upkeep is a service with a start and
// a stop, and they are all begun here.

import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { RetentionRounds } from '../storage/retention-rounds.ts'

export interface MaintenanceParts {
  readonly directory: LogDirectory
  readonly settings: BrokerSettings
  readonly clock: Clock
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

function servicesOf({ directory, settings, clock, logger }: MaintenanceParts): readonly Service[] {
  return [
    new RetentionRounds({
      directory,
      clock,
      logger,
      initialDelayMs: settings.logInitialTaskDelayMs,
      intervalMs: settings.logRetentionCheckIntervalMs,
    }),
  ]
}
