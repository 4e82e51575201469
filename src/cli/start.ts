// `odradek start`: one broker in the foreground, or several under this process, until SIGTERM or Ctrl-C.

import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import type { ListenerAddress } from '../broker/server.ts'
import { runBroker, StartRefused } from '../start.ts'
import { EXIT_FAULT, EXIT_USAGE } from './exit-status.ts'
import { type LogLevel, logLevels } from './json-lines.ts'
import { openLog } from './log-output.ts'
import { bracketed, defaultData, defaultHost, defaultPort, type StartOptions, startSettings } from './start-settings.ts'
import { packageVersion } from './version.ts'

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
/** One Ctrl-C comes twice under npm: from the terminal, and passed on. Only a signal after this time is a second one. */
const SAME_SIGNAL_MS = 500
/** About as long as a timer can be. */
const LONG_MS = 0x7fffffff

const examples = `
For example: odradek start --port 9093 --data ./orders --set num.partitions=3
             odradek start --brokers 3
             odradek start --broker-id 1 --etcd etcd-1:2379,etcd-2:2379,etcd-3:2379 --host 10.0.0.1`

export function startCommand(): Command {
  return new Command('start')
    .description('Start a broker, or several, and keep the records in a folder. SIGTERM or Ctrl-C stops cleanly.')
    .option('--port <number>', `port to listen on, 0 for a free one (default: ${defaultPort})`, portNumber)
    .option('--host <address>', `address to listen on, 0.0.0.0 for all (default: ${defaultHost})`)
    .option('--data <folder>', `folder for the records (default: ${defaultData})`)
    .option('--config <file>', "settings in Kafka's server.properties format")
    .option('--set <name=value>', "one setting by Kafka's name; may be repeated, wins over --config", collect)
    .option(
      '--brokers <number>',
      'several brokers on this machine, each a process, on ports from --port on',
      brokerCount,
    )
    .option('--broker-id <number>', 'id of this broker in its cluster (default: 1)', brokerId)
    .option('--etcd <endpoints>', 'members of the etcd that keeps the metadata of the cluster: host:port,host:port,...')
    .option('--dev', 'for development: groups start without delay, members are gone when their socket closes')
    .addOption(new Option('--log-level <level>', 'how much to say').choices(logLevels).default('info'))
    .addHelpText('after', examples)
    .action((options: StartOptions & { readonly logLevel: LogLevel }) => run(options))
}

async function run(options: StartOptions & { readonly logLevel: LogLevel }): Promise<void> {
  const parsed = startSettings(options, (path) => readFileSync(path, 'utf8'))
  if (!parsed.ok) end(EXIT_USAGE, parsed.problems)
  // The broker's timers keep no process alive, and it may have nothing else: while it waits to ask etcd again, before it listens.
  setInterval(() => {}, LONG_MS)
  const { settings, warnings } = parsed
  const logger = openLog(options.logLevel)
  // What nobody expected may have left anything half done: better to start again from the disk, and recover.
  process.on('uncaughtException', (error, origin) => {
    logger.error({ err: error, origin }, 'the broker met an error it does not know and ends')
    process.exit(EXIT_FAULT)
  })
  for (const warning of warnings) logger.warn({}, warning)
  const running =
    options.brokers === undefined
      ? await startedOne(settings, options.dev === true, logger)
      : await startedSeveral(options.brokers, settings, options, logger)
  // Whoever waits for the word that it is ready may end it upon that.
  const signalled = firstSignal()
  sayReady(logger, running)
  const signal = await signalled
  const stoppingSince = systemClock.monotonic()
  const again = (): void => {
    if (systemClock.monotonic() - stoppingSince > SAME_SIGNAL_MS) process.exit(EXIT_FAULT)
  }
  for (const name of stopSignals) process.on(name, again)
  logger.info({}, `${signal}: stopping, once more to end at once`)
  await running.stop()
  logger.info({}, 'stopped')
  process.exit(0)
}

async function startedOne(settings: BrokerSettings, dev: boolean, logger: Logger): Promise<Started> {
  const broker = await orEnd(
    runBroker({
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
    }),
  )
  const { brokerId, clusterId, listeners } = broker
  return {
    facts: { brokerId, clusterId, data: settings.dataFolder },
    listeners,
    stop: () => broker.stop(),
  }
}

async function startedSeveral(
  count: number,
  settings: BrokerSettings,
  { dev, logLevel }: StartOptions & { readonly logLevel: LogLevel },
  logger: Logger,
): Promise<Started> {
  const { startSeveral } = await import('./start-several.ts')
  const several = await orEnd(
    startSeveral({
      count,
      settings,
      manner: { dev: dev === true, logLevel, onTerminal: process.stdout.isTTY },
      logger,
      onFault: (error) => {
        logger.error({ err: error }, 'the brokers cannot go on')
        process.exit(EXIT_FAULT)
      },
    }),
  )
  const { brokers } = several
  const processes = Object.fromEntries(brokers.map(({ brokerId, pid }) => [brokerId, pid]))
  return {
    facts: { clusterId: brokers[0]!.clusterId, processes, data: settings.dataFolder },
    listeners: brokers.flatMap(({ listeners }) => listeners),
    stop: () => several.stop(),
  }
}

interface Started {
  /** For the log. */
  readonly facts: object
  readonly listeners: readonly ListenerAddress[]
  stop(): Promise<void>
}

function sayReady(logger: Logger, { facts, listeners }: Started): void {
  const addresses = listeners.map(({ host, port }) => `${bracketed(host)}:${port}`).join(', ')
  logger.info(facts, `odradek ${packageVersion()} is ready, listening on ${addresses}`)
}

async function orEnd<T>(start: Promise<T>): Promise<T> {
  try {
    return await start
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

function brokerCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > 100) throw new InvalidArgumentError('From 1 to 100 brokers.')
  return count
}

function brokerId(text: string): number {
  const id = Number(text)
  if (!/^\d+$/.test(text) || id > 0x7fff_ffff) throw new InvalidArgumentError('A broker id is a whole number from 0.')
  return id
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}
