// The clients that are measured, in the order of the report.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Client } from './client.ts'
import { kafkaPerfTools } from './kafka-perf-tools.ts'
import { ownProgram } from './own-program.ts'

/** Where test/peers/setup installs it. */
const python = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'odradek/client-peers/python/bin/python',
)

export const clients: readonly Client[] = [
  kafkaPerfTools,
  ownProgram({
    name: 'librdkafka',
    title: 'librdkafka (confluent-kafka for Python)',
    command: python,
    file: join(import.meta.dirname, 'librdkafka_program.py'),
    missing: () => (existsSync(python) ? undefined : 'librdkafka for Python: scripts/setup-peers installs it'),
  }),
  ownProgram({
    name: 'kafkajs',
    title: 'KafkaJS',
    command: process.execPath,
    file: join(import.meta.dirname, 'kafkajs-program.ts'),
  }),
  ownProgram({
    name: 'platformatic-kafka',
    title: '@platformatic/kafka',
    command: process.execPath,
    file: join(import.meta.dirname, 'platformatic-program.ts'),
  }),
]
