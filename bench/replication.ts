// What replication costs and how fast it catches up, with brokers on one event loop, real files and real sockets of this machine: the
// latency of acks=all beside one replica, the throughput of both, and the rate at which a returning broker is filled.
//
//   node bench/replication.ts <folder for data> [megabytes] [brokers] [setting=value ...]

import { rmSync } from 'node:fs'
import { createTopics } from '../src/protocol/apis/create-topics.ts'
import { metadata } from '../src/protocol/apis/metadata.ts'
import { produce } from '../src/protocol/apis/produce.ts'
import { ErrorCode, errorName } from '../src/protocol/error-code.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { type EmbeddedCluster, startCluster } from '../src/testkit/start-cluster.ts'
import { RawClient } from './raw-client.ts'

const [folder, megabytes = '300', brokers = '3'] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node bench/replication.ts <folder> [megabytes] [brokers]')
rmSync(folder, { recursive: true, force: true })

const settings = Object.fromEntries(process.argv.slice(5).map((pair) => pair.split('=') as [string, string]))
const cluster = await startCluster({ data: folder, brokers: Number(brokers), logger: silentLogger, settings })
try {
  for (const replicas of [1, Number(brokers)]) await measure(cluster, replicas)
  await catchUp(cluster, Number(brokers), Number(megabytes))
} finally {
  await cluster.stop()
}
process.exit(0)

async function measure(cluster: EmbeddedCluster, replicas: number): Promise<void> {
  const topic = `replicas-${replicas}`
  const leader = await create(cluster, topic, replicas)
  await send(leader, topic, 1000, 200, 1)
  const times = await send(leader, topic, 1000, 2000, 1)
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor(sorted.length * part)]!.toFixed(2)
  console.log(`${replicas} replicas, 1 KB, acks=all, one at a time: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
  const started = performance.now()
  const batches = 2000
  await send(leader, topic, 100_000, batches, 5)
  const seconds = (performance.now() - started) / 1000
  console.log(`${replicas} replicas, batches of 100 KB, 5 in flight: ${((batches * 0.1) / seconds).toFixed(0)} MB/s`)
  leader.close()
}

async function catchUp(cluster: EmbeddedCluster, replicas: number, megabytes: number): Promise<void> {
  const leader = await create(cluster, 'filled', replicas)
  const leaderId = cluster.leaderOf('filled', 0)!
  const away = cluster.brokers.find(({ id }) => id !== leaderId)!.id
  await cluster.kill(away)
  await new Promise((resolve) => setTimeout(resolve, 4000))
  await send(leader, 'filled', 500_000, megabytes * 2, 5)
  const started = performance.now()
  await cluster.restart(away)
  const serving = performance.now()
  await cluster.settled(300_000)
  const seconds = (performance.now() - serving) / 1000
  console.log(
    `${megabytes} MB to a returning broker: serving after ${((serving - started) / 1000).toFixed(2)} s, ` +
      `in sync ${seconds.toFixed(2)} s later: ${(megabytes / seconds).toFixed(0)} MB/s`,
  )
  leader.close()
}

/** The topic's one partition; a connection to its leader. */
async function create(cluster: EmbeddedCluster, name: string, replicationFactor: number): Promise<RawClient> {
  const any = await RawClient.connect(cluster.bootstrapServers.split(',')[0]!)
  const { topics } = await any.request(createTopics, 5, {
    topics: [{ name, numPartitions: 1, replicationFactor }],
    timeoutMs: 30_000,
  })
  const code = topics[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  if (code !== ErrorCode.NONE) throw new Error(`create ${name}: ${errorName(code)}`)
  await cluster.settled()
  const found = await any.request(metadata, 9, { topics: [{ name }] })
  any.close()
  const leader = found.brokers.find(({ nodeId }) => nodeId === found.topics[0]!.partitions[0]!.leaderId)!
  return RawClient.connect(`${leader.host}:${leader.port}`)
}

/** Milliseconds from each request to its answer. */
async function send(
  client: RawClient,
  name: string,
  bytes: number,
  count: number,
  inFlight: number,
): Promise<number[]> {
  const times: number[] = []
  let sent = 0
  const one = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      const records = [buildBatch([{ value: Buffer.alloc(bytes, 1) }])]
      const started = performance.now()
      const { responses } = await client.request(produce, 9, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 30_000,
        topicData: [{ name, partitionData: [{ index: 0, records }] }],
      })
      const code = responses[0]?.partitionResponses[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
      if (code !== ErrorCode.NONE) throw new Error(`produce to ${name}: ${errorName(code)}`)
      times.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return times
}
