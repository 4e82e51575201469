// `odradek group`: who reads what, how far behind, why the last rebalance happened; and setting offsets, with a preview and a way back.

import { Command, InvalidArgumentError, Option } from 'commander'
import { addressesIn } from './broker-address.ts'
import { EXIT_NOT_ASKED, EXIT_REFUSED, EXIT_USAGE } from './exit-status.ts'
import { GroupCluster, GroupRefused, NotAsked, wordsOfError } from './group-cluster.ts'
import { describeGroup, type GroupDescribeOptions } from './group-describe.ts'
import { type GroupListOptions, listGroupsOf } from './group-list.ts'
import { type GroupResetOptions, goalsIn, resetGroup, type TopicChoice } from './group-reset.ts'
import { defaultHost, defaultPort } from './start-settings.ts'

const exitCodes = `
Exit status: 0 when it was done, ${EXIT_REFUSED} when there is no such group or it cannot be done now, ${EXIT_USAGE} for a wrong command line,
${EXIT_NOT_ASKED} when no broker could be asked.`

interface Bootstrap {
  readonly bootstrap: string
}

export function groupCommand(): Command {
  return new Command('group')
    .description('Show the groups of consumers, how far behind they are and why they rebalanced; set their offsets.')
    .addCommand(listCommand())
    .addCommand(describeCommand())
    .addCommand(resetCommand())
}

function listCommand(): Command {
  return asking(new Command('list'))
    .description('List all groups with their state, members, topics and lag.')
    .option('--all', `also the groups that keep what resets replaced`)
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', `${exitCodes}\nFor example: odradek group list --bootstrap 10.0.0.1:9092`)
    .action((options: GroupListOptions & Bootstrap) =>
      run(options.bootstrap, (cluster) => listGroupsOf(cluster, options)),
    )
}

function describeCommand(): Command {
  return asking(new Command('describe'))
    .description('Show the members of a group, its offsets and lag in records and seconds, and why it rebalanced.')
    .argument('<group>', 'its name')
    .option('--last <number>', 'how many rebalances to show', count, 3)
    .option('--happenings', 'all that is remembered of it, not only rebalances')
    .option('--full', 'all members and partitions, however many there are')
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', `${exitCodes}\nFor example: odradek group describe billing`)
    .action((groupId: string, options: GroupDescribeOptions & Bootstrap) =>
      run(options.bootstrap, (cluster) => describeGroup(cluster, groupId, options)),
    )
}

function resetCommand(): Command {
  return asking(new Command('reset'))
    .description(
      'Set the offsets of a group that has no active members. Says first what is read again and what is skipped.',
    )
    .argument('<group>', 'its name')
    .option('--to-earliest', 'to the first record that is there')
    .option('--to-latest', 'to the end: nothing that is there is read')
    .addOption(
      new Option(
        '--to-datetime <time>',
        'to the first record at or after, as 2026-07-24T09:12:00 (local time), ...Z or ...+02:00',
      ).argParser(moment),
    )
    .addOption(new Option('--shift-by <number>', 'by so many records on, or back when negative').argParser(whole))
    .addOption(new Option('--to-offset <number>', 'to this offset').argParser(count))
    .option('--undo', 'to what it was before the last reset; once more to take that back')
    .option(
      '--topic <topic[:partitions]>',
      'only this topic, only these partitions of it: orders:0,3 (may be repeated)',
      choice,
      [],
    )
    .option('--execute', 'do it; without, it is only shown, or asked for on a terminal')
    .option('--json', 'one JSON object instead of lines; never asks')
    .addHelpText(
      'after',
      `${exitCodes}\nFor example: odradek group reset billing --to-datetime 2026-07-24T09:00:00 --topic orders\n` +
        `         and: odradek group reset billing --undo --execute`,
    )
    .action((groupId: string, options: GroupResetOptions & Bootstrap) => {
      const goals = goalsIn(options)
      if (goals.length !== 1) {
        const given = goals.length === 0 ? 'none is given' : `${goals.join(' and ')} are given`
        end(EXIT_USAGE, [
          `reset takes one of --to-earliest, --to-latest, --to-datetime, --shift-by, --to-offset and --undo; ${given}`,
        ])
      }
      return run(options.bootstrap, (cluster) => resetGroup(cluster, groupId, options))
    })
}

function asking(command: Command): Command {
  return command.option(
    '--bootstrap <addresses>',
    'brokers to ask: host:port,host:port,...',
    `${defaultHost}:${defaultPort}`,
  )
}

async function run(bootstrap: string, work: (cluster: GroupCluster) => Promise<void>): Promise<void> {
  process.stdout.on('error', () => {})
  const addresses = addressesIn(bootstrap)
  if (addresses === null) end(EXIT_USAGE, [`--bootstrap takes host:port,host:port,..., not '${bootstrap}'`])
  let cluster: GroupCluster | undefined
  try {
    cluster = await GroupCluster.connect(addresses)
    await work(cluster)
  } catch (error) {
    if (error instanceof NotAsked) end(EXIT_NOT_ASKED, error.problems)
    // What a broker could not answer, or did not: the words say which and what.
    end(error instanceof GroupRefused ? EXIT_REFUSED : EXIT_NOT_ASKED, [wordsOfError(error)])
  } finally {
    cluster?.close()
  }
}

function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number, 0 or more.')
  return Number(text)
}

function whole(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number, as 100 or -100.')
  return Number(text)
}

function moment(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('It is a time such as 2026-07-24T09:12:00 or 2026-07-24T07:12:00Z.')
  return ms
}

/** `orders` or `orders:0,3` */
function choice(text: string, before: readonly TopicChoice[]): readonly TopicChoice[] {
  const [, topic, list] = /^([^:]+)(?::(\d{1,9}(?:,\d{1,9})*))?$/.exec(text) ?? []
  if (topic === undefined) throw new InvalidArgumentError('It is a topic, or topic:partition,partition,...')
  return [...before, { topic, partitions: list === undefined ? null : list.split(',').map(Number) }]
}

function end(status: number, problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`odradek: ${problem}\n`)
  process.exit(status)
}
