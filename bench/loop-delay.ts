// `npm run bench:loop`: how long the broker's event loop is held up, at most, by what a broker has to do. Each row is a broker of its own in
// a process of its own, watched from inside (loop-probe.ts).
//   npm run bench:loop                          all of them, a few minutes
//   npm run bench:loop -- --only recovery       those whose name holds the word
//   npm run bench:loop -- --profile             and CPU profiles in bench/profile/ of those that end cleanly
// `ours` is the processor time of the longest turn of the loop without collections of garbage. It does not count what other processes
// took from us, which `wall` does.

import { randomFillSync } from 'node:crypto'
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createTopics } from '../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../src/protocol/apis/delete-topics.ts'
import { findCoordinator } from '../src/protocol/apis/find-coordinator.ts'
import { listGroups } from '../src/protocol/apis/list-groups.ts'
import { listOffsets } from '../src/protocol/apis/list-offsets.ts'
import { metadata } from '../src/protocol/apis/metadata.ts'
import { offsetCommit } from '../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../src/protocol/apis/offset-fetch.ts'
import { produce } from '../src/protocol/apis/produce.ts'
import { ErrorCode, errorName } from '../src/protocol/error-code.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { BrokerProcess, root } from './broker-process.ts'
import { LoadProcess } from './load/load-process.ts'
import { RawClient } from './raw-client.ts'

const { values: args } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    megabytes: { type: 'string', default: '1024' },
    producers: { type: 'string', default: '100000' },
    offsets: { type: 'string', default: '100000' },
    profile: { type: 'boolean', default: false },
  },
})
const MB = 1_000_000
const KIB = 1024
const loadProcess = await LoadProcess.start()
const logBytes = Number(args.megabytes) * MB
const topic = 'bench'
/** Of the log's first file. */
const firstSegment = '00000000000000000000'

class Bench {
  readonly data = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  #broker: BrokerProcess | null = null

  get broker(): BrokerProcess {
    if (this.#broker === null) throw new Error('no broker runs')
    return this.#broker
  }

  get folder(): string {
    return join(this.data, `${topic}-0`)
  }

  async start(settings: readonly string[] = []): Promise<void> {
    const nodeFlags = args.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(root, 'bench/profile')}`] : []
    this.#broker = await BrokerProcess.start({ data: this.data, settings, nodeFlags, probe: true })
  }

  async stop(): Promise<void> {
    await this.#broker?.stop()
    this.#broker = null
  }

  async kill(): Promise<void> {
    await this.broker.kill()
    this.#broker = null
  }

  /** What happened until now is not counted. */
  async forget(): Promise<void> {
    await this.broker.loopReport()
  }

  async report(what: string): Promise<void> {
    const { histogram, longest, gcMaxMs, ownOver10 } = await this.broker.loopReport()
    line(what, [histogram.p99, histogram.max, longest[0]?.own ?? 0, ownOver10, gcMaxMs])
  }

  async client<T>(work: (client: RawClient) => Promise<T>): Promise<T> {
    const client = await RawClient.connect(this.broker.bootstrap)
    try {
      return await work(client)
    } finally {
      client.close()
    }
  }

  async create(partitions = 1, configs: Record<string, string> = {}): Promise<void> {
    const { topics } = await this.client((client) =>
      client.request(createTopics, 7, {
        topics: [
          {
            name: topic,
            numPartitions: partitions,
            replicationFactor: 1,
            configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
          },
        ],
        timeoutMs: 60_000,
      }),
    )
    mustBe(topics[0]?.errorCode)
  }

  /** With an ack of each batch; batches of 1 KiB records. */
  async produce(batchBytes: number, bytes: number): Promise<void> {
    const { bootstrap } = this.broker
    await loadProcess.run({ kind: 'fill', bootstrap, topic, partitions: 1, recordBytes: KIB, batchBytes, bytes })
  }

  /** All there is, from the beginning. */
  async drain(): Promise<void> {
    const { bootstrap } = this.broker
    await loadProcess.run({ kind: 'drain', bootstrap, topic, partitions: 1, consumers: 1 })
  }

  async byTimestamp(): Promise<void> {
    const request = {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: 1n }] }],
    }
    const { topics } = await this.client((client) => client.request(listOffsets, 9, request))
    mustBe(topics[0]?.partitions[0]?.errorCode)
  }

  async produceOne(client: RawClient, batch: Uint8Array): Promise<void> {
    const { responses } = await client.request(produce, 9, {
      acks: -1,
      timeoutMs: 60_000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: [batch] }] }],
    })
    mustBe(responses[0]?.partitionResponses[0]?.errorCode)
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.data, { recursive: true, force: true })
  }
}

function mustBe(errorCode: ErrorCode | undefined): void {
  if (errorCode !== ErrorCode.NONE) throw new Error(errorName(errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR))
}

function line(what: string, cells: readonly (number | string)[]): void {
  const shown = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(cell < 10 ? 1 : 0) : cell).padStart(10))
  process.stdout.write(`${what.padEnd(56)}${shown.join('')}\n`)
}

/** Runs `count` times, `atOnce` at a time. */
async function times(count: number, atOnce: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

type Scenario = (bench: Bench) => Promise<void>

function traffic(batchBytes: number, name: string): Scenario {
  return async (bench) => {
    await bench.start()
    await bench.create()
    await bench.produce(batchBytes, 100 * MB)
    await bench.forget()
    await bench.produce(batchBytes, 500 * MB)
    await bench.report(`produce, ${name}`)
    await bench.drain()
    await bench.report(`fetch of a backlog, ${name}`)
  }
}

/** A log that was not closed, of one segment or of many. */
async function unclean(bench: Bench): Promise<void> {
  await bench.start()
  await bench.create()
  await bench.produce(64 * KIB, logBytes)
  await bench.kill()
}

const scenarios: Record<string, Scenario> = {
  'traffic of 16 KiB': traffic(16 * KIB, '16 KiB batches'),
  'traffic of 1 MiB': traffic(1024 * KIB, '1 MiB batches'),
  recovery: async (bench) => {
    await unclean(bench)
    await bench.start()
    await bench.report(`recovery of ${args.megabytes} MB in 64 KiB batches`)
  },
  'torn tail': async (bench) => {
    await unclean(bench)
    const file = join(bench.folder, newestLog(bench.folder))
    truncateSync(file, statSync(file).size - 1000)
    await bench.start()
    await bench.report('recovery with a torn tail')
  },
  'garbage at the end': async (bench) => {
    await bench.start()
    await bench.create()
    await bench.produce(64 * KIB, 100 * MB)
    await bench.kill()
    const file = join(bench.folder, newestLog(bench.folder))
    const garbage = Buffer.alloc(64 * MB)
    randomFillSync(garbage)
    appendFileSync(file, garbage)
    await bench.start()
    await bench.report('recovery with 64 MB that are no batches')
  },
  'index rebuild': async (bench) => {
    await bench.start()
    await bench.create(1, { 'segment.bytes': String(512 * MB) })
    await bench.produce(16 * KIB, logBytes)
    await bench.stop()
    for (const name of readdirSync(bench.folder)) {
      if (/\.(time)?index$/.test(name)) rmSync(join(bench.folder, name))
    }
    await bench.start()
    await bench.report('clean start without indexes')
    await bench.byTimestamp()
    await bench.drain()
    await bench.report('lookup by timestamp and fetch without indexes')
  },
  producers: async (bench) => {
    const count = Number(args.producers)
    const settings = ['log.flush.offset.checkpoint.interval.ms=2000']
    await bench.start(settings)
    await bench.create(1, { 'segment.bytes': String(64 * MB) })
    await bench.forget()
    await bench.client((client) =>
      times(count, 200, (i) =>
        bench.produceOne(
          client,
          buildBatch([{ value: 'x', timestamp: Date.now() }], { producerId: i, producerEpoch: 0, baseSequence: 0 }),
        ),
      ),
    )
    await bench.report(`a batch of each of ${count} idempotent producers`)
    await delay(5000)
    await bench.report('checkpoint and expiry of producers')
    await bench.produce(1024 * KIB, 80 * MB)
    await bench.report('roll of a segment: snapshot of producers')
    await bench.stop()
    await bench.start(settings)
    await bench.report('clean start with them')
    await bench.kill()
    await bench.start(settings)
    await bench.report('start after kill -9 with them')
  },
  offsets: async (bench) => {
    const count = Number(args.offsets)
    const partitions = 1000
    const groups = Math.ceil(count / partitions)
    const indexes = Array.from({ length: partitions }, (_, index) => index)
    await bench.start()
    await bench.create(partitions)
    await bench.client((client) => client.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['group-0'] }))
    await bench.forget()
    const commit = (client: RawClient, group: number): Promise<boolean> =>
      client
        .request(offsetCommit, 8, {
          groupId: `group-${group}`,
          memberId: '',
          topics: [
            {
              name: topic,
              partitions: indexes.map((partitionIndex) => ({
                partitionIndex,
                committedOffset: 5,
                committedMetadata: '',
              })),
            },
          ],
        })
        .then(({ topics }) =>
          topics.every((each) => each.partitions.every(({ errorCode }) => errorCode === ErrorCode.NONE)),
        )
    const fetchAll = (client: RawClient, group: number): Promise<number> =>
      client
        .request(offsetFetch, 8, { groups: [{ groupId: `group-${group}`, topics: null }] })
        .then((response) => response.groups[0]?.topics[0]?.partitions.length ?? 0)
    await bench.client((client) =>
      times(groups, 4, async (group) => {
        while (!(await commit(client, group))) await delay(50)
      }),
    )
    await bench.report(`commits of ${groups} groups, ${partitions} offsets each`)
    await bench.client((client) =>
      times(groups, 4, async (group) => {
        if ((await fetchAll(client, group)) !== partitions) throw new Error('offsets are missing')
      }),
    )
    await bench.report('OffsetFetch of all of each group')
    await bench.client((client) => client.request(listGroups, 4, {}))
    await bench.report('ListGroups')
    await bench.stop()
    await bench.start()
    await bench.report('start with 1,000 partitions')
    await bench.client((client) =>
      times(groups, 4, async (group) => {
        while ((await fetchAll(client, group)) !== partitions) await delay(20)
      }),
    )
    await bench.report('load of the offsets after it, OffsetFetch of all')
  },
  'topic of 1,000 partitions': async (bench) => {
    await bench.start()
    await bench.forget()
    await bench.create(1000)
    await bench.report('create a topic of 1,000 partitions')
    await bench.client((client) => client.request(metadata, 13, { topics: null }))
    await bench.report('its metadata')
    await bench.client((client) => client.request(deleteTopics, 6, { topics: [{ name: topic }], timeoutMs: 60_000 }))
    await delay(1000)
    await bench.report('delete it')
  },
  ...Object.fromEntries(
    (['gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec) => [`compression ${codec}`, compressed(codec)]),
  ),
}

/** The topic wants another codec than the producer used: the broker compresses. */
function compressed(codec: string): Scenario {
  return async (bench) => {
    await bench.start()
    await bench.create(1, { 'compression.type': codec })
    const word = () => Math.random().toString(36).slice(2, 8)
    const words = Array.from({ length: 2000 }, word)
    const text = (): string => Array.from({ length: 140 }, () => words[Math.floor(Math.random() * 2000)]).join(' ')
    const batch = buildBatch(Array.from({ length: 1000 }, () => ({ value: text(), timestamp: Date.now() })))
    await bench.client((client) => times(5, 1, () => bench.produceOne(client, Buffer.from(batch))))
    await bench.forget()
    await bench.client((client) => times(50, 1, () => bench.produceOne(client, Buffer.from(batch))))
    await bench.report(`produce of ${Math.round(batch.length / KIB)} KiB that the broker packs with ${codec}`)
  }
}

function newestLog(folder: string): string {
  return (
    readdirSync(folder)
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1) ?? `${firstSegment}.log`
  )
}

line('milliseconds', ['p99', 'wall', 'ours', '> 10 ms', 'gc'])
for (const [name, scenario] of Object.entries(scenarios)) {
  if (!name.includes(args.only)) continue
  const bench = new Bench()
  try {
    await scenario(bench)
  } finally {
    await bench.end()
  }
}
await loadProcess.stop()
