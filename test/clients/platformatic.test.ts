// @platformatic/kafka against the broker. It speaks newer versions than KafkaJS: Fetch sessions by topic id,
// flexible encodings throughout.

import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import {
  Admin,
  type CompressionAlgorithmValue,
  Consumer,
  type ConsumeOptions,
  type Message,
  type MessagesStream,
  Producer,
  type ProducerOptions,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { startTarget, type Target, uniqueName } from '../support/target.ts'
import { waitFor } from '../support/wait-for.ts'

// Keys, values and headers are text here.
type TextProducer = Producer<string, string, string, string>
type TextProducerOptions = Partial<ProducerOptions<string, string, string, string>>
type TextConsumer = Consumer<string, string, string, string>
type TextConsumeOptions = Partial<ConsumeOptions<string, string, string, string>>
type TextMessage = Message<string, string, string, string>
type TextStream = MessagesStream<string, string, string, string>

let target: Target
let admin: Admin
let producer: TextProducer

const client = () => ({ clientId: 'platformatic-test', bootstrapBrokers: [target.bootstrap] })

before(async () => {
  target = await startTarget()
  admin = new Admin(client())
  producer = new Producer({ ...client(), serializers: stringSerializers })
})

after(async () => {
  await Promise.all([admin?.close(), producer?.close()])
  await target?.stop()
})

async function newTopic(stem: string, partitions = 1, config: Record<string, string> = {}): Promise<string> {
  const topic = uniqueName(stem)
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs })
  return topic
}

/** A consumer of one topic that keeps every message it is given. It leaves when the test ends, if not before. */
class Member {
  readonly consumer: TextConsumer
  readonly seen: TextMessage[] = []
  readonly #topic: string
  #stream: TextStream | undefined

  private constructor(consumer: TextConsumer, topic: string) {
    this.consumer = consumer
    this.#topic = topic
  }

  static async join(
    t: TestContext,
    topic: string,
    options: TextConsumeOptions = {},
    groupId = uniqueName('reader'),
  ): Promise<Member> {
    const consumer = new Consumer({
      ...client(),
      groupId,
      deserializers: stringDeserializers,
      heartbeatInterval: 100,
      maxWaitTime: 100,
    })
    const member = new Member(consumer, topic)
    t.after(() => member.leave())
    member.#stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, ...options })
    member.#stream.on('data', (message) => member.seen.push(message))
    return member
  }

  get partitions(): number[] {
    const own = this.consumer.assignments?.find(({ topic }) => topic === this.#topic)
    return [...(own?.partitions ?? [])].sort((a, b) => a - b)
  }

  get values(): (string | undefined)[] {
    return this.seen.map(({ value }) => value)
  }

  async until(count: number): Promise<TextMessage[]> {
    await waitFor(`${count} messages`, () => this.seen.length >= count)
    return this.seen
  }

  async leave(): Promise<void> {
    await this.#stream?.close()
    this.#stream = undefined
    await this.consumer.close(true)
  }
}

async function readAll(t: TestContext, topic: string, count: number): Promise<Member> {
  const member = await Member.join(t, topic)
  await member.until(count)
  await member.leave()
  return member
}

function newProducer(t: TestContext, options: TextProducerOptions): TextProducer {
  const producer = new Producer({ ...client(), serializers: stringSerializers, ...options })
  t.after(() => producer.close())
  return producer
}

/** The client wraps what the broker said in errors of its own. */
function hasApiId(id: string): (error: unknown) => boolean {
  const matches = (error: unknown): boolean => {
    if (!(error instanceof Error)) return false
    if ('apiId' in error && error.apiId === id) return true
    return matches(error.cause) || (error instanceof AggregateError && error.errors.some(matches))
  }
  return matches
}

describe('topics', () => {
  test('a created topic is listed and described, and gone once deleted', async () => {
    const topic = await newTopic('topics', 3)
    assert.ok((await admin.listTopics()).includes(topic))
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
    assert.equal(metadata.topics.get(topic)?.partitionsCount, 3)

    await admin.deleteTopics({ topics: [topic] })
    await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(topic))
  })

  test('creating a topic that exists is refused', async () => {
    const topic = await newTopic('twice')
    await assert.rejects(admin.createTopics({ topics: [topic] }), hasApiId('TOPIC_ALREADY_EXISTS'))
  })

  test('the settings of a topic are described with the ones it was created with', async () => {
    const topic = await newTopic('configured', 1, { 'max.message.bytes': '2000' })
    const [described] = await admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: topic }] })
    const entry = described?.configs.find(({ name }) => name === 'max.message.bytes')
    assert.equal(entry?.value, '2000')
  })

  test('a message to a topic that does not exist creates it', async (t) => {
    const topic = uniqueName('by-itself')
    const creating = newProducer(t, { autocreateTopics: true })
    await creating.send({ messages: [{ topic, value: 'first' }] })
    assert.deepEqual((await readAll(t, topic, 1)).values, ['first'])
  })
})

describe('records', () => {
  const codecs: CompressionAlgorithmValue[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  for (const compression of codecs) {
    test(`keyed and unkeyed messages compressed with ${compression} come back as they were sent`, async (t) => {
      const topic = await newTopic(`codec-${compression}`)
      const messages = Array.from({ length: 20 }, (_, n) => ({
        topic,
        value: `${n}:`.padEnd(200, 'x'),
        ...(n % 2 === 0 ? { key: `key-${n}` } : {}),
      }))
      await producer.send({ compression, messages })
      const { seen } = await readAll(t, topic, messages.length)
      assert.deepEqual(
        seen.map(({ key, value, offset }) => ({ key, value, offset: Number(offset) })),
        messages.map(({ value, ...rest }, offset) => ({ key: 'key' in rest ? rest.key : undefined, value, offset })),
      )
    })
  }

  test('headers, tombstones, empty values and timestamps come back as they were sent', async (t) => {
    const topic = await newTopic('details')
    const timestamp = 1_700_000_000_000n
    await producer.send({
      messages: [
        { topic, timestamp, key: 'k', value: 'v', headers: { trace: 'abc', empty: '' } },
        { topic, timestamp: timestamp + 1n, key: 'k' },
        { topic, timestamp, key: '', value: '' },
      ],
    })
    const [first, tombstone, empty] = (await readAll(t, topic, 3)).seen
    assert.deepEqual(first?.headerEntries, [
      ['trace', 'abc'],
      ['empty', ''],
    ])
    assert.deepEqual([tombstone?.key, tombstone?.value, tombstone?.timestamp], ['k', undefined, timestamp + 1n])
    assert.deepEqual([empty?.key, empty?.value], ['', ''])
  })

  for (const acks of [-1, 1, 0]) {
    test(`messages sent with acks=${acks} are kept`, async (t) => {
      const topic = await newTopic(`acks${acks}`)
      await producer.send({ acks, messages: ['a', 'b'].map((value) => ({ topic, value })) })
      assert.deepEqual((await readAll(t, topic, 2)).values, ['a', 'b'])
    })
  }

  test('an idempotent producer writes each message once, in order', async (t) => {
    const topic = await newTopic('idempotent')
    const idempotent = newProducer(t, { idempotent: true })
    const values = Array.from({ length: 20 }, (_, n) => String(n))
    for (const value of values) await idempotent.send({ messages: [{ topic, value }] })
    assert.deepEqual((await readAll(t, topic, values.length)).values, values)
    const [ends] = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
    })
    assert.equal(ends?.partitions[0]?.offset, 20n)
  })
})

describe('places to read from', () => {
  test('a consumer that reads from the end sees only what comes later', async (t) => {
    const topic = await newTopic('from-the-end')
    await producer.send({ messages: [{ topic, value: 'before' }] })
    // `consume` has asked for the end by the time it resolves.
    const member = await Member.join(t, topic, { mode: 'latest' })
    await producer.send({ messages: [{ topic, value: 'after' }] })
    await member.until(1)
    assert.deepEqual(member.values, ['after'])
  })

  test('a time leads to the first message that is not older', async (t) => {
    const topic = await newTopic('by-time')
    const at = (ms: number) => 1_700_000_000_000n + BigInt(ms)
    await producer.send({
      messages: [1000, 2000, 3000].map((ms) => ({ topic, value: String(ms), timestamp: at(ms) })),
    })
    const lookUp = async (ms: number) => {
      const [found] = await admin.listOffsets({
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: at(ms) }] }],
      })
      return found?.partitions[0]
    }
    assert.deepEqual([(await lookUp(0))?.offset, (await lookUp(0))?.timestamp], [0n, at(1000)])
    assert.deepEqual([(await lookUp(1500))?.offset, (await lookUp(1500))?.timestamp], [1n, at(2000)])
    assert.deepEqual([(await lookUp(3001))?.offset, (await lookUp(3001))?.timestamp], [-1n, -1n])

    const offset = (await lookUp(1500))?.offset ?? -1n
    const member = await Member.join(t, topic, { mode: 'manual', offsets: [{ topic, partition: 0, offset }] })
    await member.until(2)
    assert.deepEqual(member.values, ['2000', '3000'])
  })
})

describe('groups', () => {
  test('a second member takes its share, and the first takes over when it leaves', async (t) => {
    const topic = await newTopic('shared', 4)
    const groupId = uniqueName('group')
    const first = await Member.join(t, topic, {}, groupId)
    await waitFor('the whole topic', () => first.partitions.length === 4)

    const second = await Member.join(t, topic, {}, groupId)
    await waitFor('two shares', () => first.partitions.length === 2 && second.partitions.length === 2)
    assert.deepEqual(
      [...first.partitions, ...second.partitions].sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
    const described = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
    assert.equal(described?.state, 'Stable')
    assert.equal(described?.members.size, 2)

    await second.leave()
    await waitFor('the whole topic', () => first.partitions.length === 4)
    const values = ['0', '1', '2', '3']
    await producer.send({ messages: values.map((value) => ({ topic, partition: Number(value), value })) })
    await first.until(4)
    assert.deepEqual(
      first.values.map(String).sort((a, b) => a.localeCompare(b)),
      values,
    )
    await first.leave()
    assert.ok((await admin.listGroups()).has(groupId))
  })

  test('a group resumes after what it committed', async (t) => {
    const topic = await newTopic('resume')
    const groupId = uniqueName('resume')
    await producer.send({ messages: ['a', 'b', 'c', 'd'].map((value) => ({ topic, value })) })

    const first = await Member.join(t, topic, {}, groupId)
    const [, second] = await first.until(4)
    await second?.commit()
    await first.leave()
    const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
    assert.equal(group?.topics[0]?.partitions[0]?.committedOffset, 2n)

    const later = await Member.join(t, topic, { mode: 'committed', fallbackMode: 'fail' }, groupId)
    await later.until(2)
    assert.deepEqual(later.values, ['c', 'd'])
  })
})

describe('errors', () => {
  test('a message to an unknown topic is refused when the client does not ask for its creation', async (t) => {
    const strict = newProducer(t, { autocreateTopics: false, retries: 1, retryDelay: 10 })
    await assert.rejects(
      strict.send({ messages: [{ topic: uniqueName('unknown'), value: 'x' }] }),
      /Unknown topic/, // the client's words for a topic that Metadata did not have
    )
  })

  test('a message larger than the topic takes is refused, and the next one is taken', async (t) => {
    const topic = await newTopic('small', 1, { 'max.message.bytes': '1000' })
    const impatient = newProducer(t, { retries: 0 })
    await assert.rejects(
      impatient.send({ messages: [{ topic, value: 'x'.repeat(2000) }] }),
      hasApiId('MESSAGE_TOO_LARGE'),
    )
    await impatient.send({ messages: [{ topic, value: 'fits' }] })
    assert.deepEqual((await readAll(t, topic, 1)).values, ['fits'])
  })

  test('a consumer that starts beyond the end starts over where it is told to', async (t) => {
    const topic = await newTopic('beyond')
    await producer.send({ messages: ['a', 'b'].map((value) => ({ topic, value })) })
    const offsets = [{ topic, partition: 0, offset: 1000n }]
    const member = await Member.join(t, topic, { mode: 'manual', offsets, fallbackMode: 'earliest' })
    await member.until(2)
    assert.deepEqual(member.values, ['a', 'b'])
  })

  test('deleting a topic that does not exist is refused', async (t) => {
    const impatient = new Admin({ ...client(), retries: 0 })
    t.after(() => impatient.close())
    await assert.rejects(
      impatient.deleteTopics({ topics: [uniqueName('unknown')] }),
      hasApiId('UNKNOWN_TOPIC_OR_PARTITION'),
    )
  })
})
