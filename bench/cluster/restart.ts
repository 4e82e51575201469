// What clients notice of a clean restart (SIGTERM, start again), broker after broker: the longest time between two acknowledgements of a
// producer, for one on each partition, and for KafkaJS as it is out of the box, which asks for metadata where others follow the
// answer's hint; and the longest time between two records of a KafkaJS consumer. Leaderships are balanced again before the next restart:
// a KafkaJS consumer sleeps for its maxWaitTimeInMs (5 s) at a broker that leads none of its partitions, and when the brokers it knows
// change, all of its fetchers wait for that one.

import { kafkaJs } from '../../test/support/kafkajs-client.ts'
import { medianAndWorst } from '../measured.ts'
import { ClusterUnderBench } from './brokers.ts'
import { SteadyProducer } from './steady-producer.ts'

const partitions = 6
const names = ['orders', 'events', '__consumer_offsets']

/** The longest time between two of its events since the last question. */
class Pulse {
  #lastAt = performance.now()
  #longestMs = 0

  beat(): void {
    const now = performance.now()
    this.#longestMs = Math.max(this.#longestMs, now - this.#lastAt)
    this.#lastAt = now
  }

  takeLongestMs(): number {
    this.beat()
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return longestMs
  }
}

export async function measureRestarts(rounds: number): Promise<void> {
  await ClusterUnderBench.with({ brokers: 3 }, async (cluster) => {
    const addresses = cluster.ids.map((id) => cluster.addressOf(id))
    await cluster.createTopic({ name: 'orders', partitions, replicas: 3 })
    await cluster.createTopic({ name: 'events', partitions, replicas: 3 })
    const producers = Array.from({ length: partitions }, (_, index) => new SteadyProducer(addresses, 'orders', index))
    const javascript = await KafkaJsLoad.start(addresses, 'events')
    const gaps = { follows: [] as number[], produces: [] as number[], consumes: [] as number[], stops: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      const id = cluster.ids[round % cluster.ids.length]!
      await cluster.untilEven(names)
      await cluster.rest(1000)
      for (const producer of producers) producer.reset()
      javascript.produced.takeLongestMs()
      javascript.consumed.takeLongestMs()
      gaps.stops.push(await cluster.stop(id))
      await cluster.start(id)
      await cluster.untilEven(names)
      await cluster.rest(1000)
      gaps.follows.push(Math.max(...producers.map(({ longest }) => longest.to - longest.from)))
      gaps.produces.push(javascript.produced.takeLongestMs())
      gaps.consumes.push(javascript.consumed.takeLongestMs())
      const last = Object.entries(gaps).map(([what, values]) => `${what} ${values.at(-1)!.toFixed(0)}`)
      console.log(`  restart of broker ${id}, ms: ${last.join(', ')}`)
    }
    await javascript.stop()
    await Promise.all(producers.map((producer) => producer.stop()))
    console.log(`clean restart, the stop itself: ${medianAndWorst(gaps.stops)}`)
    console.log(
      `clean restart, longest gap of ${partitions} producers that follow hints: ${medianAndWorst(gaps.follows)}`,
    )
    console.log(`clean restart, longest gap of a KafkaJS producer (defaults): ${medianAndWorst(gaps.produces)}`)
    console.log(`clean restart, longest gap of a KafkaJS consumer (defaults): ${medianAndWorst(gaps.consumes)}`)
  })
}

/** A producer and a consumer of KafkaJS, with its defaults. */
class KafkaJsLoad {
  readonly produced = new Pulse()
  readonly consumed = new Pulse()
  #stopped = false
  #ended: Promise<void> = Promise.resolve()
  #close: () => Promise<void> = async () => {}

  static async start(addresses: readonly string[], topic: string): Promise<KafkaJsLoad> {
    const load = new KafkaJsLoad()
    const client = kafkaJs('', { brokers: [...addresses] })
    const consumer = client.consumer({ groupId: 'bench' })
    await consumer.connect()
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async () => load.consumed.beat() })
    const producer = client.producer()
    await producer.connect()
    load.#ended = load.#produce(producer, topic)
    load.#close = async () => {
      await producer.disconnect()
      await consumer.disconnect()
    }
    return load
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
    await this.#close()
  }

  async #produce(producer: ReturnType<ReturnType<typeof kafkaJs>['producer']>, topic: string): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      await producer.send({ topic, messages: [{ key: String(n), value: 'x' }] })
      this.produced.beat()
    }
  }
}
