// kill -9 under load. What was acknowledged with acks=all is there after every restart: in order, once, where the
// acknowledgement said. The clients go through it by their own retries; nobody helps them.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Kafka, ProducerConfig } from 'kafkajs'
import { BrokerProcess } from './support/broker-process.ts'
import { kafkaJs, Member, type Seen } from './support/kafkajs-client.ts'
import { onlyOdradek } from './support/target.ts'
import { startKafkaTool, withoutKafkaTools } from './support/tools.ts'
import { waitFor } from './support/wait-for.ts'

const rounds = 6

/** KafkaJS's own way to go on, in smaller steps: its default waits grow to half a minute. */
const retry = { initialRetryTime: 20, maxRetryTime: 500, retries: 60 }

/** A broker that can be killed and started again on its folder and port. */
class Mortal {
  readonly data: string
  #broker: BrokerProcess

  private constructor(data: string, broker: BrokerProcess) {
    this.data = data
    this.#broker = broker
  }

  static async start(t: TestContext): Promise<Mortal> {
    const data = await mkdtemp(join(tmpdir(), 'odradek-kill-'))
    t.after(() => rm(data, { recursive: true, force: true }))
    const mortal = new Mortal(data, await BrokerProcess.start({ data }))
    t.after(() => mortal.#broker.stop())
    return mortal
  }

  get bootstrap(): string {
    return this.#broker.bootstrap
  }

  async killAndRestart(): Promise<void> {
    const { port } = this.#broker
    await this.#broker.kill()
    this.#broker = await BrokerProcess.start({ data: this.data, port })
  }

  /** Kills it `rounds` times, each time after `acknowledged` has grown by a random number. */
  async killUnderLoad(acknowledged: () => number): Promise<void> {
    for (let round = 1; round <= rounds; round++) {
      const enough = acknowledged() + randomInt(1, 200)
      await waitFor(`acknowledgements in round ${round}`, () => acknowledged() >= enough)
      await this.killAndRestart()
    }
    const enough = acknowledged() + 20
    await waitFor('acknowledgements after the last restart', () => acknowledged() >= enough)
  }
}

interface Acknowledged {
  readonly value: string
  readonly partition: number
  readonly offset: number
}

/** Writes `name-0`, `name-1`, ... to one partition, each as soon as the one before is acknowledged. */
class Load {
  readonly acknowledged: Acknowledged[] = []
  readonly #done: Promise<void>
  #stopped = false

  constructor(
    t: TestContext,
    kafka: Kafka,
    target: { topic: string; partition: number },
    name: string,
    config: ProducerConfig,
  ) {
    t.after(() => {
      this.#stopped = true
    })
    this.#done = this.#run(kafka, target, name, config)
    this.#done.catch(() => {}) // whoever stops it hears of it
  }

  /** The last message has been acknowledged when this resolves. A message the client gave up is an error. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
  }

  async #run(
    kafka: Kafka,
    { topic, partition }: { topic: string; partition: number },
    name: string,
    config: ProducerConfig,
  ) {
    const producer = kafka.producer({ allowAutoTopicCreation: false, retry, ...config })
    await producer.connect()
    for (let n = 0; !this.#stopped; n++) {
      const value = `${name}-${n}`
      const [answer] = await producer.send({ topic, acks: -1, messages: [{ partition, value }] })
      this.acknowledged.push({ value, partition, offset: Number(answer?.baseOffset) })
    }
    await producer.disconnect()
  }
}

async function createTopic(kafka: Kafka, topic: string, numPartitions: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  await admin.disconnect()
}

/** Every record of the topic, in order of partitions and offsets. */
async function readAll(t: TestContext, kafka: Kafka, topic: string): Promise<Seen[]> {
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const member = await Member.join(t, kafka, { topic, groupId: 'reader' })
  const seen = await member.until(ends.reduce((sum, { high }) => sum + Number(high), 0))
  await member.leave()
  return seen.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
}

/** Each acknowledged record is where its acknowledgement said. */
function assertKept(acknowledged: readonly Acknowledged[], records: readonly Seen[]): void {
  const at = new Map(records.map(({ partition, offset, value }) => [`${partition}:${offset}`, value]))
  const missing = acknowledged.filter(({ partition, offset, value }) => at.get(`${partition}:${offset}`) !== value)
  assert.deepEqual(missing, [])
}

test(
  'what KafkaJS was told is kept is there after every kill, in order and once',
  { skip: onlyOdradek, timeout: 120_000 },
  async (t) => {
    const broker = await Mortal.start(t)
    const kafka = kafkaJs(broker.bootstrap)
    const topic = 'killed'
    await createTopic(kafka, topic, 3)
    // When KafkaJS starts its consumer anew, the old member is in the way until its session ends: the shortest there is.
    const follower = await Member.join(t, kafka, { topic, groupId: 'follower', retry, sessionTimeout: 6000 })
    const idempotent = [0, 1].map(
      (partition) => new Load(t, kafka, { topic, partition }, `idempotent${partition}`, { idempotent: true }),
    )
    const plain = new Load(t, kafka, { topic, partition: 2 }, 'plain', {})
    const loads = [...idempotent, plain]

    await broker.killUnderLoad(() => loads.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0))
    await Promise.all(loads.map((load) => load.stop()))
    await broker.killAndRestart() // with nobody writing: what was acknowledged last is kept as well

    const records = await readAll(t, kafka, topic)
    for (const { acknowledged } of loads) assertKept(acknowledged, records)
    for (const [partition, { acknowledged }] of idempotent.entries()) {
      const own = records.filter((record) => record.partition === partition)
      assert.deepEqual(
        own.map(({ value }) => value),
        acknowledged.map(({ value }) => value),
      )
    }
    // A producer that is not idempotent may write again what it got no answer for; it never goes back behind that.
    const numbers = records.filter(({ partition }) => partition === 2).map(({ value }) => Number(value?.slice(6)))
    assert.deepEqual(
      numbers.filter((number, at) => number !== numbers[at - 1]),
      plain.acknowledged.map((_, n) => n),
    )

    // The group that read along was not stopped by any of it.
    const key = ({ partition, offset }: Acknowledged | Seen) => `${partition}:${offset}`
    await waitFor('the follower to have seen everything', () => {
      const seen = new Set(follower.seen.map(key))
      return loads.every(({ acknowledged }) => acknowledged.every((one) => seen.has(key(one))))
    })
    await follower.leave() // while there is a broker to say it to
  },
)

test(
  'what the Java producer was told is kept is there after every kill, in order and once',
  { skip: onlyOdradek || withoutKafkaTools(), timeout: 120_000 },
  async (t) => {
    const broker = await Mortal.start(t)
    const kafka = kafkaJs(broker.bootstrap)
    const topic = 'killed'
    await createTopic(kafka, topic, 3)
    // The tool switches retries off; these are the Java producer's own defaults.
    const folder = await mkdtemp(join(tmpdir(), 'odradek-kill-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const settings = join(folder, 'producer.properties')
    await writeFile(settings, 'retries=2147483647\nenable.idempotence=true\n')
    const load = ['--topic', topic, '--acks', '-1', '--throughput', '1000', '--command-config', settings]
    const producer = startKafkaTool('verifiable-producer', ['--bootstrap-server', broker.bootstrap, ...load])
    t.after(() => producer.kill('SIGKILL'))

    const acknowledgement = /"name":"producer_send_success"/g
    await broker.killUnderLoad(() => producer.stdout.match(acknowledgement)?.length ?? 0)
    const { stdout } = await producer.stop()
    await broker.killAndRestart()

    const events = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Acknowledged & { name: string })
    const acknowledged = events.filter(({ name }) => name === 'producer_send_success')
    assert.deepEqual(
      events.filter(({ name }) => name === 'producer_send_error'),
      [],
    )
    const records = await readAll(t, kafka, topic)
    assertKept(
      acknowledged.map(({ value, partition, offset }) => ({ value, partition, offset })),
      records,
    )
    for (const partition of [0, 1, 2]) {
      const numbers = records.filter((record) => record.partition === partition).map(({ value }) => Number(value))
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((a, b) => a - b),
      )
    }
  },
)
