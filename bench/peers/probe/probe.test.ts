// What the probe writes by hand is read by the protocol layer.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createTopics } from '../../../src/protocol/apis/create-topics.ts'
import { fetch, type FetchResponse } from '../../../src/protocol/apis/fetch.ts'
import { produce, type ProduceResponse } from '../../../src/protocol/apis/produce.ts'
import { ErrorCode } from '../../../src/protocol/error-code.ts'
import { decodeResponse, encodeRequest } from '../../../src/protocol/frame.ts'
import { baseOffsetOf, sizeInBytesOf } from '../../../src/records/batch.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { AnswerWriter } from './answer-writer.ts'
import { FetchAnswer, fetchVersion, readFetch } from './fetch.ts'
import type { PartitionFile } from './partition-file.ts'
import { append, produceVersion } from './produce.ts'
import { Topics } from './topics.ts'

const header = { correlationId: 7, clientId: 'test' }
const sizeBytes = 4

function batchOf(records: number, valueBytes = 10): Uint8Array {
  const value = Buffer.alloc(valueBytes, 'v')
  return buildBatch(Array.from({ length: records }, () => ({ key: null, value, timestamp: 1 })))
}

function topicsOf(t: TestContext, partitions: number): Topics {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-probe-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const topics = new Topics(folder, 1)
  const body = { topics: [{ name: 'events', numPartitions: partitions, replicationFactor: 1 }], timeoutMs: 1 }
  topics.answer(Buffer.concat(encodeRequest(createTopics, 5, header, body)).subarray(sizeBytes))
  return topics
}

function produced(
  topics: Topics,
  batches: readonly (readonly [index: number, Uint8Array])[],
): ProduceResponse['responses'][number]['partitionResponses'] {
  const partitionData = batches.map(([index, batch]) => ({ index, records: [batch] }))
  const body = { acks: -1, timeoutMs: 1, topicData: [{ name: 'events', partitionData }] }
  const frame = Buffer.concat(encodeRequest(produce, produceVersion, header, body))
  const answer = new AnswerWriter()
  const touched: PartitionFile[] = []
  assert.equal(append(topics, frame, sizeBytes, touched, answer), true)
  for (const partition of touched) partition.write(() => {})
  const taken = answer.take()
  const decoded = decodeResponse(produce, produceVersion, taken.subarray(sizeBytes))
  assert.equal(decoded.correlationId, header.correlationId)
  return decoded.body.responses[0]!.partitionResponses
}

function fetched(
  topics: Topics,
  wanted: readonly (readonly [partition: number, fetchOffset: number])[],
  partitionMaxBytes = 1_048_576,
): FetchResponse['responses'][number]['partitions'] | null {
  const partitions = wanted.map(([partition, fetchOffset]) => ({ partition, fetchOffset, partitionMaxBytes }))
  const body = { maxWaitMs: 1, minBytes: 1, topics: [{ topic: 'events', partitions }] }
  const frame = Buffer.concat(encodeRequest(fetch, fetchVersion, header, body))
  const answer = FetchAnswer.to(readFetch(frame, sizeBytes), topics, false)
  if (answer === null) return null
  const sent = Buffer.concat(answer.chunks())
  answer.release()
  const decoded = decodeResponse(fetch, fetchVersion, sent.subarray(sizeBytes))
  assert.equal(sent.readInt32BE(0), sent.length - sizeBytes)
  assert.equal(decoded.correlationId, header.correlationId)
  return decoded.body.responses[0]!.partitions
}

test('each batch gets the next offset of its partition', (t) => {
  const topics = topicsOf(t, 2)
  const first = produced(topics, [
    [0, batchOf(3)],
    [1, batchOf(5)],
  ])
  const second = produced(topics, [[0, batchOf(1)]])
  assert.deepEqual(
    [...first, ...second].map(({ index, errorCode, baseOffset }) => [index, errorCode, baseOffset]),
    [
      [0, ErrorCode.NONE, 0],
      [1, ErrorCode.NONE, 0],
      [0, ErrorCode.NONE, 3],
    ],
  )
})

test('a batch that its checksum does not fit is refused, and so is a partition that is not there', (t) => {
  const topics = topicsOf(t, 1)
  const damaged = batchOf(1)
  damaged[damaged.length - 1]! ^= 1
  const answers = produced(topics, [
    [0, damaged],
    [1, batchOf(1)],
  ])
  assert.deepEqual(
    answers.map(({ errorCode }) => errorCode),
    [ErrorCode.CORRUPT_MESSAGE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  )
  assert.equal(fetched(topics, [[0, 0]]), null)
})

test('what was produced is read from any batch on, whole batches with their offsets', (t) => {
  const topics = topicsOf(t, 2)
  for (const records of [3, 1, 2]) produced(topics, [[1, batchOf(records)]])
  const size = batchOf(1).length
  const offsets = (from: number, maxBytes?: number): number[] => {
    const [partition] = fetched(
      topics,
      [
        [0, 0],
        [1, from],
      ],
      maxBytes,
    )!
    assert.equal(partition!.partitionIndex, 1)
    assert.equal(partition!.highWatermark, 6)
    return batchesOf(Buffer.concat(partition!.records!))
  }
  assert.deepEqual(offsets(0), [0, 3, 4])
  assert.deepEqual(offsets(3), [3, 4])
  assert.deepEqual(offsets(4), [4])
  assert.deepEqual(offsets(3, size), [3])
  assert.deepEqual(offsets(3, 1), [3])
  assert.equal(fetched(topics, [[1, 6]]), null)
})

test('partitions share an answer until it is large', (t) => {
  const topics = topicsOf(t, 4)
  for (const index of [0, 1, 2, 3]) produced(topics, [[index, batchOf(3, 100_000)]])
  const answered = fetched(
    topics,
    [0, 1, 2, 3].map((index) => [index, 0] as const),
  )!
  assert.deepEqual(
    answered.map(({ partitionIndex }) => partitionIndex),
    [0, 1],
  )
  for (const { records } of answered) assert.deepEqual(batchesOf(Buffer.concat(records!)), [0])
})

function batchesOf(bytes: Uint8Array): number[] {
  const offsets = []
  for (let at = 0; at < bytes.length; at += sizeInBytesOf(bytes, at)) offsets.push(baseOffsetOf(bytes, at))
  return offsets
}
