// `odradek start --brokers N`: several brokers on this machine, each a process, under this one.

import { fileURLToPath } from 'node:url'
import { MetaStoreServer } from '../cluster/remote/meta-store-server.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { startChild } from '../io/child-process.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import type { Logger } from '../lib/logger.ts'
import { openSharedFolder, settingsOfOne, type SharedFolder } from '../start/several-brokers.ts'
import { asRefusal, StartRefused } from '../start/start-refused.ts'
import type { Manner } from '../start/supervision.ts'
import { type SupervisedBroker, Supervisor } from '../start/supervisor.ts'
import { nodeFlags } from './node-flags.ts'

/** The module as it lies beside this one: source in development, JavaScript in the package. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './supervised-broker.ts' : './supervised-broker.js', import.meta.url),
)

export interface SeveralOptions {
  readonly count: number
  readonly settings: BrokerSettings
  readonly manner: Manner
  readonly logger: Logger
  readonly onFault: (error: unknown) => void
}

export interface RunningBrokers {
  readonly brokers: readonly SupervisedBroker[]
  stop(): Promise<void>
  /** At once. */
  kill(): void
}

/** Rejects with `StartRefused`. */
export async function startSeveral(options: SeveralOptions): Promise<RunningBrokers> {
  const { dataFolder } = options.settings
  try {
    const folder = await openSharedFolder(realDisk, systemClock, dataFolder)
    void folder.store.failed.then(options.onFault)
    return await launched(options, folder)
  } catch (error) {
    throw asRefusal(error, dataFolder)
  }
}

async function launched(
  { count, settings, manner, logger }: SeveralOptions,
  folder: SharedFolder,
): Promise<RunningBrokers> {
  const supervisor = new Supervisor({
    brokerIds: Array.from({ length: count }, (_, index) => index + 1),
    settingsOf: (brokerId, bound) => settingsOfOne({ settings, common: settings.given, count }, brokerId, bound),
    manner,
    metadata: new MetaStoreServer({ store: folder.store, clock: systemClock }),
    launch: (brokerId) => startChild({ program, nodeFlags, args: [], onLine: (line) => print(brokerId, line, manner) }),
    clock: systemClock,
    logger,
  })
  process.once('exit', () => supervisor.kill())
  const stop = async (): Promise<void> => {
    await supervisor.stop()
    await folder.close()
  }
  try {
    const brokers = await supervisor.start()
    if (new Set(brokers.map(({ clusterId }) => clusterId)).size > 1)
      throw new StartRefused('brokers of several clusters')
    return { brokers, stop, kill: () => supervisor.kill() }
  } catch (error) {
    await stop()
    throw error
  }
}

/** On a terminal with the broker before it. A line of JSON says itself of whom it is; what else a broker writes is an error. */
function print(brokerId: number, line: string, { onTerminal }: Manner): void {
  if (onTerminal) process.stdout.write(`broker ${brokerId} | ${line}\n`)
  else if (line.startsWith('{')) process.stdout.write(`${line}\n`)
  else process.stderr.write(`broker ${brokerId} | ${line}\n`)
}
