// The command and its subcommands. Each subcommand is a file of its own.

import { Command } from 'commander'
import { adoptCommand } from './adopt.ts'
import { clusterCommand } from './cluster.ts'
import { diskCommand } from './disk.ts'
import { EXIT_USAGE } from './exit-status.ts'
import { groupCommand } from './group.ts'
import { startCommand } from './start.ts'
import { verifyCommand } from './verify.ts'
import { packageVersion } from './version.ts'

export function program(): Command {
  const odradek = new Command('odradek')
    .description('A Kafka in one npm package: an event log that every Kafka client can use.')
    .version(packageVersion())
    .addCommand(startCommand())
    .addCommand(clusterCommand())
    .addCommand(groupCommand())
    .addCommand(verifyCommand())
    .addCommand(diskCommand())
    .addCommand(adoptCommand())
  for (const command of [odradek, ...odradek.commands, ...odradek.commands.flatMap(({ commands }) => commands)]) {
    command.showHelpAfterError('(--help says what there is)').exitOverride(({ exitCode }) => {
      process.exit(exitCode === 0 ? 0 : EXIT_USAGE)
    })
  }
  return odradek
}
