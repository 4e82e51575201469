// `odradek start`: one broker in the foreground, until SIGTERM or Ctrl-C.

import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { type RunningBroker, runBroker, StartRefused } from '../start.ts'
import { EXIT_FAULT, EXIT_USAGE } from './exit-status.ts'
import { type LogLevel, logLevels, openLog } from './log-output.ts'
import { bracketed, defaultData, defaultHost, defaultPort, type StartOptions, startSettings } from './start-settings.ts'
import { packageVersion } from './version.ts'

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
/** One Ctrl-C comes twice under npm: from the terminal, and passed on. Only a signal after this time is a second one. */
const SAME_SIGNAL_MS = 500

export function startCommand(): Command {
  return new Command('start')
    .description('Start a broker and keep its records in a folder. SIGTERM or Ctrl-C stops it cleanly.')
    .option('--port <number>', `port to listen on, 0 for a free one (default: ${defaultPort})`, portNumber)
    .option('--host <address>', `address to listen on, 0.0.0.0 for all (default: ${defaultHost})`)
    .option('--data <folder>', `folder for the records (default: ${defaultData})`)
    .option('--config <file>', "settings in Kafka's server.properties format")
    .option('--set <name=value>', "one setting by Kafka's name; may be repeated, wins over --config", collect)
    .option('--dev', 'for development: groups start without delay, members are gone when their socket closes')
    .addOption(new Option('--log-level <level>', 'how much to say').choices(logLevels).default('info'))
    .addHelpText('after', `\nFor example: odradek start --port 9093 --data ./orders --set num.partitions=3`)
    .action((options: StartOptions & { readonly logLevel: LogLevel }) => run(options))
}

async function run(options: StartOptions & { readonly logLevel: LogLevel }): Promise<void> {
  const parsed = startSettings(options, (path) => readFileSync(path, 'utf8'))
  if (!parsed.ok) end(EXIT_USAGE, parsed.problems)
  const { settings, warnings } = parsed
  const log = openLog(options.logLevel)
  const logger: Logger = log
  // What nobody expected may have left anything half done: better to start again from the disk, and recover.
  process.on('uncaughtException', (error, origin) => {
    logger.error({ err: error, origin }, 'the broker met an error it does not know and ends')
    process.exit(EXIT_FAULT)
  })
  for (const warning of warnings) log.warn(warning)
  const broker = await started(settings, options.dev === true, logger)
  const addresses = broker.listeners.map(({ host, port }) => `${bracketed(host)}:${port}`).join(', ')
  const { brokerId, clusterId } = broker
  const facts = { brokerId, clusterId, data: settings.dataFolder }
  logger.info(facts, `odradek ${packageVersion()} is ready, listening on ${addresses}`)
  const signal = await firstSignal()
  const stoppingSince = systemClock.monotonic()
  const again = (): void => {
    if (systemClock.monotonic() - stoppingSince > SAME_SIGNAL_MS) process.exit(EXIT_FAULT)
  }
  for (const name of stopSignals) process.on(name, again)
  log.info(`${signal}: stopping, once more to end at once`)
  await broker.stop()
  log.info('stopped')
  process.exit(0)
}

async function started(settings: BrokerSettings, dev: boolean, logger: Logger): Promise<RunningBroker> {
  try {
    return await runBroker({
      settings,
      removeMembersOnDisconnect: dev,
      disk: realDisk,
      network: realNetwork,
      clock: systemClock,
      random: systemRandom,
      logger,
      onFault: (error) => {
        logger.error({ err: error }, 'the broker cannot go on')
        process.exit(EXIT_FAULT)
      },
    })
  } catch (error) {
    if (error instanceof StartRefused) end(EXIT_FAULT, [error.message])
    throw error
  }
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of stopSignals) process.once(name, resolve)
  })
}

/** Says why to whoever started the process, whatever the log level. */
function end(status: number, problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`odradek: ${problem}\n`)
  process.exit(status)
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return port
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}
