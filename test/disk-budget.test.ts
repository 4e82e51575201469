// The disk budget of a real broker, written to as fast as three producers can: what its folder takes is never more.

import assert from 'node:assert/strict'
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Kafka } from 'kafkajs'
import { BrokerProcess } from './support/broker-process.ts'
import { kafkaJs, Member } from './support/kafkajs-client.ts'
import { onlyOdradek } from './support/target.ts'
import { waitFor } from './support/wait-for.ts'

const MIB = 1024 * 1024
const budget = 48 * MIB
const topics = ['a', 'b', 'c']

/** What the file system gave the folder. A file may go while it is looked at. */
function taken(path: string): number {
  let sum = 0
  for (const entry of ['.', ...readdirSync(path, { recursive: true, encoding: 'utf8' })]) {
    try {
      sum += lstatSync(join(path, entry)).blocks * 512
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return sum
}

/** Sends until it is stopped; what is refused for want of room it sends again. Answers how many bytes were acknowledged. */
async function load(t: TestContext, kafka: Kafka, topic: string, go: { on: boolean }): Promise<number> {
  const producer = kafka.producer({ retry: { initialRetryTime: 10, maxRetryTime: 50, retries: 1000 } })
  await producer.connect()
  t.after(() => producer.disconnect())
  const values = Array.from({ length: 20 }, () => ({ value: 'v'.repeat(40_000), partition: 0 }))
  let bytes = 0
  while (go.on) {
    await producer.send({ topic, acks: 1, messages: values })
    bytes += 20 * 40_000
  }
  return bytes
}

test('the folder takes no more than the budget, and producers hardly notice', { skip: onlyOdradek }, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'odradek-budget-'))
  const settings = { 'disk.budget': String(budget), 'offsets.topic.num.partitions': '1' }
  const broker = await BrokerProcess.start({ data, settings })
  t.after(async () => {
    await broker.stop()
    rmSync(data, { recursive: true, force: true })
  })
  const kafka = kafkaJs(broker.bootstrap)
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true })
  const go = { on: true }
  const loads = topics.map((topic) => load(t, kafka, topic, go))
  let greatest = 0
  const begins = async () => (await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)))).flat()
  await waitFor('each topic to have lost more than it may keep', async () => {
    greatest = Math.max(greatest, taken(data))
    return (await begins()).every(({ low }) => Number(low) * 40_000 > budget)
  })
  go.on = false
  const bytes = (await Promise.all(loads)).reduce((sum, one) => sum + one, 0)
  assert.ok(greatest <= budget, `${greatest} taken, of ${budget}`)
  assert.ok(greatest > budget / 2, `${greatest} taken, of ${budget}`)
  assert.ok(bytes > 3 * budget)
  // What is left is whole: a consumer reads from the beginning of what there is to the end. A segment that was over the budget may still go.
  const { low, high } = (await admin.fetchTopicOffsets('a'))[0]!
  const member = await Member.join(t, kafka, { topic: 'a', groupId: 'reader' })
  await waitFor('the last record', () => member.seen.at(-1)?.offset === Number(high) - 1)
  const offsets = member.seen.map(({ offset }) => offset)
  assert.ok(offsets[0]! >= Number(low))
  assert.deepEqual(
    offsets,
    Array.from({ length: Number(high) - offsets[0]! }, (_, index) => offsets[0]! + index),
  )
  await member.leave()
  await admin.disconnect()
})
