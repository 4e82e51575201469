// Members of groups that read along while the faults happen, and which offsets each was shown.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Consumer } from 'kafkajs'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { waitFor } from '../support/wait-for.ts'
import { Child } from './child.ts'
import { type Acknowledged, kafkaRun } from './loads.ts'

export abstract class Reader {
  readonly name: string
  readonly #seen = new Map<string, true[]>()

  constructor(name: string) {
    this.name = name
  }

  abstract stop(): Promise<void>

  abstract reads(topic: string): boolean

  /** Resolves when it has been shown all of them. */
  async hasSeen(topic: string, wanted: readonly Acknowledged[], timeoutMs: number): Promise<void> {
    let missing: readonly Acknowledged[] = wanted
    await waitFor(
      `${this.name} to have read everything`,
      () => {
        missing = missing.filter(
          ({ partition, offset }) => offset !== null && this.#of(topic, partition)[offset] !== true,
        )
        return missing.length === 0
      },
      timeoutMs,
    ).catch((cause: unknown) => {
      const shown = missing.slice(0, 3).map((one) => JSON.stringify(one))
      const what = `${this.name} has not read ${missing.length} records of ${topic} in ${timeoutMs} ms`
      throw new Error(`${what}: ${shown.join(' ')}`, { cause })
    })
  }

  protected sees(topic: string, partition: number, from: number, to: number): void {
    const seen = this.#of(topic, partition)
    for (let offset = from; offset <= to; offset++) seen[offset] = true
  }

  #of(topic: string, partition: number): true[] {
    const key = `${topic}-${partition}`
    let seen = this.#seen.get(key)
    if (seen === undefined) {
      seen = []
      this.#seen.set(key, seen)
    }
    return seen
  }
}

export class KafkaJsReader extends Reader {
  readonly #consumer: Consumer
  readonly #topics: readonly string[]
  #stopped = false

  static async start(bootstrap: string, topics: readonly string[]): Promise<KafkaJsReader> {
    const reader = new KafkaJsReader(bootstrap, topics)
    await reader.#consumer.connect()
    await reader.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await reader.#consumer.run({
      eachBatch: async (payload) => {
        const { batch } = payload
        for (const { offset } of batch.messages) {
          reader.sees(batch.topic, batch.partition, Number(offset), Number(offset))
          payload.resolveOffset(offset)
        }
        await payload.heartbeat()
      },
    })
    return reader
  }

  private constructor(bootstrap: string, topics: readonly string[]) {
    super('the group of KafkaJS')
    this.#topics = topics
    const kafka = kafkaJs('', {
      brokers: bootstrap.split(','),
      clientId: 'kafkajs-reader',
      requestTimeout: 3000,
      connectionTimeout: 1000,
    })
    this.#consumer = kafka.consumer({
      groupId: 'kafkajs-readers',
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 20, restartOnFailure: async () => !this.#stopped },
    })
  }

  override reads(topic: string): boolean {
    return this.#topics.includes(topic)
  }

  override async stop(): Promise<void> {
    this.#stopped = true
    await this.#consumer.disconnect()
  }
}

interface Consumed {
  readonly name?: string
  readonly partitions?: readonly {
    readonly topic: string
    readonly partition: number
    readonly minOffset: number
    readonly maxOffset: number
  }[]
}

/** `kafka-verifiable-consumer`, which commits by itself. */
export class JavaReader extends Reader {
  readonly #topic: string
  readonly #process: Child

  static async start(bootstrap: string, topic: string, folder: string): Promise<JavaReader> {
    const settings = join(folder, 'java-consumer.properties')
    await writeFile(settings, 'request.timeout.ms=5000\n')
    const group = ['--group-id', 'java-readers', '--reset-policy', 'earliest', '--session-timeout', '6000']
    const target = ['--bootstrap-server', bootstrap, '--topic', topic, '--command-config', settings]
    return new JavaReader(topic, [kafkaRun, 'verifiable-consumer', ...target, ...group])
  }

  private constructor(topic: string, command: readonly string[]) {
    super("the group of Kafka's verifiable consumer")
    this.#topic = topic
    this.#process = new Child(this.name, command, { onLine: (line) => this.#event(line) })
  }

  override reads(topic: string): boolean {
    return topic === this.#topic
  }

  override async stop(): Promise<void> {
    await this.#process.end('SIGTERM')
  }

  #event(line: string): void {
    if (!line.startsWith('{')) return
    const { name, partitions = [] } = JSON.parse(line) as Consumed
    if (name !== 'records_consumed') return
    for (const { topic, partition, minOffset, maxOffset } of partitions) {
      this.sees(topic, partition, minOffset, maxOffset)
    }
  }
}
