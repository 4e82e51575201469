// `odradek start --brokers N`: several brokers on this machine, each a process, under this one.

import { fileURLToPath } from 'node:url'
import type { MetaStore } from '../cluster/meta-store.ts'
import { EmbeddedMetaStore } from '../cluster/meta-store.embedded.ts'
import { FileJournal } from '../cluster/file-journal.ts'
import { MetaStoreServer } from '../cluster/remote/meta-store-server.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { startChild } from '../io/child-process.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import type { Logger } from '../lib/logger.ts'
import { refuseSingle, settingsOfOne, sharedMetadataFolder } from '../start/several-brokers.ts'
import { asRefusal, StartRefused } from '../start/start-refused.ts'
import type { Manner } from '../start/supervision.ts'
import { type SupervisedBroker, Supervisor } from '../start/supervisor.ts'
import { FolderInUse } from '../storage/log-directory.ts'

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
    await realDisk.makeFolder(dataFolder)
    const lock = await realDisk.lock(dataFolder)
    if (lock === null) throw new FolderInUse(dataFolder)
    await refuseSingle(realDisk, dataFolder)
    const journal = new FileJournal(realDisk, `${dataFolder}/${sharedMetadataFolder}`)
    const store = await EmbeddedMetaStore.open({ journal, clock: systemClock })
    void store.failed.then(options.onFault)
    return await launched(options, store, async () => {
      await store.close()
      await lock.release()
    })
  } catch (error) {
    throw asRefusal(error, dataFolder)
  }
}

async function launched(
  { count, settings, manner, logger }: SeveralOptions,
  store: MetaStore,
  close: () => Promise<void>,
): Promise<RunningBrokers> {
  const supervisor = new Supervisor({
    brokerIds: Array.from({ length: count }, (_, index) => index + 1),
    settingsOf: (brokerId, bound) => settingsOfOne({ settings, common: settings.given, count }, brokerId, bound),
    manner,
    metadata: new MetaStoreServer({ store, clock: systemClock }),
    launch: (brokerId) => startChild({ program, args: [], onLine: (line) => print(brokerId, line, manner) }),
    clock: systemClock,
    logger,
  })
  process.once('exit', () => supervisor.kill())
  const stop = async (): Promise<void> => {
    await supervisor.stop()
    await close()
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
