#!/usr/bin/env node
// The command `odradek`. Each subcommand is a file of its own.

import { Command } from 'commander'
import { startCommand } from './start.ts'
import { packageVersion } from './version.ts'

await new Command('odradek')
  .description('A Kafka in one npm package: an event log that every Kafka client can use.')
  .version(packageVersion())
  .addCommand(startCommand())
  .parseAsync()
