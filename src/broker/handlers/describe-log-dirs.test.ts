import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskError, type Volume } from '../../io/disk.ts'
import type { DescribeLogDirsRequest } from '../../protocol/apis/describe-log-dirs.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { ServedTopics } from '../served-topics.sim.ts'
import { handleDescribeLogDirs } from './describe-log-dirs.ts'

const volume: Volume = { totalBytes: 1000, freeBytes: 400 }

async function describeLogDirs(
  topics: ServedTopics,
  asked: DescribeLogDirsRequest['topics'] = null,
  ofVolume: () => Promise<Volume> = async () => volume,
) {
  const logFolder = { path: '/data', volume: ofVolume }
  const response = await handleDescribeLogDirs({ ...topics.context(5), logFolder }, { topics: asked })
  assert.deepEqual([response!.errorCode, response!.results.length], [ErrorCode.NONE, 1])
  return response!.results[0]!
}

function sizes({ topics }: Awaited<ReturnType<typeof describeLogDirs>>): Record<string, number> {
  const entries = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, partitionSize }) => [`${name}-${partitionIndex}`, partitionSize]),
  )
  return Object.fromEntries(entries)
}

test('the data folder is described with its volume and the size of each log', async () => {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', partitions: 2 }, { name: 'empty' })
  const bytes = await topics.fill('orders', 1, ['a', 'b'])
  const result = await describeLogDirs(topics)
  assert.deepEqual(sizes(result), { 'orders-0': 0, 'orders-1': bytes, 'empty-0': 0 })
  const { errorCode, logDir, totalBytes, usableBytes, isCordoned } = result
  assert.deepEqual([errorCode, logDir, totalBytes, usableBytes, isCordoned], [0, '/data', 1000, 400, false])
  const [partition] = result.topics[0]!.partitions
  assert.deepEqual([partition!.offsetLag, partition!.isFutureKey], [0, false])
})

test('only the partitions that were asked for are described, each once', async () => {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', partitions: 3 }, { name: 'other' })
  const asked = [
    { topic: 'orders', partitions: [2, 0, 2, 9] },
    { topic: 'nowhere', partitions: [0] },
    { topic: 'orders', partitions: [0] },
    { topic: 'other', partitions: [] },
  ]
  assert.deepEqual(sizes(await describeLogDirs(topics, asked)), { 'orders-0': 0, 'orders-2': 0 })
  assert.deepEqual((await describeLogDirs(topics, [])).topics, [])
})

test('a volume in memory has no size that could be told', async () => {
  const endless = async () => ({ totalBytes: Infinity, freeBytes: Infinity })
  const { totalBytes, usableBytes } = await describeLogDirs(new ServedTopics(), null, endless)
  assert.deepEqual([totalBytes, usableBytes], [-1, -1])
})

test('a log that failed is left out; when all have, the folder has', async () => {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', partitions: 2 })
  topics.log('orders', 0).fail(new Error('EIO'))
  const result = await describeLogDirs(topics)
  assert.deepEqual([result.errorCode, sizes(result)], [ErrorCode.NONE, { 'orders-1': 0 }])
  topics.log('orders', 1).fail(new Error('EIO'))
  const { errorCode, logDir, topics: described } = await describeLogDirs(topics)
  assert.deepEqual([errorCode, logDir, described], [ErrorCode.KAFKA_STORAGE_ERROR, '/data', []])
})

test('a folder whose volume does not answer has failed', async () => {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders' })
  const broken = async () => Promise.reject(new DiskError('EIO', 'statfs /data'))
  const { errorCode, topics: described, totalBytes } = await describeLogDirs(topics, null, broken)
  assert.deepEqual([errorCode, described, totalBytes], [ErrorCode.KAFKA_STORAGE_ERROR, [], -1])
})
