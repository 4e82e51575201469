// What partitions that nobody writes to cost those that somebody does: CPU time of one record with acks=all and three replicas, beside more
// and more idle partitions of the same brokers. A follower asks for all partitions of a leader in one fetch, so each fetch could cost what
// all of them cost. Three brokers in this process, disks in memory, real sockets: the CPU time is that of all three.
//
//   node bench/idle-partitions.ts [counts of idle partitions, by default 0,1000,3000]

import { createTopics } from '../src/protocol/apis/create-topics.ts'
import { metadata } from '../src/protocol/apis/metadata.ts'
import { produce } from '../src/protocol/apis/produce.ts'
import { ErrorCode, errorName } from '../src/protocol/error-code.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { startCluster } from '../src/testkit/start-cluster.ts'
import { median, printMachine } from './measured.ts'
import { RawClient } from './raw-client.ts'

const counts = (process.argv[2] ?? '0,1000,3000').split(',').map(Number)
const perTopic = 100
const records = 300
const rounds = 5

printMachine()
// On a busy machine nobody shall be missed meanwhile.
const settings = { 'broker.session.timeout.ms': '60000', 'replica.lag.time.max.ms': '60000' }
const cluster = await startCluster({ brokers: 3, settings })
const any = await RawClient.connect(cluster.bootstrapServers.split(',')[0]!)

async function create(name: string, partitions: number): Promise<void> {
  const { topics } = await any.request(createTopics, 7, {
    topics: [{ name, numPartitions: partitions, replicationFactor: 3 }],
    timeoutMs: 60_000,
  })
  const code = topics[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  if (code !== ErrorCode.NONE) throw new Error(`create ${name}: ${errorName(code)}`)
}

await create('busy', 1)
await cluster.settled()
const { brokers, topics } = await any.request(metadata, 12, { topics: [{ name: 'busy' }] })
const leader = brokers.find(({ nodeId }) => nodeId === topics[0]!.partitions[0]!.leaderId)!
const client = await RawClient.connect(`${leader.host}:${leader.port}`)
const batch = buildBatch([{ value: Buffer.alloc(1000, 'x') }])

/** Microseconds of CPU for each of some records, one at a time. */
async function one(): Promise<number> {
  const before = process.cpuUsage()
  for (let n = 0; n < records; n++) {
    const { responses } = await client.request(produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 60_000,
      topicData: [{ name: 'busy', partitionData: [{ index: 0, records: [batch] }] }],
    })
    const code = responses[0]?.partitionResponses[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (code !== ErrorCode.NONE) throw new Error(`produce: ${errorName(code)}`)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / records
}

let idle = 0
for (const count of counts) {
  for (; idle < count; idle += perTopic) await create(`idle-${idle}`, perTopic)
  await cluster.settled(120_000)
  await one()
  const times: number[] = []
  for (let round = 0; round < rounds; round++) times.push(await one())
  console.log(
    `${count} idle partitions: ${median(times).toFixed(0)} µs of CPU for a record (${times.map((time) => time.toFixed(0)).join(' ')})`,
  )
}
printMachine()
process.exit(0)
