// `odradek adopt`: takes over the data folders of an Apache Kafka that has stopped.

import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { topicDefinitions } from '../cluster/settings/topic-definitions.ts'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import { copyFile } from '../io/file-copy.ts'
import { lockHolderOf } from '../io/file-lock-holder.ts'
import { systemRandom } from '../io/random.ts'
import { adoptKafka, type Adoption, type AdoptRequest } from '../start/adopt/adopt.ts'
import { listed } from '../start/adopt/words.ts'
import { asRefusal, StartRefused } from '../start/start-refused.ts'
import { EXIT_FAULT, EXIT_USAGE } from './exit-status.ts'
import { startSettings, takeFile } from './start-settings.ts'

interface Options {
  readonly data?: string
  readonly config?: string
  readonly metadata?: string
  readonly brokerId?: number
  readonly unknownConfigs?: 'keep-all'
  readonly partial?: boolean
  readonly force?: boolean
  readonly dryRun?: boolean
}

const defaultBrokerId = 1

export function adoptCommand(): Command {
  return new Command('adopt')
    .description(
      'Take over the data of an Apache Kafka that has stopped: topics with their ids, configs, records and offsets, groups with theirs.',
    )
    .argument('[log.dirs]', "Kafka's data folder, or several with commas between them (default: as --config says)")
    .option('--data <folder>', 'copy the records into a new folder (default: take the one folder over in place)')
    .option(
      '--config <file>',
      "Kafka's server.properties, for log.dirs and metadata.log.dir and to say what else matters in it",
    )
    .option('--metadata <folder>', "where KRaft's metadata log is, when it is in none of log.dirs")
    .option('--broker-id <number>', "id of the broker of Odradek (default: the node's id in Kafka)", brokerId)
    .addOption(
      new Option(
        '--unknown-configs <what>',
        'for topics without metadata (ZooKeeper): keep all of their records',
      ).choices(['keep-all']),
    )
    .option('--partial', 'take what is there when partitions are missing or were not in sync, and lose the rest')
    .option('--force', 'Kafka has stopped, where this system cannot tell')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addHelpText('after', '\nFor example: odradek adopt /var/lib/kafka/data --data ./odradek --dry-run')
    .action((folders: string | undefined, options: Options) => run(folders, options))
}

async function run(folders: string | undefined, options: Options): Promise<void> {
  // Whoever read the lines may be gone (`| head`); the work goes on.
  process.stdout.on('error', () => {})
  const file = new Map<string, string>()
  const problems: string[] = []
  if (options.config !== undefined) takeFile(options.config, (path) => readFileSync(path, 'utf8'), file, problems)
  const request: AdoptRequest = {
    folders: foldersIn(folders ?? file.get('log.dirs') ?? file.get('log.dir') ?? ''),
    data: withoutSlash(options.data ?? null),
    metadata: withoutSlash(options.metadata ?? file.get('metadata.log.dir')?.trim() ?? null),
    brokerId: options.brokerId ?? null,
    keepAll: options.unknownConfigs === 'keep-all',
    partial: options.partial === true,
    force: options.force === true,
    dryRun: options.dryRun === true,
  }
  if (request.folders.length === 0 && problems.length === 0) {
    problems.push("say which of Kafka's folders: odradek adopt <log.dirs>, or --config with its server.properties")
  }
  if (problems.length > 0) end(EXIT_USAGE, problems)
  const adoption = await adopted(request)
  if (!adoption.ok) end(EXIT_FAULT, adoption.problems)
  sayHowToStart(adoption, file, options)
}

async function adopted(request: AdoptRequest): Promise<Adoption> {
  try {
    return await adoptKafka(
      { disk: realDisk, random: systemRandom, clock: systemClock, copyFile, lockHolderOf, say },
      request,
    )
  } catch (error) {
    const refusal = asRefusal(error, request.data ?? request.folders[0]!)
    if (refusal instanceof StartRefused) {
      end(EXIT_FAULT, [
        refusal.message,
        "no record of Kafka's was changed; when that is mended, run the same command once more",
      ])
    }
    throw error
  }
}

function sayHowToStart(
  { data, plan }: Adoption & { readonly ok: true },
  file: ReadonlyMap<string, string>,
  { config, dryRun }: Options,
): void {
  const words = ['odradek', 'start', '--data', data]
  if (config !== undefined) words.push('--config', config)
  const ownId = file.get('node.id') ?? file.get('broker.id') ?? String(defaultBrokerId)
  if (ownId !== String(plan.brokerId)) words.push('--set', `node.id=${plan.brokerId}`)
  for (const [name, value] of plan.brokerConfigs) words.push('--set', `${name}=${value}`)
  if (plan.followingBroker.length > 0) sayBrokerDefaults(plan.followingBroker, file, config)
  if (config !== undefined) {
    const parsed = startSettings({ config, data }, (path) => readFileSync(path, 'utf8'))
    for (const problem of parsed.ok ? [] : parsed.problems) say(`Before it starts, change in ${config}: ${problem}`)
  }
  say(`${dryRun === true ? 'Then start it' : 'Start it'} with: ${words.map(quoted).join(' ')}`)
}

/** A default that is not Kafka's deletes records. */
function sayBrokerDefaults(
  topics: readonly string[],
  file: ReadonlyMap<string, string>,
  config: string | undefined,
): void {
  if (config === undefined) {
    say(
      `${listed(topics)}: without retention.ms of their own, records go by the broker's log.retention.*, which is 7 days unless it is ` +
        "told otherwise. If Kafka's server.properties says something else, start Odradek with it: --config <server.properties>",
    )
    return
  }
  const names = new Set([...topicDefinitions.values()].flatMap(({ synonyms }) => synonyms.map(({ name }) => name)))
  const set = [...file].filter(([name]) => names.has(name)).map(([name, value]) => `${name}=${value}`)
  const what = set.length === 0 ? 'nothing that topics take over' : set.join(' ')
  say(`${config} sets ${what}. Topics without configs of their own follow it: start Odradek with the same file.`)
}

function foldersIn(text: string): string[] {
  return text
    .split(',')
    .map((folder) => withoutSlash(folder.trim()) ?? '')
    .filter((folder) => folder !== '')
}

function withoutSlash<T extends string | null>(folder: T): T {
  return (folder === null || folder === '/' ? folder : folder.replace(/\/+$/, '')) as T
}

const quoted = (word: string): string => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function end(status: number, problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`odradek: ${problem}\n`)
  process.exit(status)
}

function brokerId(text: string): number {
  const id = Number(text)
  if (!/^\d+$/.test(text) || id > 0x7fff_ffff) throw new InvalidArgumentError('A broker id is a whole number from 0.')
  return id
}
