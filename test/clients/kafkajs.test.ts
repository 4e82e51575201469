// KafkaJS against the broker: what its users do, and the errors they must see.

import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { Admin, Kafka, Producer, ProducerConfig } from 'kafkajs'
import { CompressionTypes, ConfigResourceTypes, ConfigSource, kafkaJs, Member } from '../support/kafkajs-client.ts'
import { onlyOdradek, startTarget, type Target, uniqueName } from '../support/target.ts'
import { waitFor } from '../support/wait-for.ts'

let target: Target
let kafka: Kafka
let admin: Admin
let producer: Producer

before(async () => {
  target = await startTarget()
  kafka = kafkaJs(target.bootstrap)
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
})

after(async () => {
  await Promise.all([admin?.disconnect(), producer?.disconnect()])
  await target?.stop()
})

async function newTopic(stem: string, numPartitions = 1, config: Record<string, string> = {}): Promise<string> {
  const topic = uniqueName(stem)
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true })
  return topic
}

/** A producer of the test's own, disconnected with it. */
async function newProducer(t: TestContext, config: ProducerConfig): Promise<Producer> {
  const producer = kafka.producer(config)
  t.after(() => producer.disconnect())
  await producer.connect()
  return producer
}

/** Everything in the topic, by a group of its own. */
async function readAll(t: TestContext, topic: string, count: number): Promise<Member> {
  const member = await Member.join(t, kafka, { topic, groupId: uniqueName('reader') })
  await member.until(count)
  await member.leave()
  return member
}

/** KafkaJS wraps what the broker said: as the cause when it gives up retrying, among others when it asked for several. */
function hasType(type: string): (error: unknown) => boolean {
  const matches = (error: unknown): boolean => {
    if (!(error instanceof Error)) return false
    if ('type' in error && error.type === type) return true
    return matches(error.cause) || ('errors' in error && Array.isArray(error.errors) && error.errors.some(matches))
  }
  return matches
}

describe('topics', () => {
  test('a created topic is listed and described, and gone once deleted', async () => {
    const topic = await newTopic('topics', 3)
    assert.ok((await admin.listTopics()).includes(topic))

    const described = await admin.fetchTopicMetadata({ topics: [topic] })
    assert.deepEqual(described.topics[0]?.partitions.map(({ partitionId }) => partitionId).sort(), [0, 1, 2])
    assert.ok(described.topics[0]?.partitions.every(({ leader, isr }) => isr.includes(leader)))

    await admin.deleteTopics({ topics: [topic] })
    await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(topic))
  })

  test('creating a topic that exists answers false', async () => {
    const topic = await newTopic('twice')
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
  })

  test('a name that Kafka forbids is refused', async () => {
    const refused = admin.createTopics({ topics: [{ topic: 'no spaces allowed' }] })
    await assert.rejects(refused, hasType('INVALID_TOPIC_EXCEPTION'))
  })

  test('the settings of a topic are described with the ones it was created with', async () => {
    const topic = await newTopic('configured', 1, { 'max.message.bytes': '2000' })
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    })
    const entry = resources[0]?.configEntries.find(({ configName }) => configName === 'max.message.bytes')
    assert.equal(entry?.configValue, '2000')
    assert.equal(entry?.configSource, ConfigSource.TOPIC_CONFIG)
  })

  test('the cluster describes itself with the address the client used', async () => {
    const { brokers, clusterId } = await admin.describeCluster()
    assert.ok(brokers.some(({ host, port }) => `${host}:${port}` === target.bootstrap))
    assert.ok(clusterId.length > 0)
  })

  test('a message to a topic that does not exist creates it', { skip: onlyOdradek }, async (t) => {
    const topic = uniqueName('by-itself')
    const creating = await newProducer(t, { allowAutoTopicCreation: true, retry: { retries: 0 } })
    await creating.send({ topic, messages: [{ value: 'first' }] })
    assert.deepEqual((await readAll(t, topic, 1)).values, ['first'])
  })
})

describe('records', () => {
  for (const [name, compression] of Object.entries({
    none: CompressionTypes.None,
    gzip: CompressionTypes.GZIP,
    snappy: CompressionTypes.Snappy,
    lz4: CompressionTypes.LZ4,
    zstd: CompressionTypes.ZSTD,
  })) {
    // KafkaJS knows Produce up to version 7, the first in which Kafka takes zstd.
    test(`keyed and unkeyed messages compressed with ${name} come back as they were sent`, async (t) => {
      const topic = await newTopic(`codec-${name}`)
      const messages = Array.from({ length: 20 }, (_, n) => ({
        key: n % 2 === 0 ? `key-${n}` : null,
        value: `${n}:`.padEnd(200, 'x'),
      }))
      await producer.send({ topic, compression, messages })
      const { seen } = await readAll(t, topic, messages.length)
      assert.deepEqual(
        seen.map(({ key, value }) => ({ key, value })),
        messages,
      )
      assert.deepEqual(
        seen.map(({ offset }) => offset),
        messages.map((_, n) => n),
      )
    })
  }

  test('headers, tombstones, empty values and timestamps come back as they were sent', async (t) => {
    const topic = await newTopic('details')
    await producer.send({
      topic,
      messages: [
        { key: 'k', value: 'v', headers: { trace: 'abc', twice: ['1', '2'], bytes: Buffer.from([0, 255]) } },
        { key: 'k', value: null, timestamp: '1700000000000' },
        { key: '', value: '' },
      ],
    })
    const { seen } = await readAll(t, topic, 3)
    const [first, tombstone, empty] = seen
    assert.deepEqual(first?.message.headers, {
      trace: Buffer.from('abc'),
      twice: [Buffer.from('1'), Buffer.from('2')],
      bytes: Buffer.from([0, 255]),
    })
    assert.deepEqual([tombstone?.key, tombstone?.value, tombstone?.message.timestamp], ['k', null, '1700000000000'])
    assert.deepEqual([empty?.key, empty?.value], ['', ''])
  })

  test('messages with the same key keep their order in one partition', async (t) => {
    const topic = await newTopic('keyed', 4)
    const keys = ['red', 'green', 'blue']
    for (let n = 0; n < 10; n++) {
      await producer.send({ topic, messages: keys.map((key) => ({ key, value: `${key}-${n}` })) })
    }
    const { seen } = await readAll(t, topic, 30)
    for (const key of keys) {
      const own = seen.filter((one) => one.key === key)
      assert.equal(new Set(own.map(({ partition }) => partition)).size, 1)
      assert.deepEqual(
        own.map(({ value }) => value),
        Array.from({ length: 10 }, (_, n) => `${key}-${n}`),
      )
    }
  })

  for (const acks of [-1, 1, 0]) {
    test(`messages sent with acks=${acks} are kept`, async (t) => {
      const topic = await newTopic(`acks${acks}`)
      await producer.send({ topic, acks, messages: [{ value: 'a' }, { value: 'b' }] })
      assert.deepEqual((await readAll(t, topic, 2)).values, ['a', 'b'])
    })
  }

  test('an idempotent producer writes each message once', async (t) => {
    const topic = await newTopic('idempotent')
    const idempotent = await newProducer(t, { idempotent: true, allowAutoTopicCreation: false })
    const values = Array.from({ length: 50 }, (_, n) => String(n).padStart(2, '0'))
    await Promise.all(values.map((value) => idempotent.send({ topic, messages: [{ value }] })))
    const member = await readAll(t, topic, values.length)
    assert.deepEqual(
      member.values.map(String).sort((a, b) => a.localeCompare(b)),
      values,
    ) // KafkaJS does not promise the order of unawaited sends
    assert.deepEqual(
      (await admin.fetchTopicOffsets(topic)).map(({ low, high }) => [low, high]),
      [['0', '50']],
    )
  })
})

describe('places to read from', () => {
  test('a new group that reads from the end sees only what comes later', async (t) => {
    const topic = await newTopic('from-the-end')
    await producer.send({ topic, messages: [{ value: 'before' }] })
    const member = await Member.join(t, kafka, { topic, groupId: uniqueName('late'), fromBeginning: false })
    await waitFor('the first fetch', () => member.fetches > 0)
    await producer.send({ topic, messages: [{ value: 'after' }] })
    await member.until(1)
    await member.leave()
    assert.deepEqual(member.values, ['after'])
  })

  test('a time leads to the first message that is not older', async (t) => {
    const topic = await newTopic('by-time')
    const messages = [1000, 2000, 3000].map((ms) => ({ value: String(ms), timestamp: String(1_700_000_000_000 + ms) }))
    await producer.send({ topic, messages })
    const offsetAt = async (ms: number) => (await admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_000 + ms))[0]
    assert.equal((await offsetAt(0))?.offset, '0')
    assert.equal((await offsetAt(1500))?.offset, '1')
    assert.equal((await offsetAt(3000))?.offset, '2')
    assert.equal((await offsetAt(3001))?.offset, '3') // KafkaJS's word for "none": the end

    const offset = (await offsetAt(1500))?.offset ?? ''
    const member = await Member.join(t, kafka, {
      topic,
      groupId: uniqueName('by-time'),
      onRun: (consumer) => consumer.seek({ topic, partition: 0, offset }),
    })
    await member.until(2)
    await member.leave()
    assert.deepEqual(member.values, ['2000', '3000'])
  })
})

describe('groups', () => {
  test('a second member takes its share, and the first takes over when it leaves', async (t) => {
    const topic = await newTopic('shared', 4)
    const groupId = uniqueName('group')
    const first = await Member.join(t, kafka, { topic, groupId })
    assert.deepEqual(first.partitions, [0, 1, 2, 3])

    const second = await Member.join(t, kafka, { topic, groupId })
    await waitFor('two shares', () => first.partitions.length === 2 && second.partitions.length === 2)
    assert.deepEqual(
      [...first.partitions, ...second.partitions].sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
    const described = await admin.describeGroups([groupId])
    assert.equal(described.groups[0]?.state, 'Stable')
    assert.equal(described.groups[0]?.members.length, 2)

    await producer.send({
      topic,
      messages: [0, 1, 2, 3].map((partition) => ({ partition, value: String(partition) })),
    })
    await waitFor('all messages', () => first.seen.length + second.seen.length === 4)
    for (const member of [first, second]) {
      assert.deepEqual(
        member.seen.map(({ partition }) => partition).sort((a, b) => a - b),
        member.partitions,
      )
    }

    await second.leave()
    await waitFor('the whole topic', () => first.partitions.length === 4)
    await first.leave()
    assert.ok((await admin.listGroups()).groups.some((group) => group.groupId === groupId))
  })

  test('a group resumes after what it committed', async (t) => {
    const topic = await newTopic('resume')
    const groupId = uniqueName('resume')
    await producer.send({ topic, messages: ['a', 'b', 'c', 'd'].map((value) => ({ value })) })

    const first = await Member.join(t, kafka, { topic, groupId, run: { autoCommit: false } })
    await first.until(4)
    await first.consumer.commitOffsets([{ topic, partition: 0, offset: '2', metadata: 'half way' }])
    await first.leave()
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics: [topic] }), [
      { topic, partitions: [{ partition: 0, offset: '2', metadata: 'half way' }] },
    ])

    const second = await Member.join(t, kafka, { topic, groupId })
    await second.until(2)
    await second.leave()
    assert.deepEqual(second.values, ['c', 'd'])
    assert.equal((await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset, '4')
  })
})

describe('errors', () => {
  test('a message to an unknown topic is refused when the client forbids its creation', async (t) => {
    const strict = await newProducer(t, {
      allowAutoTopicCreation: false,
      retry: { retries: 1, initialRetryTime: 10 },
    })
    await assert.rejects(
      strict.send({ topic: uniqueName('unknown'), messages: [{ value: 'x' }] }),
      hasType('UNKNOWN_TOPIC_OR_PARTITION'),
    )
  })

  test('a message larger than the topic takes is refused, and the next one is taken', async (t) => {
    const topic = await newTopic('small', 1, { 'max.message.bytes': '1000' })
    await assert.rejects(
      producer.send({ topic, messages: [{ value: 'x'.repeat(2000) }] }),
      hasType('MESSAGE_TOO_LARGE'),
    )
    await producer.send({ topic, messages: [{ value: 'fits' }] })
    assert.deepEqual((await readAll(t, topic, 1)).values, ['fits'])
  })

  test('a consumer that seeks beyond the end hears of it and starts over', async (t) => {
    const topic = await newTopic('beyond')
    await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] })
    const member = await Member.join(t, kafka, {
      topic,
      groupId: uniqueName('beyond'),
      onRun: (consumer) => consumer.seek({ topic, partition: 0, offset: '1000' }),
    })
    await member.until(2)
    await member.leave()
    assert.deepEqual(member.values, ['a', 'b'])
  })

  test('deleting a topic that does not exist is refused', async (t) => {
    const impatient = kafka.admin({ retry: { retries: 1, initialRetryTime: 10 } })
    t.after(() => impatient.disconnect())
    await impatient.connect()
    await assert.rejects(
      impatient.deleteTopics({ topics: [uniqueName('unknown')] }),
      hasType('UNKNOWN_TOPIC_OR_PARTITION'),
    )
  })
})
