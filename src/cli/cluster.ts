// `odradek cluster`: who is there, who leads, and what is not as it should be. It asks a broker, by Kafka's protocol.

import { Command } from 'commander'
import { systemClock } from '../io/clock.ts'
import { realNetwork } from '../io/network.real.ts'
import { describeCluster } from '../protocol/apis/describe-cluster.ts'
import { listPartitionReassignments } from '../protocol/apis/list-partition-reassignments.ts'
import { metadata } from '../protocol/apis/metadata.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { addressesIn } from './broker-address.ts'
import { type BrokerAddress, BrokerClient } from './broker-client.ts'
import { linesOf } from './cluster-lines.ts'
import { type ClusterAnswers, isSound, reportOf } from './cluster-report.ts'
import { EXIT_NOT_ASKED, EXIT_UNSOUND, EXIT_USAGE } from './exit-status.ts'
import { defaultHost, defaultPort } from './start-settings.ts'

interface ClusterOptions {
  readonly bootstrap: string
  readonly json?: boolean
}

const exitCodes = `
Exit status: 0 when every partition has its leader and all of its replicas, ${EXIT_UNSOUND} when not, ${EXIT_USAGE} for a wrong command line,
${EXIT_NOT_ASKED} when no broker could be asked.
For example: odradek cluster --bootstrap 10.0.0.1:9092,10.0.0.2:9092`

export function clusterCommand(): Command {
  return new Command('cluster')
    .description(
      'Show the brokers of a cluster, what they lead, and which partitions lack a leader or replicas, and why.',
    )
    .option('--bootstrap <addresses>', 'brokers to ask: host:port,host:port,...', `${defaultHost}:${defaultPort}`)
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', exitCodes)
    .action((options: ClusterOptions) => run(options))
}

async function run({ bootstrap, json = false }: ClusterOptions): Promise<void> {
  process.stdout.on('error', () => {})
  const addresses = addressesIn(bootstrap)
  if (addresses === null) end(EXIT_USAGE, [`--bootstrap takes host:port,host:port,..., not '${bootstrap}'`])
  const problems: string[] = []
  for (const address of addresses) {
    try {
      const report = reportOf(await answersOf(address))
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${linesOf(report).join('\n')}\n`)
      process.exitCode = isSound(report) ? 0 : EXIT_UNSOUND
      return
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      problems.push(`${address.host}:${address.port} cannot be asked: ${reason}`)
    }
  }
  end(EXIT_NOT_ASKED, problems)
}

async function answersOf(address: BrokerAddress): Promise<ClusterAnswers> {
  const client = await BrokerClient.connect(realNetwork, systemClock, address)
  try {
    const cluster = await client.ask(describeCluster, { includeFencedBrokers: true })
    if (cluster.errorCode !== ErrorCode.NONE) throw new Error(errorName(cluster.errorCode))
    const topics = await client.ask(metadata, { topics: null, allowAutoTopicCreation: false })
    const moving = client.serves(listPartitionReassignments)
      ? await client.ask(listPartitionReassignments, { timeoutMs: 10_000, topics: null })
      : null
    if (moving !== null && moving.errorCode !== ErrorCode.NONE) throw new Error(errorName(moving.errorCode))
    return { cluster, metadata: topics, reassignments: moving?.topics ?? [] }
  } finally {
    client.close()
  }
}

function end(status: number, problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`odradek: ${problem}\n`)
  process.exit(status)
}
