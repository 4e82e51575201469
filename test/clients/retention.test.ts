// Retention as clients see it: old records go, the earliest offset moves, and who asks for what is gone is told so. Time is in the records:
// what carries a timestamp of long ago is old at once.

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { Admin, Kafka, Producer } from 'kafkajs'
import { BrokerProcess } from '../support/broker-process.ts'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { uniqueName } from '../support/target.ts'
import { waitFor } from '../support/wait-for.ts'

const dayMs = 86_400_000

let broker: BrokerProcess
let kafka: Kafka
let admin: Admin
let producer: Producer

before(async () => {
  // Kafka's own defaults are half a minute and five.
  const settings = { 'log.initial.task.delay.ms': '0', 'log.retention.check.interval.ms': '50' }
  broker = await BrokerProcess.start({ settings })
  kafka = kafkaJs(broker.bootstrap)
  admin = kafka.admin()
  producer = kafka.producer()
  await Promise.all([admin.connect(), producer.connect()])
})

after(async () => {
  await Promise.all([admin?.disconnect(), producer?.disconnect()])
  await broker?.stop()
})

async function newTopic(config: Record<string, string>): Promise<string> {
  const topic = uniqueName('retention')
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, configEntries }], waitForLeaders: true })
  return topic
}

/** One batch for each value, all of one time. */
async function send(topic: string, values: readonly string[], ageMs: number): Promise<void> {
  const timestamp = String(Date.now() - ageMs)
  for (const value of values) await producer.send({ topic, messages: [{ value, timestamp }] })
}

async function offsets(topic: string): Promise<{ low: string; high: string }> {
  const [partition] = await admin.fetchTopicOffsets(topic)
  return { low: partition!.low, high: partition!.high }
}

const large = (name: string) => name.padEnd(600, '.')

test('records older than retention.ms go with their segments, and the earliest offset moves', async (t) => {
  const topic = await newTopic({
    'retention.ms': String(dayMs),
    'internal.segment.bytes': '1000',
    'file.delete.delay.ms': '0',
  })
  await send(topic, ['a', 'b', 'c'].map(large), 2 * dayMs)
  await send(topic, ['d', 'e'].map(large), 0)
  await waitFor('the old segments to go', async () => (await offsets(topic)).low === '3')
  assert.deepEqual(await offsets(topic), { low: '3', high: '5' })
  const member = await Member.join(t, kafka, { topic, groupId: uniqueName('reader') })
  await member.until(2)
  assert.deepEqual(
    member.seen.map(({ offset, value }) => [offset, value?.[0]]),
    [
      [3, 'd'],
      [4, 'e'],
    ],
  )
})

test('a topic whose records are all old becomes empty and goes on where it was', async () => {
  const topic = await newTopic({ 'retention.ms': String(dayMs) })
  await send(topic, ['a', 'b', 'c'], 2 * dayMs)
  await waitFor('all records to go', async () => (await offsets(topic)).low === '3')
  await send(topic, ['d'], 0)
  assert.deepEqual(await offsets(topic), { low: '3', high: '4' })
})

test('a topic keeps about retention.bytes', async () => {
  const topic = await newTopic({ 'retention.bytes': '2000', 'internal.segment.bytes': '1000' })
  await send(
    topic,
    Array.from({ length: 10 }, (_, i) => large(String(i))),
    0,
  )
  // Segments of one batch of about 670 bytes: as many stay as are needed for no less than 2000.
  await waitFor('the oldest segments to go', async () => (await offsets(topic)).low === '7')
})

test('a consumer whose place is gone is told so, and goes on from the earliest record', async (t) => {
  const topic = await newTopic({ 'retention.ms': String(dayMs), 'internal.segment.bytes': '1000' })
  const groupId = uniqueName('slow')
  await send(topic, ['a', 'b', 'c'].map(large), 2 * dayMs)
  await waitFor('the old segments to go', async () => (await offsets(topic)).low === '3')
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] })
  await send(topic, ['d'].map(large), 0)
  const member = await Member.join(t, kafka, { topic, groupId })
  await member.until(1)
  const { offset, value } = member.seen.at(-1)!
  assert.deepEqual([offset, value?.[0]], [3, 'd'])
})

test('files of deleted segments stay for file.delete.delay.ms, as .deleted', async () => {
  const slow = await newTopic({
    'retention.ms': String(dayMs),
    'internal.segment.bytes': '1000',
    'file.delete.delay.ms': '3600000',
  })
  const quick = await newTopic({
    'retention.ms': String(dayMs),
    'internal.segment.bytes': '1000',
    'file.delete.delay.ms': '300',
  })
  for (const topic of [slow, quick]) {
    await send(topic, ['a', 'b'].map(large), 2 * dayMs)
    await waitFor('the old segments to go', async () => (await offsets(topic)).low === '2')
  }
  const deleted = async (topic: string) =>
    (await readdir(`${broker.data}/${topic}-0`)).filter((name) => name.endsWith('.log.deleted'))
  await waitFor('the files to be removed', async () => (await deleted(quick)).length === 0)
  assert.deepEqual(await deleted(slow), ['00000000000000000000.log.deleted', '00000000000000000001.log.deleted'])
})

test('records of a compacted topic do not grow old', async () => {
  const topic = await newTopic({ 'cleanup.policy': 'compact', 'retention.ms': '1', 'internal.segment.bytes': '1000' })
  const other = await newTopic({ 'retention.ms': '1' })
  const timestamp = String(Date.now() - dayMs)
  for (const key of ['a', 'b']) await producer.send({ topic, messages: [{ key, value: large(key), timestamp }] })
  await send(other, ['later'], dayMs)
  // Two rounds begun after the records were there have gone over this topic, too.
  for (const low of ['1', '2']) {
    await waitFor('a round of retention', async () => (await offsets(other)).low === low)
    await send(other, ['later'], dayMs)
  }
  assert.deepEqual(await offsets(topic), { low: '0', high: '2' })
})
