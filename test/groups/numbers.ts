// Numbered records, written all the time to every partition, and what was acknowledged.

import type { Producer } from 'kafkajs'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { pause } from '../support/wait-for.ts'
import type { PartitionName } from './journal.ts'

/** Between an acknowledgement and the next record, in each partition. */
const paceMs = 50

interface Acknowledged {
  readonly offset: number
  readonly value: string
}

/** A producer for each partition: one of KafkaJS that writes to several loses count of them when a leader goes. */
export class Numbers {
  readonly #acknowledged = new Map<PartitionName, Acknowledged[]>()
  readonly #writing: Promise<unknown>
  #stopped = false

  /** `partitions`: how many each topic has. */
  constructor(bootstrap: readonly string[], partitions: ReadonlyMap<string, number>) {
    const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000_000 }
    const kafka = kafkaJs('', { brokers: [...bootstrap], clientId: 'numbers', retry, requestTimeout: 10_000 })
    const writing: Promise<void>[] = []
    for (const [topic, count] of partitions) {
      for (let partition = 0; partition < count; partition++) {
        const acknowledged: Acknowledged[] = []
        this.#acknowledged.set(`${topic}:${partition}`, acknowledged)
        const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
        writing.push(this.#write(producer, topic, partition, acknowledged))
      }
    }
    this.#writing = Promise.all(writing)
    this.#writing.catch(() => {}) // `stop` says it
  }

  /** Of all partitions, those without any included. */
  get acknowledged(): ReadonlyMap<PartitionName, readonly Acknowledged[]> {
    return this.#acknowledged
  }

  get count(): number {
    return [...this.#acknowledged.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** Behind the last that was acknowledged, by partition. */
  ends(): Map<PartitionName, number> {
    return new Map([...this.#acknowledged].map(([name, own]) => [name, (own.at(-1)?.offset ?? -1) + 1]))
  }

  /** Rejects with what went wrong while it wrote. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#writing
  }

  async #write(producer: Producer, topic: string, partition: number, acknowledged: Acknowledged[]): Promise<void> {
    await producer.connect()
    try {
      for (let number = 0; !this.#stopped; number++) {
        const value = String(number)
        const [answer] = await producer.send({ topic, acks: -1, messages: [{ partition, value }] })
        acknowledged.push({ offset: Number(answer!.baseOffset), value })
        await pause(paceMs)
      }
    } finally {
      await producer.disconnect()
    }
  }
}
