// What goes on in a soak: each workload writes with a real client, knows what was acknowledged, and says what is wrong with what it
// reads. They go through crashes of the broker by their clients' own retries.

import assert from 'node:assert/strict'
import { stringSerializers, Producer as PlatformaticProducer, ProduceAcks } from '@platformatic/kafka'
import type { Admin, Consumer, Kafka, Producer } from 'kafkajs'
import { pause, waitFor } from '../support/wait-for.ts'

const retry = { initialRetryTime: 50, maxRetryTime: 1000, retries: 100 }
/** When a client starts its consumer anew, the old member is in the way until its session ends: the shortest there is. */
const sessionTimeout = 6000

export interface Topic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** A loop that ends when it is told to; its first error is kept for whoever ends it. */
export class Loop {
  #stopped = false
  #paused: Promise<void> = Promise.resolve()
  #resume: () => void = () => {}
  #idle: (() => void) | null = null
  readonly #done: Promise<void>

  constructor(step: () => Promise<void>) {
    this.#done = this.#run(step)
    this.#done.catch(() => {})
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#resume()
    await this.#done
  }

  /** Runs `work` while no step is under way. */
  async whilePaused<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#paused = promise
    this.#resume = resolve
    const idle = new Promise<void>((settle) => {
      this.#idle = settle
    })
    await Promise.race([idle, this.#done])
    try {
      return await work()
    } finally {
      this.#idle = null
      resolve()
    }
  }

  async #run(step: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      this.#idle?.()
      await this.#paused
      if (!this.#stopped) await step()
    }
  }
}

async function connectedProducer(kafka: Kafka, idempotent: boolean): Promise<Producer> {
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry, idempotent })
  await producer.connect()
  return producer
}

/** Everything in the topic, in order of partitions and offsets. */
async function readAll(kafka: Kafka, admin: Admin, topic: string): Promise<Read[]> {
  const offsets = await admin.fetchTopicOffsets(topic)
  const open = new Map(
    offsets
      .filter(({ low, high }) => Number(low) < Number(high))
      .map(({ partition, high }) => [partition, Number(high)]),
  )
  const read: Read[] = []
  if (open.size === 0) return read
  const consumer = kafka.consumer({ groupId: `check-${topic}-${process.hrtime.bigint()}`, retry, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      for (const { offset, key, value } of batch.messages) {
        read.push({
          partition: batch.partition,
          offset: Number(offset),
          key: key?.toString() ?? null,
          value: value?.toString() ?? null,
        })
      }
      // Compaction may have taken the last records below the end; what is left of the range says so.
      const next = Number(batch.lastOffset()) + 1
      if (next >= (open.get(batch.partition) ?? Infinity)) open.delete(batch.partition)
    },
  })
  await waitFor(`all of ${topic}`, () => open.size === 0, 60_000)
  await consumer.disconnect()
  return read.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
}

interface Read {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/** Nothing is ever deleted here: what was acknowledged is there in the end, in order and once. */
export class Kept {
  static readonly topic: Topic = {
    name: 'kept',
    partitions: 2,
    configs: { 'retention.ms': '-1', 'segment.bytes': '4000000', 'disk.budget.policy': 'refuse' },
  }
  readonly #kafka: Kafka
  readonly #producers: readonly Producer[]
  readonly #loops: readonly Loop[]
  readonly #acknowledged: string[][]

  private constructor(kafka: Kafka, producers: readonly Producer[]) {
    this.#kafka = kafka
    this.#producers = producers
    this.#acknowledged = producers.map(() => [])
    this.#loops = producers.map((producer, partition) => new Loop(() => this.#step(producer, partition)))
  }

  static async start(kafka: Kafka): Promise<Kept> {
    const producers = []
    for (let i = 0; i < Kept.topic.partitions; i++) producers.push(await connectedProducer(kafka, true))
    return new Kept(kafka, producers)
  }

  get records(): number {
    return this.#acknowledged.reduce((sum, { length }) => sum + length, 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()))
    await Promise.all(this.#producers.map((producer) => producer.disconnect()))
  }

  async check(admin: Admin): Promise<void> {
    const records = await readAll(this.#kafka, admin, Kept.topic.name)
    for (const [partition, expected] of this.#acknowledged.entries()) {
      const found = records.filter((record) => record.partition === partition).map(({ value }) => value!.split(' ')[0])
      assert.equal(found.length, expected.length, `records of kept-${partition}`)
      for (const [n, value] of expected.entries()) assert.equal(found[n], value)
    }
  }

  async #step(producer: Producer, partition: number): Promise<void> {
    const acknowledged = this.#acknowledged[partition]!
    const values = [1, 2, 3, 4, 5].map((n) => String(acknowledged.length + n))
    const messages = values.map((value) => ({ partition, value: `${value} ${'.'.repeat(80)}` }))
    await producer.send({ topic: Kept.topic.name, acks: -1, messages })
    acknowledged.push(...values)
    await pause(20)
  }
}

/** Much is written, and retention takes it away; a group follows and misses nothing. */
export class Rolling {
  static readonly topic: Topic = {
    name: 'rolling',
    partitions: 1,
    configs: {
      'retention.bytes': '33554432',
      'internal.segment.bytes': '1000000',
      'file.delete.delay.ms': '2000',
    },
  }
  readonly groupId = 'followers'
  readonly #producer: PlatformaticProducer<string, string, string, string>
  readonly #consumer: Consumer
  readonly #loop: Loop
  /** Acknowledged and not yet seen by the group: the number in the record by its offset. */
  readonly #unseen = new Map<number, number>()
  #written = 0
  #next = 0
  #problem: string | null = null
  #committed = 0

  private constructor(producer: PlatformaticProducer<string, string, string, string>, consumer: Consumer) {
    this.#producer = producer
    this.#consumer = consumer
    this.#loop = new Loop(() => this.#step())
  }

  static async start(kafka: Kafka, bootstrap: string): Promise<Rolling> {
    const producer = new PlatformaticProducer({
      clientId: 'soak',
      bootstrapBrokers: [bootstrap],
      serializers: stringSerializers,
      retries: 3,
    })
    const restartOnFailure = async () => true
    const consumer = kafka.consumer({
      groupId: 'followers',
      retry: { ...retry, restartOnFailure },
      sessionTimeout,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 100,
    })
    const rolling = new Rolling(producer, consumer)
    await consumer.connect()
    await consumer.subscribe({ topic: Rolling.topic.name, fromBeginning: true })
    await consumer.run({
      autoCommitInterval: 500,
      eachBatch: async (payload) => {
        for (const { offset, value } of payload.batch.messages) {
          rolling.#saw(Number(offset), Number(value!.toString().split(' ')[0]))
          payload.resolveOffset(offset)
        }
        await payload.commitOffsetsIfNecessary()
        await payload.heartbeat()
      },
    })
    return rolling
  }

  get records(): number {
    return this.#written
  }

  /** Committed offsets never go back; to be called now and then. */
  async watchCommitted(admin: Admin): Promise<void> {
    const [topic] = await admin.fetchOffsets({ groupId: this.groupId, topics: [Rolling.topic.name] })
    const offset = Number(topic?.partitions[0]?.offset ?? -1)
    if (offset < this.#committed) this.#problem ??= `the group was at ${this.#committed}, now it is at ${offset}`
    this.#committed = Math.max(this.#committed, offset)
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    await waitFor('the group to have seen all', () => this.#unseen.size === 0 || this.#problem !== null, 60_000)
    await this.#consumer.disconnect()
    await this.#producer.close()
    assert.equal(this.#problem, null)
  }

  async #step(): Promise<void> {
    const number = this.#written
    const messages = Array.from({ length: 50 }, (_, n) => ({
      topic: Rolling.topic.name,
      partition: 0,
      value: `${number + n} ${'.'.repeat(1000)}`,
    }))
    // Not idempotent: what got no answer is written again, and may then be there twice.
    try {
      const { offsets } = await this.#producer.send({ messages, acks: ProduceAcks.ALL })
      const base = Number(offsets![0]!.offset)
      for (let n = 0; n < messages.length; n++) this.#expect(base + n, number + n)
      this.#written += messages.length
    } catch {
      await pause(100)
    }
    await pause(20)
  }

  #expect(offset: number, number: number): void {
    // The group may have been quicker than the acknowledgement.
    if (offset < this.#next) return
    this.#unseen.set(offset, number)
  }

  #saw(offset: number, number: number): void {
    const expected = this.#unseen.get(offset)
    if (expected !== undefined && expected !== number)
      this.#problem ??= `offset ${offset} holds ${number}, not ${expected}`
    this.#unseen.delete(offset)
    // After a restart the group may read again from what it had committed.
    if (offset < this.#next) return
    for (const missed of this.#unseen.keys()) {
      if (missed >= offset) break
      this.#problem ??= `the group missed offset ${missed}: after ${this.#next - 1} came ${offset}`
    }
    this.#next = offset + 1
  }
}

/** A table of keys: compaction keeps the last of each, whatever happens. */
export class Table {
  static readonly topic: Topic = {
    name: 'table',
    partitions: 2,
    configs: {
      'cleanup.policy': 'compact',
      'internal.segment.bytes': '200000',
      'min.cleanable.dirty.ratio': '0.2',
      'delete.retention.ms': '3000',
      'file.delete.delay.ms': '1000',
    },
  }
  static readonly keys = 500
  readonly #kafka: Kafka
  readonly #producer: Producer
  readonly #loop: Loop
  /** Null: deleted. */
  readonly #last = new Map<string, string | null>()
  #written = 0

  private constructor(kafka: Kafka, producer: Producer) {
    this.#kafka = kafka
    this.#producer = producer
    this.#loop = new Loop(() => this.#step())
  }

  static async start(kafka: Kafka): Promise<Table> {
    return new Table(kafka, await connectedProducer(kafka, true))
  }

  get records(): number {
    return this.#written
  }

  /** The last value of each key is there; nothing is written meanwhile. Answers how many records the topic held. */
  async check(admin: Admin): Promise<number> {
    return this.#loop.whilePaused(async () => {
      const found = new Map<string, string | null>()
      const records = await readAll(this.#kafka, admin, Table.topic.name)
      for (const { key, value } of records) found.set(key!, value)
      for (const [key, value] of this.#last) {
        // A tombstone goes in the end, with all that it deleted.
        if (value === null) assert.equal(found.get(key) ?? null, null, `${key} was deleted`)
        else assert.equal(found.get(key), value, `the last value of ${key}`)
      }
      return records.length
    })
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    await this.#producer.disconnect()
  }

  async #step(): Promise<void> {
    const messages = Array.from({ length: 40 }, (_, n) => {
      const number = this.#written + n
      // Not all keys change as often, and some are deleted at times.
      const key = `key-${Math.floor((((number * 7919) % 1000) ** 2 / 1_000_000) * Table.keys)}`
      const value = number % 23 === 0 ? null : `${number} ${'.'.repeat(100)}`
      return { key, value }
    })
    await this.#producer.send({ topic: Table.topic.name, acks: -1, messages })
    this.#written += messages.length
    for (const { key, value } of messages) this.#last.set(key, value)
    await pause(30)
  }
}
