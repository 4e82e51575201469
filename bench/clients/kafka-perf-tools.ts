// Apache Kafka's own clients, as its tools for measuring use them: kafka-producer-perf-test and kafka-consumer-perf-test.

import { accessSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Client, ClientResult } from './client.ts'
import { outputOf } from './program.ts'

const run = join(import.meta.dirname, '../../scripts/kafka/run')

export const kafkaPerfTools: Client = {
  name: 'kafka-perf-tools',
  title: "Kafka's perf tools",
  missing() {
    const folders = (process.env['PATH'] ?? '').split(delimiter)
    return folders.some((folder) => isThere(join(folder, 'java'))) ? undefined : 'java'
  },
  async produce({ bootstrap, topic, records, recordBytes }) {
    const args = ['producer-perf-test', '--topic', topic, '--num-records', records, '--record-size', recordBytes]
    const settings = ['--throughput', -1, '--bootstrap-server', bootstrap, '--command-property', 'acks=all']
    return producerResult(await outputOf({ command: run, args: [...args, ...settings].map(String) }), records)
  },
  async consume({ bootstrap, topic, records }) {
    const args = ['consumer-perf-test', '--bootstrap-server', bootstrap, '--topic', topic, '--num-records', records]
    const output = await outputOf({ command: run, args: [...args, '--timeout', 60_000, '--hide-header'].map(String) })
    return consumerResult(output, records)
  },
}

/** Of the last line, `50000 records sent, 24582.1 records/sec (23.44 MB/sec), ...`; those before it are of intervals. */
export function producerResult(output: string, records: number): ClientResult {
  const last = output.trim().split('\n').at(-1) ?? ''
  const [, sent, perSecond] = /^(\d+) records sent, ([\d.]+) records\/sec/.exec(last) ?? []
  if (Number(sent) !== records) throw new Error(`kafka-producer-perf-test did not send ${records} records: ${output}`)
  return { records, seconds: records / Number(perSecond) }
}

/** Of the last line: start, end, MB, MB/s, records, records/s, ms of joining the group, ms of fetching, and two more rates. */
export function consumerResult(output: string, records: number): ClientResult {
  const fields = (output.trim().split('\n').at(-1) ?? '').split(', ')
  const seen = Number(fields[4])
  if (fields.length !== 10 || !(seen >= records)) {
    throw new Error(`kafka-consumer-perf-test did not read ${records} records: ${output}`)
  }
  return { records: seen, seconds: Number(fields[7]) / 1000 }
}

function isThere(path: string): boolean {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}
