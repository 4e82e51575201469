// `odradek adopt`: what Apache Kafka has written, Odradek serves, byte for byte and offset for offset. Kafka is filled with every kind
// of log, stopped, and taken over; started again on its own untouched folder, killed, and taken over once more, in place.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  deleteRecords,
  describeConfigs,
  fetch,
  initProducerId,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
} from '../src/protocol/apis/index.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../src/protocol/schema/index.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { leaderEpochOf } from '../src/records/batch.ts'
import { batchesIn } from '../src/records/batches-in.ts'
import { recordsOf } from '../src/records/record.ts'
import { closed, Peer } from './differential/dialogue.ts'
import { BrokerProcess } from './support/broker-process.ts'
import { KafkaBroker } from './support/kafka-broker.ts'
import { CompressionTypes, kafkaJs, Member, type Seen } from './support/kafkajs-client.ts'
import { type Finished, run } from './support/processes.ts'
import { kafkaTool, withoutKafkaTools } from './support/tools.ts'
import { waitFor } from './support/wait-for.ts'

const main = join(import.meta.dirname, '../src/cli/main.ts')
const start = 1_700_000_000_000

async function odradekAdopt(args: readonly string[]): Promise<Finished> {
  return run(process.execPath, [main, 'adopt', ...args], { anyCode: true })
}

/** Asks one broker, and takes nothing but an answer. */
class Asker {
  readonly #peer: Peer

  private constructor(peer: Peer) {
    this.#peer = peer
  }

  static async open(bootstrap: string): Promise<Asker> {
    return new Asker(await Peer.open(bootstrap, 'adopt-test'))
  }

  async ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const answer = await this.#peer.ask(api, version, body)
    assert.notEqual(answer, closed)
    return answer as ResponseOf<A>
  }

  async topics() {
    const { topics } = await this.ask(metadata, 12, { topics: null })
    return topics.toSorted((a, b) => (a.name! < b.name! ? -1 : 1))
  }

  async offset(name: string, partitionIndex: number, timestamp: bigint) {
    const topics = [{ name, partitions: [{ partitionIndex, timestamp }] }]
    const {
      errorCode,
      offset,
      timestamp: at,
    } = (await this.ask(listOffsets, 7, { replicaId: -1, topics })).topics[0]!.partitions[0]!
    assert.equal(errorCode, 0, `${name}-${partitionIndex}`)
    return { offset, at }
  }

  /** Every batch there is, as its bytes are. */
  async batches(topic: string, partition: number): Promise<{ bytes: Uint8Array[]; aborted: unknown }> {
    const end = (await this.offset(topic, partition, -1n)).offset
    let fetchOffset = (await this.offset(topic, partition, -2n)).offset
    const bytes: Uint8Array[] = []
    let aborted: unknown = null
    while (fetchOffset < end) {
      const found = await this.ask(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1 << 26,
        isolationLevel: 1,
        topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 26 }] }],
      })
      const data = found.responses[0]!.partitions[0]!
      assert.equal(data.errorCode, 0)
      aborted ??= data.abortedTransactions
      const batches = [...batchesIn(Buffer.concat(data.records ?? []))]
      assert.ok(batches.length > 0, `${topic}-${partition} ends at ${fetchOffset}, not at ${end}`)
      bytes.push(...batches)
      fetchOffset =
        Number(Buffer.from(batches.at(-1)!).readBigInt64BE(0)) + Buffer.from(batches.at(-1)!).readInt32BE(23) + 1
    }
    return { bytes, aborted }
  }

  close(): void {
    this.#peer.close()
  }
}

/** All that clients can see of the topics that were filled here; two brokers that serve the same show the same. */
async function shown(bootstrap: string, compacted: readonly string[]) {
  const asker = await Asker.open(bootstrap)
  const all: Record<string, unknown> = {}
  for (const { name, topicId, partitions } of await asker.topics()) {
    const resources = [{ resourceType: 2, resourceName: name!, configurationKeys: null }]
    const described = (await asker.ask(describeConfigs, 4, { resources, includeSynonyms: false })).results[0]!
    const configs = described.configs
      .filter(({ configSource }) => configSource === 1)
      .map((config) => `${config.name}=${config.value}`)
      .toSorted()
    const isInternal = name!.startsWith('__')
    all[name!] = {
      topicId,
      configs,
      partitions: isInternal ? partitions.length : await partitionsShown(asker, name!, partitions.length, compacted),
    }
  }
  asker.close()
  return all
}

async function partitionsShown(asker: Asker, name: string, count: number, compacted: readonly string[]) {
  const partitions: unknown[] = []
  for (let i = 0; i < count; i++) partitions.push(await partitionShown(asker, name, i, compacted.includes(name)))
  return partitions
}

async function partitionShown(asker: Asker, name: string, index: number, isCompacted: boolean) {
  const { bytes, aborted } = await asker.batches(name, index)
  const epochs = [...new Set(bytes.map((batch) => leaderEpochOf(batch)))]
  const partitions = epochs.map((leaderEpoch) => ({ partition: index, leaderEpoch, currentLeaderEpoch: -1 }))
  const ends = await asker.ask(offsetForLeaderEpoch, 4, { replicaId: -1, topics: [{ topic: name, partitions }] })
  const byTime: unknown[] = []
  const times = [0n, BigInt(start + 3000), BigInt(start + 3001), BigInt(start + 100_000)]
  // Of a log without records Kafka answers with the last that were deleted, as long as their segment is there.
  if (bytes.length > 0) times.push(-3n)
  for (const time of times) byTime.push(await asker.offset(name, index, time))
  return {
    from: await asker.offset(name, index, -2n),
    end: await asker.offset(name, index, -1n),
    aborted,
    epochs,
    epochEnds: ends.topics[0]?.partitions.map(({ endOffset }) => endOffset),
    // A cleaner may run at any time: what it must keep is the last record of each key.
    ...(isCompacted ? { lastOfKeys: lastOfKeys(bytes) } : { byTime, bytes: bytes.map(digestOf) }),
  }
}

function lastOfKeys(batches: readonly Uint8Array[]): Record<string, string> {
  const last: Record<string, string> = {}
  for (const batch of batches) {
    for (const { key, value, offset } of recordsOf(batch)) {
      last[Buffer.from(key!).toString()] = `${Buffer.from(value ?? []).toString()} at ${offset}`
    }
  }
  return last
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Every file with its bytes. */
async function filesIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => join(parentPath, name)).toSorted()
}

const kafkaSettings = {
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'log.cleaner.backoff.ms': '100',
  'log.initial.task.delay.ms': '100',
  'log.retention.check.interval.ms': '100',
}
const clean = { 'min.cleanable.dirty.ratio': '0.001', 'segment.ms': '1000' }

/** A topic for each thing that can lie in a log. */
async function fill(bootstrap: string): Promise<{ readonly producer: number; readonly batch: Uint8Array }> {
  const kafka = kafkaJs(bootstrap)
  const admin = kafka.admin()
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  const transactional = kafka.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
  await Promise.all([admin.connect(), producer.connect(), transactional.connect()])
  const topic = (name: string, numPartitions: number, configs: Record<string, string> = {}) => ({
    topic: name,
    numPartitions,
    configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
  })
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      topic('codecs', 2, { 'retention.ms': '-1', 'segment.bytes': '1048576' }),
      topic('compacted', 1, { 'cleanup.policy': 'compact', ...clean }),
      topic('emptied', 1, { 'retention.ms': '-1', 'segment.ms': '1000' }),
      topic('gone', 1),
      topic('never-written', 2),
      topic('transactions', 1, { 'retention.ms': '-1' }),
      topic('trimmed', 1, { 'retention.ms': '-1', 'segment.ms': '1000' }),
    ],
  })
  const { None, GZIP, Snappy, LZ4, ZSTD } = CompressionTypes
  let time = start
  for (const compression of [None, GZIP, Snappy, LZ4, ZSTD, None]) {
    for (const partition of [0, 1]) {
      const messages = Array.from({ length: 20 }, (_, i) => ({
        partition,
        key: i % 3 === 0 ? null : `key-${i}`,
        value: i % 7 === 0 ? null : `${compression}-${i}`.repeat(200),
        headers: { trace: `t-${i}` },
        timestamp: String((time += 100)),
      }))
      await producer.send({ topic: 'codecs', compression, messages })
    }
  }
  for (const [round, name] of ['compacted', 'trimmed', 'emptied'].flatMap((name) =>
    [1, 2, 3, 4].map((n) => [n, name] as const),
  )) {
    const messages = Array.from({ length: 50 }, (_, i) => ({
      key: `key-${i % (10 * round)}`,
      value: `${round}-${i}`,
      timestamp: String(start + 10_000 * round + i),
    }))
    await producer.send({ topic: name, messages })
  }
  const asker = await Asker.open(bootstrap)
  const deleted = await asker.ask(deleteRecords, 2, {
    topics: [
      { name: 'trimmed', partitions: [{ partitionIndex: 0, offset: 73n }] },
      { name: 'emptied', partitions: [{ partitionIndex: 0, offset: -1n }] },
    ],
    timeoutMs: 10_000,
  })
  assert.deepEqual(
    deleted.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    [0, 0],
  )
  for (const [i, ends] of ['commit', 'abort', 'commit', 'abort'].entries()) {
    const transaction = await transactional.transaction()
    const messages = [{ value: `${ends}-${i}`, timestamp: String(start + 1000 * i) }, { value: 'more' }]
    await transaction.send({ topic: 'transactions', messages })
    await (ends === 'commit' ? transaction.commit() : transaction.abort())
  }
  await admin.deleteTopics({ topics: ['gone'] })
  await admin.setOffsets({
    groupId: 'settled',
    topic: 'codecs',
    partitions: [
      { partition: 0, offset: '17' },
      { partition: 1, offset: '120' },
    ],
  })
  await Promise.all([admin.disconnect(), producer.disconnect(), transactional.disconnect()])

  const { producerId } = await asker.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
  const options = { producerId, producerEpoch: 0, baseSequence: 0 }
  const batch = buildBatch([{ value: 'once', timestamp: start }], options)
  assert.deepEqual(await sent(asker, 'codecs', batch), { errorCode: 0, baseOffset: 120 })
  await waitFor('the cleaner', async () => {
    const { bytes } = await asker.batches('compacted', 0)
    return bytes.reduce((sum, each) => sum + [...recordsOf(each)].length, 0) < 150
  })
  // Kafka finds offsets by time wrongly while segments below the log's start are still there.
  await waitFor('retention', async () => (await asker.offset('trimmed', 0, 0n)).offset === 73)
  asker.close()
  return { producer: producerId, batch }
}

async function sent(asker: Asker, name: string, batch: Uint8Array) {
  const topicData = [{ name, partitionData: [{ index: 0, records: [batch] }] }]
  const answer = await asker.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData })
  const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
  return { errorCode, baseOffset }
}

/** What a client made of the records, in the order of the partitions. */
function seenBy(seen: readonly Seen[]) {
  return seen
    .map(({ partition, offset, key, value, message: { timestamp, headers } }) => {
      return { partition, offset, key, value, timestamp, trace: String(headers?.['trace']) }
    })
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
}

const skip = process.platform === 'linux' ? withoutKafkaTools() : 'only Linux tells who holds a lock'

suite('odradek adopt', { skip }, () => {
  let root = ''
  let kafka: KafkaBroker
  let odradek: BrokerProcess | null = null
  let filled: Awaited<ReturnType<typeof fill>>
  let atKafka: Awaited<ReturnType<typeof shown>>
  let epochsAtKafka: number[]
  let seenAtKafka: ReturnType<typeof seenBy>
  const compacted = ['compacted']

  const groupOffsets = async (bootstrap: string, groupId: string) => {
    const admin = kafkaJs(bootstrap).admin()
    await admin.connect()
    const offsets = await admin.fetchOffsets({ groupId, topics: ['codecs'] })
    await admin.disconnect()
    return offsets[0]!.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }
  const leaderEpochs = async (bootstrap: string) => {
    const asker = await Asker.open(bootstrap)
    const topics = await asker.topics()
    asker.close()
    return topics.flatMap(({ partitions }) =>
      partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex).map(({ leaderEpoch }) => leaderEpoch),
    )
  }

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'odradek-adopt-'))
    kafka = await KafkaBroker.start(join(root, 'kafka'), kafkaSettings)
    filled = await fill(kafka.bootstrap)
  })

  after(async () => {
    await odradek?.stop()
    await kafka?.stop()
    await rm(root, { recursive: true, force: true })
  })

  test('refuses a folder that Kafka runs on', async () => {
    const { code, stderr } = await odradekAdopt([kafka.data])
    assert.equal(code, 1)
    assert.match(stderr, /Kafka runs on .* \(process \d+\): stop it first/)
  })

  test('says what it would do, and does nothing', async (t) => {
    const readers = await Member.join(t, kafkaJs(kafka.bootstrap), { groupId: 'readers', topic: 'codecs' })
    seenAtKafka = seenBy(await readers.until(241))
    await readers.leave()
    const group = ['--topic', 'codecs', '--group', 'of-kip-848', '--command-property', 'group.protocol=consumer']
    const bound = ['--from-beginning', '--max-messages', '5']
    await kafkaTool('console-consumer', ['--bootstrap-server', kafka.bootstrap, ...group, ...bound])
    atKafka = await shown(kafka.bootstrap, compacted)
    epochsAtKafka = await leaderEpochs(kafka.bootstrap)
    assert.deepEqual(Object.keys(atKafka), [
      '__consumer_offsets',
      '__transaction_state',
      'codecs',
      'compacted',
      'emptied',
      'never-written',
      'transactions',
      'trimmed',
    ])
    await kafka.stop()
    const files = await filesIn(kafka.data)
    const { code, stdout, stderr } = await odradekAdopt([kafka.data, '--dry-run'])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /stopped cleanly/)
    assert.match(stdout, /8 topics, 14 partitions/)
    assert.match(stdout, /Nothing was changed/)
    assert.deepEqual(await filesIn(kafka.data), files)
  })

  test('a broker does not start on a folder that is still of Kafka', async () => {
    const files = await filesIn(kafka.data)
    await assert.rejects(BrokerProcess.start({ data: kafka.data }), /is a data folder of Apache Kafka; odradek adopt/)
    assert.deepEqual(await filesIn(kafka.data), files)
  })

  test('copies into a new folder, from which everything is served as Kafka served it', async (t) => {
    const data = join(root, 'copied')
    const { code, stdout, stderr } = await odradekAdopt([kafka.data, '--data', data, '--config', kafka.config])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /Start it with: odradek start --data .*copied --config /)
    odradek = await BrokerProcess.start({ data })
    const { bootstrap } = odradek
    assert.deepEqual(await shown(bootstrap, compacted), atKafka)
    assert.deepEqual(await groupOffsets(bootstrap, 'settled'), ['17', '120'])
    const epochs = await leaderEpochs(bootstrap)
    assert.ok(epochs.every((epoch, i) => epoch > epochsAtKafka[i]!))

    const asker = await Asker.open(bootstrap)
    t.after(() => asker.close())
    assert.deepEqual(await sent(asker, 'codecs', filled.batch), { errorCode: 0, baseOffset: 120 }, 'a retry is known')
    const { producerId } = await asker.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
    assert.ok(producerId >= Math.ceil((filled.producer + 1) / 1000) * 1000, `${producerId} is of a block of Kafka's`)

    const producer = kafkaJs(bootstrap).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    await producer.send({ topic: 'codecs', messages: [0, 1].map((partition) => ({ partition, value: 'after' })) })
    await producer.disconnect()
    const readers = await Member.join(t, kafkaJs(bootstrap), { groupId: 'readers', topic: 'codecs' })
    await readers.until(2)
    assert.deepEqual(
      readers.seen
        .map(({ partition, offset, value }) => ({ partition, offset, value }))
        .toSorted((a, b) => a.partition - b.partition),
      [
        { partition: 0, offset: 121, value: 'after' },
        { partition: 1, offset: 120, value: 'after' },
      ],
    )
    await readers.leave()
    const newcomer = await Member.join(t, kafkaJs(bootstrap), { groupId: 'newcomers', topic: 'codecs' })
    assert.deepEqual(
      seenBy(await newcomer.until(243)).filter(({ value }) => value !== 'after'),
      seenAtKafka,
    )
    await newcomer.leave()
    const { bytes } = await asker.batches('codecs', 0)
    assert.ok(leaderEpochOf(bytes.at(-1)!) > leaderEpochOf(bytes.at(-2)!))
    assert.equal((await odradek.stop()).code, 0)
    odradek = null
  })

  test('takes over in place what Kafka left when it was killed', async () => {
    kafka = await KafkaBroker.start(join(root, 'kafka'), kafkaSettings)
    assert.deepEqual(await shown(kafka.bootstrap, compacted), atKafka, 'its folder was not touched')
    const producer = kafkaJs(kafka.bootstrap).producer()
    await producer.connect()
    await producer.send({
      topic: 'codecs',
      messages: [{ partition: 1, value: 'the last of Kafka', timestamp: String(start) }],
    })
    await producer.disconnect()
    atKafka = await shown(kafka.bootstrap, compacted)
    epochsAtKafka = await leaderEpochs(kafka.bootstrap)
    await kafka.kill()

    const { code, stdout, stderr } = await odradekAdopt([kafka.data])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /not stopped cleanly: its logs will be checked/)
    assert.match(stdout, /mv .*__cluster_metadata-0\.kafka /)
    odradek = await BrokerProcess.start({ data: kafka.data })
    assert.deepEqual(await shown(odradek.bootstrap, compacted), atKafka)
    assert.deepEqual(await groupOffsets(odradek.bootstrap, 'settled'), ['17', '120'])
    assert.ok((await leaderEpochs(odradek.bootstrap)).every((epoch, i) => epoch > epochsAtKafka[i]!))
    await odradek.stop()
    odradek = null
    const again = await odradekAdopt([kafka.data])
    assert.match(again.stderr, /was adopted already/)
  })
})
