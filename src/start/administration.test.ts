// What administrators change while the broker runs, seen from outside: records that are deleted stay so, configs act at once.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { seededRandom } from '../io/random.sim.ts'
import { createTopics } from '../protocol/apis/create-topics.ts'
import { deleteRecords } from '../protocol/apis/delete-records.ts'
import { describeLogDirs } from '../protocol/apis/describe-log-dirs.ts'
import { fetch } from '../protocol/apis/fetch.ts'
import { incrementalAlterConfigs } from '../protocol/apis/incremental-alter-configs.ts'
import { listOffsets } from '../protocol/apis/list-offsets.ts'
import { produce } from '../protocol/apis/produce.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { SimulatedBroker } from './simulated-broker.sim.ts'

const topic = 'orders'

/** With a topic of one partition. */
async function started(configs: Readonly<Record<string, string>> = {}): Promise<SimulatedBroker> {
  const broker = await SimulatedBroker.start()
  const asked = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, configs: asked }]
  const answer = await broker.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  assert.equal(answer.topics[0]!.errorCode, ErrorCode.NONE)
  return broker
}

/** One batch, acks=all. Answers the error. */
async function send(broker: SimulatedBroker, ...values: string[]): Promise<ErrorCode> {
  const records = [buildBatch(values.map((value) => ({ value, timestamp: 1 })))]
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const answer = await broker.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

async function deleteBefore(broker: SimulatedBroker, offset: number): Promise<ErrorCode> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: BigInt(offset) }] }]
  const answer = await broker.ask(deleteRecords, 2, { topics, timeoutMs: 1000 })
  return answer.topics[0]!.partitions[0]!.errorCode
}

async function startOf(broker: SimulatedBroker): Promise<number> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2n }] }]
  const answer = await broker.ask(listOffsets, 7, { replicaId: -1, topics })
  return answer.topics[0]!.partitions[0]!.offset
}

function fetchFrom(fetchOffset: number, more: { maxWaitMs?: number; sessionId?: number; sessionEpoch?: number } = {}) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }]
  return { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, topics: [{ topic, partitions }], ...more }
}

async function set(broker: SimulatedBroker, name: string, value: string): Promise<void> {
  const configs = [{ name, configOperation: 0, value }]
  const resources = [{ resourceType: 2, resourceName: topic, configs }]
  const answer = await broker.ask(incrementalAlterConfigs, 1, { resources })
  assert.deepEqual([answer.responses[0]!.errorCode, answer.responses[0]!.errorMessage], [ErrorCode.NONE, null])
}

async function segmentsOf(broker: SimulatedBroker): Promise<string[]> {
  const entries = await broker.disk.list(`/data/${topic}-0`)
  return entries.map(({ name }) => name).filter((name) => name.endsWith('.log'))
}

suite('deleted records', () => {
  test('are out of range from then on', async () => {
    const broker = await started()
    await send(broker, 'a', 'b', 'c', 'd')
    assert.equal(await deleteBefore(broker, 3), ErrorCode.NONE)
    assert.equal(await startOf(broker), 3)
    const before = await broker.ask(fetch, 11, fetchFrom(2))
    assert.equal(before.responses[0]!.partitions[0]!.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
    const after = await broker.ask(fetch, 11, fetchFrom(3))
    const { errorCode, logStartOffset, records } = after.responses[0]!.partitions[0]!
    assert.deepEqual([errorCode, logStartOffset, (records ?? []).length], [ErrorCode.NONE, 3, 1])
  })

  test('are told to a fetch that waits, and to its session', async () => {
    const broker = await started()
    await send(broker, 'a', 'b')
    const opened = await broker.ask(fetch, 11, { ...fetchFrom(2), sessionEpoch: 0 })
    const consumer = await broker.connect()
    const again = { ...fetchFrom(2, { maxWaitMs: 60_000 }), topics: [], sessionId: opened.sessionId, sessionEpoch: 1 }
    const waiting = consumer.ask(fetch, 11, again)
    await broker.clock.advance(10)
    const asked = broker.clock.now()
    assert.equal(await deleteBefore(broker, 2), ErrorCode.NONE)
    const told = await broker.drive(waiting)
    assert.deepEqual(told.responses[0]!.partitions[0]!.logStartOffset, 2)
    assert.ok(broker.clock.now() - asked < 1000, 'long before its time is up')
  })

  test('do not come back after a crash', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const broker = await started({ 'internal.segment.bytes': '150' })
      for (const value of ['a', 'b', 'c', 'd']) assert.equal(await send(broker, value, value), ErrorCode.NONE)
      const before = 1 + (seed % 8)
      assert.equal(await deleteBefore(broker, before), ErrorCode.NONE)
      const next = await SimulatedBroker.start({ disk: broker.crash(seededRandom(seed)) })
      assert.equal(await startOf(next), before, `seed ${seed}`)
    }
  })
})

suite('a config that is changed', () => {
  test('decides about the next segment', async () => {
    const broker = await started()
    for (const value of ['a', 'b', 'c']) await send(broker, value)
    assert.equal((await segmentsOf(broker)).length, 1)
    await set(broker, 'internal.segment.bytes', '100')
    for (const value of ['d', 'e']) await send(broker, value)
    assert.ok((await segmentsOf(broker)).length > 1)
  })

  test('decides about the next batch', async () => {
    const broker = await started()
    assert.equal(await send(broker, 'a'.repeat(500)), ErrorCode.NONE)
    await set(broker, 'max.message.bytes', '400')
    assert.equal(await send(broker, 'a'.repeat(500)), ErrorCode.MESSAGE_TOO_LARGE)
    await set(broker, 'max.message.bytes', '1000')
    await set(broker, 'cleanup.policy', 'compact')
    assert.equal(await send(broker, 'a batch without keys'), ErrorCode.INVALID_RECORD)
    await set(broker, 'cleanup.policy', 'delete')
    assert.equal(await send(broker, 'a'), ErrorCode.NONE)
  })

  test('decides what a confirmed record has survived', async () => {
    const broker = await started()
    let syncs = 0
    broker.disk.onOperation = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.log') && path.includes(topic)) syncs++
    }
    await send(broker, 'a')
    assert.equal(syncs, 1)
    await set(broker, 'flush.policy', 'page-cache')
    await send(broker, 'b')
    assert.equal(syncs, 1)
    await set(broker, 'flush.policy', 'fsync')
    await send(broker, 'c')
    assert.ok(syncs > 1)
  })

  test('decides what retention deletes', async () => {
    const broker = await started({ 'internal.segment.bytes': '100', 'retention.ms': '-1' })
    for (const value of ['a', 'b', 'c']) await send(broker, value)
    const checkMs = 300_000 // log.retention.check.interval.ms
    await broker.clock.advance(2 * checkMs)
    assert.equal(await startOf(broker), 0)
    await set(broker, 'retention.ms', '1000')
    await broker.clock.advance(2 * checkMs)
    assert.ok((await startOf(broker)) > 0)
  })

  test('is as it was after a crash', async () => {
    const broker = await started()
    await set(broker, 'max.message.bytes', '200')
    const next = await SimulatedBroker.start({ disk: broker.crash(seededRandom(1)) })
    assert.equal(await send(next, 'a'.repeat(500)), ErrorCode.MESSAGE_TOO_LARGE)
  })
})

test('the data folder is described with the bytes that are in its logs', async () => {
  const broker = await started()
  broker.disk.capacityBytes = 1_000_000
  await send(broker, 'a', 'b')
  const { results } = await broker.ask(describeLogDirs, 5, { topics: null })
  const [file] = (await broker.disk.list(`/data/${topic}-0`)).filter(({ name }) => name.endsWith('.log'))
  const [{ logDir, topics, totalBytes, usableBytes } = assert.fail('no folder')] = results
  assert.deepEqual([logDir, totalBytes, usableBytes], ['/data', 1_000_000, 1_000_000 - broker.disk.usedBytes])
  assert.deepEqual(
    topics.find(({ name }) => name === topic)?.partitions.map(({ partitionSize }) => partitionSize),
    [file!.sizeBytes],
  )
})
