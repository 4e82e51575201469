// Numbered records, written all the time: one to each partition in turn, and what was acknowledged.

import type { Producer } from 'kafkajs'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { pause } from '../support/wait-for.ts'
import type { PartitionName } from './journal.ts'

/** Between two rounds over the partitions. */
const paceMs = 50

export class Numbers {
  readonly #producer: Producer
  readonly #partitions: ReadonlyMap<string, number>
  readonly #acknowledged = new Map<PartitionName, { readonly offset: number; readonly value: string }[]>()
  #next = 0
  #stopped = false
  #writing: Promise<void> = Promise.resolve()

  /** `partitions`: how many each topic has. */
  static async start(bootstrap: readonly string[], partitions: ReadonlyMap<string, number>): Promise<Numbers> {
    const numbers = new Numbers(bootstrap, partitions)
    await numbers.#producer.connect()
    numbers.#writing = numbers.#write()
    return numbers
  }

  private constructor(bootstrap: readonly string[], partitions: ReadonlyMap<string, number>) {
    const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 200 }
    const kafka = kafkaJs('', { brokers: [...bootstrap], clientId: 'numbers', retry, requestTimeout: 10_000 })
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, retry })
    this.#partitions = partitions
    for (const [topic, count] of partitions) {
      for (let partition = 0; partition < count; partition++) this.#acknowledged.set(`${topic}:${partition}`, [])
    }
  }

  /** Of all partitions, those without any included. */
  get acknowledged(): ReadonlyMap<PartitionName, readonly { readonly offset: number; readonly value: string }[]> {
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
    await this.#producer.disconnect()
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const topicMessages = [...this.#partitions].map(([topic, count]) => ({
        topic,
        messages: Array.from({ length: count }, (_, partition) => ({ partition, value: String(this.#next++) })),
      }))
      const written = await this.#producer.sendBatch({ topicMessages, acks: -1 })
      for (const { topicName, partition, baseOffset } of written) {
        const { messages } = topicMessages.find(({ topic }) => topic === topicName)!
        const { value } = messages[partition]!
        this.#acknowledged.get(`${topicName}:${partition}`)!.push({ offset: Number(baseOffset), value })
      }
      await pause(paceMs)
    }
  }
}
