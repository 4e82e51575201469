// A real file system that is full, under a real broker: a small one in memory (tmpfs), with a file beside the data that takes the rest of
// it. Producers are told KAFKA_STORAGE_ERROR, consumers read on, offsets are committed, and when the file is gone everything goes on.

import assert from 'node:assert/strict'
import { existsSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Kafka, Producer } from 'kafkajs'
import { BrokerProcess } from './support/broker-process.ts'
import { kafkaJs, Member, type Seen } from './support/kafkajs-client.ts'
import { SmallVolume } from './support/small-volume.ts'
import { onlyOdradek } from './support/target.ts'
import { pause, waitFor } from './support/wait-for.ts'

const MIB = 1024 * 1024
const topic = 'orders'
const partitions = 3
const retry = { initialRetryTime: 20, maxRetryTime: 200, retries: 100 }

interface Acknowledged {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/** Sends as fast as it is answered, and keeps what it was told. */
class Load {
  readonly acknowledged: Acknowledged[] = []
  readonly refusals: string[] = []
  readonly #producer: Producer
  readonly #done: Promise<void>
  #stopped = false

  constructor(t: TestContext, kafka: Kafka, bytes: number) {
    this.#producer = kafka.producer({ allowAutoTopicCreation: false, retry: { ...retry, retries: 0 } })
    t.after(() => this.stop())
    this.#done = this.#run(bytes)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
  }

  async #run(bytes: number): Promise<void> {
    await this.#producer.connect()
    for (let n = 0; !this.#stopped; n++) {
      const partition = n % partitions
      const value = `${n} ${'v'.repeat(bytes)}`
      try {
        const [answer] = await this.#producer.send({ topic, acks: -1, messages: [{ partition, value }] })
        this.acknowledged.push({ partition, offset: Number(answer!.baseOffset), value })
      } catch (error) {
        this.refusals.push(typeOf(error))
        // The broker may have been killed; one that refuses answers at once, and others are to be heard, too.
        await pause(10)
      }
    }
    await this.#producer.disconnect().catch(() => undefined)
  }
}

/** The protocol's name of the error that is at the bottom of it. */
function typeOf(error: unknown): string {
  let found = ''
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('type' in at && typeof at.type === 'string') found = at.type
    else if (found === '') found = at.name
  }
  return found
}

async function committedOf(kafka: Kafka, groupId: string): Promise<number> {
  const admin = kafka.admin({ retry })
  await admin.connect()
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return Number(found!.partitions.find(({ partition }) => partition === 0)!.offset)
}

async function isAllThere(
  t: TestContext,
  kafka: Kafka,
  groupId: string,
  wanted: readonly Acknowledged[],
): Promise<void> {
  const member = await Member.join(t, kafka, { topic, groupId, retry })
  const found = new Map<string, Seen>()
  let counted = 0
  await waitFor(`${wanted.length} records that were acknowledged`, () => {
    for (const seen of member.seen.slice(counted)) found.set(`${seen.partition}:${seen.offset}`, seen)
    counted = member.seen.length
    return wanted.every(({ partition, offset }) => found.has(`${partition}:${offset}`))
  })
  for (const { partition, offset, value } of wanted) assert.equal(found.get(`${partition}:${offset}`)!.value, value)
  await member.leave()
}

const volume = onlyOdradek === false ? SmallVolume.mount(64) : 'runs only against Odradek'
const skip = typeof volume === 'string' ? volume : false

test(
  'a full disk: producers are told, consumers and groups go on, nothing acknowledged is lost, and it ends by itself',
  { skip, timeout: 120_000 },
  async (t) => {
    assert.ok(volume instanceof SmallVolume)
    const settings = { 'log.segment.bytes': String(MIB), 'offsets.topic.num.partitions': '1' }
    let broker: BrokerProcess | null = null
    t.after(async () => {
      await broker?.stop()
      volume.unmount()
    })
    broker = await BrokerProcess.start({ data: volume.data, settings })
    const kafka = kafkaJs(broker.bootstrap, { retry })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true })
    const spare = join(volume.data, 'disk-spare.bin')
    await waitFor('the spare file', () => existsSync(spare) && statfsSync(volume.path).bavail > 0)

    // Full, while it is written to.
    const load = new Load(t, kafka, 2000)
    await waitFor('some records', () => load.acknowledged.length > 200)
    volume.fill()
    await waitFor('refusals', () => load.refusals.length > 20)
    assert.deepEqual([...new Set(load.refusals)], ['KAFKA_STORAGE_ERROR'])
    const whenFull = [...load.acknowledged]
    await isAllThere(t, kafka, 'reader', whenFull)
    const committing = await Member.join(t, kafka, { topic, groupId: 'committing', retry, run: { autoCommit: false } })
    for (let i = 1; i <= 50; i++) {
      await committing.consumer.commitOffsets([{ topic, partition: 0, offset: String(i) }])
    }
    assert.equal(await committedOf(kafka, 'committing'), 50)
    await committing.leave()
    await admin.createTopics({ topics: [{ topic: 'while-full' }], waitForLeaders: true })

    // Killed while it is full: what was acknowledged is there, and so is what was committed.
    await broker.kill()
    broker = await BrokerProcess.start({ data: volume.data, port: broker.port, settings })
    await isAllThere(t, kafka, 'reader after the kill', whenFull)
    assert.equal(await committedOf(kafka, 'committing'), 50)
    const refused = load.refusals.length
    await waitFor('more refusals', () => load.refusals.length > refused + 20)
    assert.ok(load.refusals.slice(-10).includes('KAFKA_STORAGE_ERROR'))

    // Room again: nobody does anything, and it goes on.
    volume.empty()
    const before = load.acknowledged.length
    await waitFor('new acknowledgements', () => load.acknowledged.length > before + 100)
    await waitFor('a spare file again', () => existsSync(spare))
    await load.stop()
    await admin.disconnect()
    await broker.kill()
    broker = await BrokerProcess.start({ data: volume.data, port: broker.port, settings })
    await isAllThere(t, kafka, 'reader at the end', load.acknowledged)
    assert.equal(await committedOf(kafka, 'committing'), 50)
  },
)
