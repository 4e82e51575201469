// What `odradek start --brokers N` runs N times: a broker that takes its orders over a channel. Nobody else starts it.

import { parseBrokerSettings } from '../cluster/settings/broker-settings.ts'
import { parentChannel } from '../io/child-process.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { StartRefused } from '../start/start-refused.ts'
import { superviseBroker } from '../start/supervised-broker.ts'
import { EXIT_FAULT } from './exit-status.ts'
import type { LogLevel } from './json-lines.ts'
import { openLog } from './log-output.ts'

/** A supervisor that is gone takes its brokers along: so long they may take to leave their folders in order. */
const ORPHAN_MS_MAX = 5_000

const channel = parentChannel()
if (channel === null) {
  process.stderr.write('odradek: this is a part of odradek start --brokers\n')
  process.exit(EXIT_FAULT)
}

let logger: Logger | null = null
let ending = false

const stop = superviseBroker({
  channel,
  clock: systemClock,
  optionsFor(settings, { dev, logLevel, onTerminal }) {
    const parsed = parseBrokerSettings(settings)
    if (!parsed.ok) throw new StartRefused(parsed.problems.join('; '))
    logger = openLog(logLevel as LogLevel, onTerminal, { broker: parsed.settings.brokerId })
    return {
      settings: parsed.settings,
      removeMembersOnDisconnect: dev,
      disk: realDisk,
      network: realNetwork,
      clock: systemClock,
      random: systemRandom,
      logger,
    }
  },
  onEnd(error) {
    if (error === null) process.exit(0)
    if (ending) return
    ending = true
    if (!(error instanceof StartRefused)) logger?.error({ err: error }, 'the broker cannot go on')
    setTimeout(() => process.exit(EXIT_FAULT), ORPHAN_MS_MAX).unref()
    exitWhenStopped(EXIT_FAULT)
  },
})

function exitWhenStopped(status: number): void {
  void stop().finally(() => process.exit(status))
}

// What nobody expected may have left anything half done: better to start again from the disk, and recover.
process.on('uncaughtException', (error, origin) => {
  logger?.error({ err: error, origin }, 'the broker met an error it does not know and ends')
  process.exit(EXIT_FAULT)
})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    if (ending) return
    ending = true
    exitWhenStopped(0)
  })
}
