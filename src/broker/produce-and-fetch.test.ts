// Produce, fetch and offsets over the real log in a data folder: what the handlers' own tests simulate.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { systemClock } from '../io/clock.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { ZERO_UUID } from '../lib/uuid.ts'
import type { FetchRequest } from '../protocol/apis/fetch.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { baseOffsetOf, recordsCountOf } from '../records/batch.ts'
import { forEachBatch } from '../records/batches-in.ts'
import type { BatchOptions } from '../records/batch-builder.ts'
import { idOf, type TopicSketch } from '../replication/image.sim.ts'
import { LogDirectory } from '../storage/log-directory.ts'
import { handleFetch } from './handlers/fetch.ts'
import { handleListOffsets } from './handlers/list-offsets.ts'
import { handleProduce } from './handlers/produce.ts'
import { batchOf, ServedTopics } from './served-topics.sim.ts'

async function open(t: TestContext, disk: MemoryDisk, ...sketches: TopicSketch[]) {
  const directory = await LogDirectory.open({
    disk,
    path: 'data',
    clock: systemClock,
    random: seededRandom(3),
    logger: silentLogger,
    nodeId: 1,
  })
  const topics = new ServedTopics({ logs: directory })
  directory.useHighWatermarks(() => topics.replicas.highWatermarks())
  const close = async (): Promise<void> => {
    await topics.replicas.stop()
    await directory.close()
  }
  t.after(close)
  await topics.become(...sketches)
  return { topics, directory, close }
}

async function produce(topics: ServedTopics, batch: Uint8Array, { acks = -1, partition = 0 } = {}) {
  const response = await handleProduce(topics.context(9), {
    transactionalId: null,
    acks,
    timeoutMs: 30_000,
    topicData: [{ name: 'orders', topicId: ZERO_UUID, partitionData: [{ index: partition, records: [batch] }] }],
  })
  const { errorCode, baseOffset } = response!.responses[0]!.partitionResponses[0]!
  return [errorCode, baseOffset]
}

function fetchRequest(fetchOffset: number, wishes: Partial<FetchRequest> = {}): FetchRequest {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 50_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: 'orders',
        topicId: ZERO_UUID,
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: -1,
            fetchOffset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 1_000_000,
            replicaDirectoryId: ZERO_UUID,
            highWatermark: -1n,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
    ...wishes,
  }
}

/** `base offset + records` of each batch. */
async function fetch(topics: ServedTopics, fetchOffset: number, wishes: Partial<FetchRequest> = {}): Promise<string[]> {
  const response = await handleFetch(topics.context(12), fetchRequest(fetchOffset, wishes))
  const { errorCode, records } = response!.responses[0]!.partitions[0]!
  assert.equal(errorCode, ErrorCode.NONE)
  const found: string[] = []
  const bytes = Buffer.concat(records ?? [])
  forEachBatch(bytes, (at) => void found.push(`${baseOffsetOf(bytes, at)} + ${recordsCountOf(bytes, at)}`))
  return found
}

async function latest(topics: ServedTopics): Promise<number> {
  const response = await handleListOffsets(topics.context(11), {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }] }],
    timeoutMs: 0,
  })
  return response!.topics[0]!.partitions[0]!.offset
}

const idempotent = (baseSequence: number, options: BatchOptions = {}): BatchOptions => ({
  producerId: 9,
  producerEpoch: 0,
  baseSequence,
  ...options,
})

describe('over the real log', () => {
  test('what was produced is fetched, whatever the acks', async (t) => {
    const { topics } = await open(t, new MemoryDisk(), { name: 'orders' })
    assert.deepEqual(await produce(topics, batchOf(['a', 'b'])), [ErrorCode.NONE, 0])
    assert.deepEqual(await produce(topics, batchOf(['c']), { acks: 1 }), [ErrorCode.NONE, 2])
    assert.deepEqual(await produce(topics, batchOf(['d', 'e', 'f'])), [ErrorCode.NONE, 3])
    assert.deepEqual(await fetch(topics, 0), ['0 + 2', '2 + 1', '3 + 3'])
    assert.deepEqual(await fetch(topics, 4), ['3 + 3'])
    assert.equal(await latest(topics), 6)
  })

  test('many produces in flight at once are confirmed together and in order', async (t) => {
    const { topics } = await open(t, new MemoryDisk(), { name: 'orders' })
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => produce(topics, batchOf([String(n)]))))
    assert.deepEqual(
      answers,
      Array.from({ length: 200 }, (_, n) => [ErrorCode.NONE, n]),
    )
    assert.equal((await fetch(topics, 0)).length, 200)
  })

  test('a waiting fetch gets what is produced meanwhile', async (t) => {
    const { topics } = await open(t, new MemoryDisk(), { name: 'orders' })
    const fetching = fetch(topics, 0, { maxWaitMs: 60_000 })
    await produce(topics, batchOf(['a']))
    assert.deepEqual(await fetching, ['0 + 1'])
  })

  test('a retried batch is confirmed with its first offset and written once', async (t) => {
    const { topics } = await open(t, new MemoryDisk(), { name: 'orders' })
    assert.deepEqual(await produce(topics, batchOf(['a'], idempotent(0))), [ErrorCode.NONE, 0])
    assert.deepEqual(await produce(topics, batchOf(['b'], idempotent(1))), [ErrorCode.NONE, 1])
    assert.deepEqual(await produce(topics, batchOf(['a'], idempotent(0))), [ErrorCode.NONE, 0])
    assert.equal(await latest(topics), 2)
  })

  test('a gap in the sequence and an old producer epoch are refused', async (t) => {
    const { topics } = await open(t, new MemoryDisk(), { name: 'orders' })
    await produce(topics, batchOf(['a'], idempotent(0, { producerEpoch: 1 })))
    assert.deepEqual(await produce(topics, batchOf(['c'], idempotent(5, { producerEpoch: 1 }))), [
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      -1,
    ])
    assert.deepEqual(await produce(topics, batchOf(['b'], idempotent(1))), [ErrorCode.INVALID_PRODUCER_EPOCH, -1])
  })

  test('records and high watermark are there after a restart', async (t) => {
    const disk = new MemoryDisk()
    const first = await open(t, disk, { name: 'orders' })
    await produce(first.topics, batchOf(['a', 'b']))
    await first.close()
    const second = await open(t, disk, { name: 'orders', leaderEpoch: 1 })
    assert.equal(second.topics.partition('orders').highWatermark, 2)
    assert.deepEqual(await produce(second.topics, batchOf(['c'])), [ErrorCode.NONE, 2])
    assert.deepEqual(await fetch(second.topics, 0), ['0 + 2', '2 + 1'])
  })

  test('a topic made anew under its old name starts empty', async (t) => {
    const { topics } = await open(t, new MemoryDisk(), { name: 'orders' })
    await produce(topics, batchOf(['a', 'b']))
    await topics.become({ name: 'orders', id: idOf('another') })
    assert.equal(await latest(topics), 0)
    assert.deepEqual(await produce(topics, batchOf(['c'])), [ErrorCode.NONE, 0])
  })

  test('a full disk refuses what it cannot keep, and the partition goes on with what it can', async (t) => {
    const { topics } = await open(t, new MemoryDisk({ capacityBytes: 200_000 }), { name: 'orders' })
    assert.deepEqual(await produce(topics, batchOf(['a'])), [ErrorCode.NONE, 0])
    assert.deepEqual((await produce(topics, batchOf(['x'.repeat(300_000)])))[0], ErrorCode.KAFKA_STORAGE_ERROR)
    assert.equal(topics.partition('orders').state, 'leading')
    assert.deepEqual(await produce(topics, batchOf(['b'])), [ErrorCode.NONE, 1])
  })
})
