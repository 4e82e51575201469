// `npm run bench:partitions`: a broker with many partitions. Makes the data folder through a real broker, by the protocol, restarts it
// cleanly and after kill -9, and prints how long each step took and what it cost.
//   npm run bench:partitions                          100 topics of 100 partitions, 1 of 10,000, and 10,000 of one
//   npm run bench:partitions -- --partitions 2000     fewer of them
//   npm run bench:partitions -- --shape even          one of the shapes: even, one-topic, many-topics
//   npm run bench:partitions -- --profile             and the broker writes a CPU profile of each run into bench/profile/
// Every partition gets a few records, so that its folder is there. Read ratios, not figures: the machines are noisy.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { createTopics } from '../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../src/protocol/apis/delete-topics.ts'
import { listOffsets } from '../src/protocol/apis/list-offsets.ts'
import { metadata } from '../src/protocol/apis/metadata.ts'
import { produce } from '../src/protocol/apis/produce.ts'
import { ErrorCode, errorName } from '../src/protocol/error-code.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { BrokerProcess, root } from './broker-process.ts'
import { RawClient } from './raw-client.ts'

const { values: args } = parseArgs({
  options: {
    partitions: { type: 'string', default: '10000' },
    shape: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
})
const partitionsMax = Number(args.partitions)

interface Topic {
  readonly name: string
  readonly partitions: number
}

function topicsOf(count: number, partitions: number): Topic[] {
  return Array.from({ length: count }, (_, i) => ({ name: `topic-${i}`, partitions }))
}

const side = Math.round(Math.sqrt(partitionsMax))
const shapes: Record<string, Topic[]> = {
  even: topicsOf(side, side),
  'one-topic': topicsOf(1, partitionsMax),
  'many-topics': topicsOf(partitionsMax, 1),
}

/** The start of the records' times; each batch spans a few seconds from there. */
const firstTimestamp = 1_700_000_000_000
const RECORDS = 3
/** The checkpoint of high watermarks is written every 5 s, the others every 60 s: here all of them fall into the idle time. */
const IDLE_MS = 11_000
const settings = ['log.flush.offset.checkpoint.interval.ms=10000']

function row(what: string, value: number, unit: string, more = ''): void {
  process.stdout.write(
    `  ${what.padEnd(44)}${value.toFixed(value < 10 ? 1 : 0).padStart(8)} ${unit.padEnd(6)}${more}\n`,
  )
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  row(what, performance.now() - started, 'ms')
  return result
}

async function loopOf(broker: BrokerProcess, what: string): Promise<void> {
  const { longest, gcMaxMs, histogram, ownOver10 } = await broker.loopReport()
  const own = longest[0]?.own ?? 0
  row(
    `  longest turn of the loop, ${what}`,
    own,
    'ms',
    `(${ownOver10} over 10, gc ${gcMaxMs.toFixed(0)}, wall ${histogram.max.toFixed(0)})`,
  )
}

function start(data: string): Promise<BrokerProcess> {
  const nodeFlags = args.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(root, 'bench/profile')}`] : []
  return BrokerProcess.start({ data, settings, nodeFlags, probe: true })
}

async function create(client: RawClient, topics: readonly Topic[]): Promise<void> {
  const response = await client.request(createTopics, 7, {
    topics: topics.map(({ name, partitions }) => ({ name, numPartitions: partitions, replicationFactor: 1 })),
    timeoutMs: 120_000,
  })
  for (const { name, errorCode } of response.topics) mustBe(errorCode, name)
}

async function remove(client: RawClient, topics: readonly Topic[]): Promise<void> {
  const response = await client.request(deleteTopics, 6, {
    topics: topics.map(({ name }) => ({ name })),
    timeoutMs: 120_000,
  })
  for (const { name, errorCode } of response.responses) mustBe(errorCode, name ?? '')
}

function mustBe(errorCode: ErrorCode, what: string): void {
  if (errorCode !== ErrorCode.NONE) throw new Error(`${what}: ${errorName(errorCode)}`)
}

function indexes(partitions: number): number[] {
  return Array.from({ length: partitions }, (_, index) => index)
}

/** A batch into each partition; 1,000 partitions to a request. */
async function produceToAll(client: RawClient, topics: readonly Topic[]): Promise<void> {
  const batch = buildBatch(
    Array.from({ length: RECORDS }, (_, i) => ({
      key: `k${i}`,
      value: 'x'.repeat(100),
      timestamp: firstTimestamp + i * 1000,
    })),
  )
  const all = topics.flatMap(({ name, partitions }) => indexes(partitions).map((index) => ({ name, index })))
  for (let from = 0; from < all.length; from += 1000) {
    const byTopic = Map.groupBy(all.slice(from, from + 1000), ({ name }) => name)
    const response = await client.request(produce, 9, {
      acks: -1,
      timeoutMs: 60_000,
      topicData: [...byTopic].map(([name, places]) => ({
        name,
        partitionData: places.map(({ index }) => ({ index, records: [batch] })),
      })),
    })
    for (const { name, partitionResponses } of response.responses) {
      for (const { errorCode } of partitionResponses) mustBe(errorCode, name)
    }
  }
}

async function describeAll(client: RawClient, partitions: number): Promise<void> {
  const response = await client.request(metadata, 13, { topics: null })
  const found = response.topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
  if (found !== partitions) throw new Error(`${found} partitions where ${partitions} were made`)
}

async function listAll(client: RawClient, topics: readonly Topic[], timestamp: bigint, offset: number): Promise<void> {
  const response = await client.request(listOffsets, 9, {
    replicaId: -1,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: indexes(partitions).map((partitionIndex) => ({ partitionIndex, timestamp })),
    })),
  })
  for (const topic of response.topics) {
    for (const partition of topic.partitions) {
      mustBe(partition.errorCode, topic.name)
      if (partition.offset !== offset) throw new Error(`offset ${partition.offset} where ${offset} was expected`)
    }
  }
}

async function ask(
  broker: BrokerProcess,
  topics: readonly Topic[],
  partitions: number,
  batches: number,
): Promise<void> {
  const client = await RawClient.connect(broker.bootstrap)
  const second = BigInt(firstTimestamp + 1000)
  for (const time of ['first', 'second']) {
    await timed(`Metadata of all, ${time} time`, () => describeAll(client, partitions))
    await timed(`ListOffsets of all, latest, ${time} time`, () => listAll(client, topics, -1n, batches * RECORDS))
    await timed(`ListOffsets of all, earliest, ${time} time`, () => listAll(client, topics, -2n, 0))
    await timed(`ListOffsets of all by timestamp, ${time} time`, () => listAll(client, topics, second, 1))
  }
  client.close()
}

async function ready(data: string, what: string): Promise<BrokerProcess> {
  const broker = await start(data)
  row(what, broker.readyMs, 'ms')
  row(
    '  memory',
    broker.megabytes('VmRSS'),
    'MB',
    `(peak ${broker.megabytes('VmHWM').toFixed(0)}, ${broker.openFiles()} open files)`,
  )
  await loopOf(broker, 'start')
  return broker
}

async function folderEmpty(data: string): Promise<void> {
  while (readdirSync(data).some((name) => name.startsWith('topic-'))) await delay(20)
}

async function measure(shape: string, topics: readonly Topic[]): Promise<void> {
  const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0)
  process.stdout.write(`${shape}: ${topics.length} topics, ${partitions} partitions\n`)
  const data = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  try {
    let broker = await ready(data, 'start of an empty folder')
    let client = await RawClient.connect(broker.bootstrap)
    await timed('create the topics', () => create(client, topics))
    await loopOf(broker, 'create')
    await timed('a batch into each partition', () => produceToAll(client, topics))
    await loopOf(broker, 'produce')
    client.close()
    row('stop', await broker.stop(), 'ms')

    broker = await ready(data, 'clean start')
    await delay(IDLE_MS)
    row('idle memory', broker.megabytes('VmRSS'), 'MB', `(${broker.openFiles()} open files)`)
    await loopOf(broker, 'idle')
    await ask(broker, topics, partitions, 1)
    await loopOf(broker, 'requests')
    row('open files after requests', broker.openFiles(), '')
    client = await RawClient.connect(broker.bootstrap)
    await timed('one more batch into each partition', () => produceToAll(client, topics))
    await loopOf(broker, 'produce')
    await delay(IDLE_MS)
    await loopOf(broker, 'checkpoints after it')
    client.close()
    await broker.kill()

    broker = await ready(data, 'start after kill -9')
    await ask(broker, topics, partitions, 2)
    await loopOf(broker, 'requests')
    client = await RawClient.connect(broker.bootstrap)
    await timed('delete the topics', () => remove(client, topics))
    await timed('until the folder is empty', () => folderEmpty(data))
    await loopOf(broker, 'delete')
    client.close()
    row('stop', await broker.stop(), 'ms')
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

for (const [shape, topics] of Object.entries(shapes)) {
  if (args.shape === undefined || args.shape === shape) await measure(shape, topics)
}
