// A producer that sends small records to one partition without pause, one at a time, and does at each refusal what the clients of
// Kafka 4 do: it follows the leader that the answer names (KIP-951), and otherwise asks the brokers it knows for metadata, at most
// every retry.backoff.ms = 100 ms. What it measures is the time between two acknowledgements.

import { setTimeout as delay } from 'node:timers/promises'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { RawClient } from '../raw-client.ts'

const backoffMs = 100

export interface Gap {
  /** Of the acknowledgement before, and of the one after; by `performance.now()`. */
  readonly from: number
  readonly to: number
}

export class SteadyProducer {
  acknowledged = 0
  /** From the last acknowledgement before it to the first after it. */
  #longest: Gap = { from: 0, to: 0 }
  #lastAt = performance.now()
  readonly #topic: string
  readonly #index: number
  readonly #bootstrap: readonly string[]
  readonly #clients = new Map<string, RawClient>()
  #leader: string | null = null
  #stopped = false
  readonly #ended: Promise<void>

  /** It sends from now on. */
  constructor(bootstrap: readonly string[], topic: string, index = 0) {
    this.#bootstrap = bootstrap
    this.#topic = topic
    this.#index = index
    this.#ended = this.#run()
  }

  /** Forgets what was before. */
  reset(): void {
    this.#lastAt = performance.now()
    this.#longest = { from: this.#lastAt, to: this.#lastAt }
  }

  get longest(): Gap {
    return this.#longest
  }

  /** Resolves with the first acknowledgement after now, at its time. */
  async next(): Promise<number> {
    const before = this.acknowledged
    while (this.acknowledged === before) await delay(1)
    return this.#lastAt
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
    for (const client of this.#clients.values()) client.close()
  }

  async #run(): Promise<void> {
    const batch = buildBatch([{ value: Buffer.alloc(100, 'x') }])
    let askedAt = -Infinity
    while (!this.#stopped) {
      if (this.#leader === null) {
        await delay(Math.max(0, askedAt + backoffMs - performance.now()))
        askedAt = performance.now()
        this.#leader = await this.#findLeader()
        continue
      }
      const leader: string = this.#leader
      try {
        const client = await this.#clientOf(leader)
        const { responses, nodeEndpoints } = await client.request(produce, 10, {
          transactionalId: null,
          acks: -1,
          timeoutMs: 30_000,
          topicData: [{ name: this.#topic, partitionData: [{ index: this.#index, records: [batch] }] }],
        })
        const { errorCode, currentLeader } = responses[0]!.partitionResponses[0]!
        if (errorCode === ErrorCode.NONE) this.#acknowledge()
        else {
          const named = nodeEndpoints.find(({ nodeId }) => nodeId === currentLeader.leaderId)
          this.#leader = named === undefined ? null : `${named.host}:${named.port}`
        }
      } catch {
        this.#drop(leader)
        this.#leader = null
      }
    }
  }

  #acknowledge(): void {
    const now = performance.now()
    if (now - this.#lastAt > this.#longest.to - this.#longest.from) this.#longest = { from: this.#lastAt, to: now }
    this.#lastAt = now
    this.acknowledged += 1
  }

  /** The first broker that answers says it; null when none does, or nobody leads. */
  async #findLeader(): Promise<string | null> {
    for (const address of this.#bootstrap) {
      try {
        const client = await this.#clientOf(address)
        const { brokers, topics } = await client.request(metadata, 12, { topics: [{ name: this.#topic }] })
        const partition = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === this.#index)
        const leader = brokers.find(({ nodeId }) => nodeId === partition?.leaderId)
        return leader === undefined ? null : `${leader.host}:${leader.port}`
      } catch {
        this.#drop(address)
      }
    }
    return null
  }

  async #clientOf(address: string): Promise<RawClient> {
    let client = this.#clients.get(address)
    if (client === undefined) {
      client = await RawClient.connect(address)
      this.#clients.set(address, client)
    }
    return client
  }

  #drop(address: string): void {
    this.#clients.get(address)?.close()
    this.#clients.delete(address)
  }
}
