// Compaction as a client sees it: a topic that keeps the last value of each key, in memory and in a folder.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { silentLogger } from '../src/lib/logger.ts'
import { startBroker } from '../src/testkit/index.ts'
import { waitFor } from './support/wait-for.ts'

const keys = 300
const rounds = 24
const topic = 'table'

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-compaction-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

for (const where of ['memory', 'a folder'] as const) {
  test(`a consumer of a compacted topic gets the last value of each key, in ${where}`, async (t) => {
    const data = where === 'memory' ? {} : { data: await folderFor(t) }
    let cleanedTo = 0
    const logger = {
      ...silentLogger,
      info: (fields: { log?: string; endOffset?: number }, message: string) => {
        if (message === 'compacted a log' && fields.log === `${topic}-0`) cleanedTo = fields.endOffset!
      },
    }
    const broker = await startBroker({ ...data, settings: { 'log.cleaner.backoff.ms': 50 }, logger })
    const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    const producer = kafka.producer()
    const consumer = kafka.consumer({ groupId: 'readers' })
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
    const configEntries = Object.entries({
      'cleanup.policy': 'compact',
      'segment.bytes': String(1 << 20),
      'min.cleanable.dirty.ratio': '0.01',
    }).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] })
    for (let round = 0; round < rounds; round++) {
      const messages = Array.from({ length: keys }, (_, n) => ({ key: `key-${n}`, value: `${round}`.padEnd(1000) }))
      await producer.send({ topic, messages })
    }
    const end = keys * rounds
    const sealed = await waitFor('all but the active segment to be compacted', () => cleanedTo > end / 2 && cleanedTo)

    const seen = new Map<string, number>()
    let count = 0
    await consumer.subscribe({ topic, fromBeginning: true })
    let last = -1
    await consumer.run({
      eachMessage: async ({ message }) => {
        assert.ok(Number(message.offset) > last)
        last = Number(message.offset)
        seen.set(String(message.key), Number(String(message.value)))
        count++
      },
    })
    await waitFor('the last record', () => last === end - 1)
    assert.equal(seen.size, keys)
    for (const round of seen.values()) assert.equal(round, rounds - 1)
    // One of each key, and what lies above; another cleaning may have come further meanwhile.
    assert.ok(count <= keys + end - sealed, `${count} records, compacted to ${sealed} of ${end}`)
    await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()])
    await broker.stop()
  })
}
