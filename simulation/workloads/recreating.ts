// One name, one topic after the other: what is written to the one is never seen in the next, whoever was away while it was deleted (KIP-516).
// All requests name the topic by its id, so that one that comes late can only meet the topic it was meant for.

import { deleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { Admin } from '../clients/admin.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import { Disconnected } from '../clients/connection.ts'
import { PartitionProducer } from '../clients/partition-producer.ts'
import { TopicReader } from '../clients/topic-reader.ts'
import { type Workload, Violation, type World } from '../contracts.ts'

export interface RecreatingOptions {
  readonly world: World
  readonly topic: string
}

const rule = 'a topic that is made again is a new one'

export class Recreating implements Workload {
  readonly name: string
  readonly #client: ClusterClient
  readonly #admin: Admin
  #generation = 0
  readonly #gone = new Set<string>()
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor({ world, topic }: RecreatingOptions) {
    this.name = topic
    this.#client = new ClusterClient({ world, name: topic, isGone: (id) => this.#gone.has(id) })
    this.#admin = new Admin(this.#client)
  }

  async start(): Promise<void> {
    const { world } = this.#client
    this.#running = this.#run().catch((error: unknown) => {
      if (!(error instanceof Violation)) throw error
      world.violated(error)
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
    this.#client.close()
  }

  async verify(): Promise<void> {
    this.#client.note(`${this.#generation} topics, and none saw another's records`)
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#generation += 1
      const id = await this.#create()
      const end = await this.#write()
      await this.#read(end)
      await this.#client.sleep(this.#client.random.below(2000))
      await this.#delete(id)
      this.#gone.add(id)
      this.#client.forget(this.name)
    }
  }

  async #create(): Promise<string> {
    const client = this.#client
    const replicationFactor = Math.min(3, client.world.machines.length)
    for (let tries = 0; ; tries++) {
      // It exists already where a broker is behind: then it is asked for again.
      await this.#admin.createTopic({ name: this.name, partitions: 1, replicationFactor })
      await client.refresh(this.name)
      const id = client.topic(this.name)?.id
      if (id !== undefined) return id
      await client.pause(tries)
    }
  }

  /** Answers where the records end. */
  async #write(): Promise<number> {
    const client = this.#client
    let end = 0
    const producer = new PartitionProducer({
      client,
      topic: this.name,
      index: 0,
      acks: -1,
      inFlightMax: 2,
      version: 13,
      ackTimeoutMs: 2000,
      onSent: () => {},
      onAcknowledged: ({ baseOffset, values }) => {
        end = Math.max(end, baseOffset + values.length)
      },
    })
    const batches = 1 + client.random.below(8)
    for (let i = 0; i < batches; i++) producer.add([`${this.#generation}/${i}`])
    await producer.flush()
    return end
  }

  async #read(end: number): Promise<void> {
    const client = this.#client
    const wanted = `${this.#generation}/`
    const reader = new TopicReader({
      client,
      topic: this.name,
      version: client.random.pick([13, 15, 17]),
      maxBytes: 100_000,
      maxWaitMs: 100,
      sessions: client.random.chance(0.5),
      onRecords: (_, records) => {
        for (const { value, offset } of records) {
          if (value.startsWith(wanted)) continue
          const what = `topic number ${this.#generation} of the name ${this.name} has ${value} at ${offset} of ${this.name}-0`
          throw new Violation(rule, what)
        }
      },
    })
    const running = reader.run()
    const reached = async (): Promise<void> => {
      while (!client.isClosed && (reader.positions[0] ?? 0) < end) await client.sleep(50)
    }
    // It ends before only when it rejects.
    await Promise.race([running, reached()])
    await reader.stop()
  }

  async #delete(topicId: string): Promise<void> {
    const client = this.#client
    for (let tries = 0; ; tries++) {
      try {
        const body = { topics: [{ name: null, topicId }], timeoutMs: 2000 }
        const code = (await client.askAny(deleteTopics, 6, body, 4000)).responses[0]?.errorCode
        // Done now, or by an earlier try. A broker that is behind may not know it yet, and then it is there still.
        const isDone = code === ErrorCode.NONE || code === ErrorCode.UNKNOWN_TOPIC_ID
        if (isDone && !client.world.image.topicsById.has(topicId)) return
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error
      }
      await client.pause(tries)
    }
  }
}
