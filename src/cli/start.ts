// `odradek start`: one broker in the foreground, until SIGTERM or Ctrl-C.

import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { parseProperties } from '../cluster/settings/java-properties.ts'
import { type BrokerSettings, parseBrokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import { type RunningBroker, runBroker, StartRefused } from '../start.ts'
import { type LogLevel, logLevels, openLog } from './log-output.ts'

interface StartOptions {
  readonly port?: number
  readonly host?: string
  readonly data?: string
  readonly config?: string
  readonly set: readonly string[]
  readonly dev?: boolean
  readonly logLevel: LogLevel
}

/** Without a word from the user the broker is for this machine only: it has no authentication. */
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 9092
const DEFAULT_DATA = './data'

/** A setting may not be what it is: the exit status of bad usage. */
const EXIT_USAGE = 2
const EXIT_FAULT = 1

export function startCommand(): Command {
  return new Command('start')
    .description('Start a broker and keep its records in a folder.')
    .option('--port <number>', `port to listen on, 0 for a free one (default: ${DEFAULT_PORT})`, portNumber)
    .option('--host <address>', `address to listen on, 0.0.0.0 for all (default: ${DEFAULT_HOST})`)
    .option('--data <folder>', `folder for the records (default: ${DEFAULT_DATA})`)
    .option('--config <file>', "settings in Kafka's server.properties format")
    .option('--set <name=value>', "one setting by Kafka's name; may be repeated", collect, [])
    .option('--dev', 'for development: groups start without delay, members are gone when their socket closes')
    .addOption(new Option('--log-level <level>', 'how much to say').choices([...logLevels]).default('info'))
    .action(async (options: StartOptions) => {
      await run(options)
    })
}

async function run(options: StartOptions): Promise<void> {
  const log = openLog(options.logLevel)
  const settings = readSettings(options, (warning) => log.warn(warning))
  let broker: RunningBroker | null = null
  try {
    broker = await runBroker({
      settings,
      removeMembersOnDisconnect: options.dev === true,
      disk: realDisk,
      network: realNetwork,
      clock: systemClock,
      random: systemRandom,
      logger: log,
      onFault: (error) => {
        log.error({ err: error }, 'the broker cannot go on')
        process.exit(EXIT_FAULT)
      },
    })
  } catch (error) {
    if (error instanceof StartRefused) log.error(error.message)
    else log.error({ err: error }, 'the broker could not start')
    process.exit(EXIT_FAULT)
  }
  const addresses = broker.listeners.map(({ host, port }) => `${host}:${port}`).join(', ')
  log.info({ data: settings.dataFolder, clusterId: broker.clusterId }, `odradek is ready, listening on ${addresses}`)
  await stopped(broker, log)
}

/** Waits for a signal, stops cleanly; a second signal ends the process at once. */
async function stopped(broker: RunningBroker, log: ReturnType<typeof openLog>): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve)
  })
  const force = (): never => process.exit(EXIT_FAULT)
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, force)
  log.info(`${signal}: stopping`)
  await broker.stop()
  log.info('stopped')
  process.exit(0)
}

/** The file first, then `--set`, then the options of their own. Ends the process with the reasons when something is wrong. */
function readSettings(options: StartOptions, warn: (text: string) => void): BrokerSettings {
  const given = new Map<string, string>()
  const problems: string[] = []
  if (options.config !== undefined) {
    try {
      for (const [name, value] of parseProperties(readFileSync(options.config, 'utf8'))) given.set(name, value)
    } catch (error) {
      problems.push(`cannot read ${options.config}: ${(error as Error).message}`)
    }
  }
  for (const assignment of options.set) {
    const equals = assignment.indexOf('=')
    if (equals < 1) problems.push(`--set takes name=value, not '${assignment}'`)
    else given.set(assignment.slice(0, equals).trim(), assignment.slice(equals + 1))
  }
  if (options.host !== undefined || options.port !== undefined || !given.has('listeners')) {
    given.set('listeners', `PLAINTEXT://${bracketed(options.host ?? DEFAULT_HOST)}:${options.port ?? DEFAULT_PORT}`)
  }
  if (options.data !== undefined) {
    given.delete('log.dirs')
    given.set('log.dir', options.data)
  } else if (!given.has('log.dirs') && !given.has('log.dir')) {
    given.set('log.dir', DEFAULT_DATA)
  }
  if (options.dev === true && !given.has('group.initial.rebalance.delay.ms')) {
    given.set('group.initial.rebalance.delay.ms', '0')
  }
  const parsed = parseBrokerSettings(given)
  if (!parsed.ok) problems.push(...parsed.problems)
  if (!parsed.ok || problems.length > 0) {
    for (const problem of problems) process.stderr.write(`odradek: ${problem}\n`)
    process.exit(EXIT_USAGE)
  }
  for (const warning of parsed.warnings) warn(warning)
  return parsed.settings
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a port is 0 to 65535.')
  return port
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}
