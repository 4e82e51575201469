// The command and its subcommands. Each subcommand is a file of its own.

import { Command } from 'commander'
import { EXIT_USAGE } from './exit-status.ts'
import { packageVersion } from './version.ts'

/** In the order that help shows. */
const subcommands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand(),
  cluster: async () => (await import('./cluster.ts')).clusterCommand(),
  group: async () => (await import('./group.ts')).groupCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  disk: async () => (await import('./disk.ts')).diskCommand(),
  adopt: async () => (await import('./adopt.ts')).adoptCommand(),
}

/**
 * `args`: what follows the command's name. The subcommand they begin with is loaded alone, so that a broker does not wait for the rest;
 * all are for anything else, which is help or a mistake.
 */
export async function program([asked = '']: readonly string[]): Promise<Command> {
  const odradek = new Command('odradek')
    .description('A Kafka in one npm package: an event log that every Kafka client can use.')
    .version(packageVersion())
  const needed = Object.hasOwn(subcommands, asked) ? [subcommands[asked]!] : Object.values(subcommands)
  for (const subcommand of await Promise.all(needed.map((load) => load()))) odradek.addCommand(subcommand)
  for (const command of [odradek, ...odradek.commands, ...odradek.commands.flatMap(({ commands }) => commands)]) {
    command.showHelpAfterError('(--help says what there is)').exitOverride(({ exitCode }) => {
      process.exit(exitCode === 0 ? 0 : EXIT_USAGE)
    })
  }
  return odradek
}
