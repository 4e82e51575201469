// Producers that go on whatever happens, and what each of them was told: KafkaJS here, and programs of other languages that print a line of
// JSON for every record, as Apache Kafka's verifiable producer does.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Producer } from 'kafkajs'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { pause, waitFor } from '../support/wait-for.ts'
import { Child } from './child.ts'

export const partitionsOfLoad = 3
/** Between two records, so that a small machine has time for the brokers. */
const breathMs = 10
/** Runs a tool of Apache Kafka by its name. */
export const kafkaRun = join(import.meta.dirname, '../../scripts/kafka/run')

export interface Acknowledged {
  readonly partition: number
  /** Null: the producer was told that it is there, and not where: librdkafka, when a later batch was confirmed and its own answer was lost. */
  readonly offset: number | null
  /** Values of a partition count up. */
  readonly value: number
}

export interface LoadTarget {
  readonly bootstrap: string
  readonly topic: string
  /** For files that a program wants. */
  readonly folder: string
}

export abstract class Load {
  readonly name: string
  readonly topic: string
  /** Idempotent: each record is there once, in order. Else at least once. */
  readonly once: boolean
  readonly acknowledged: Acknowledged[] = []
  /** What the producer gave up. */
  readonly errors: string[] = []
  readonly #lastAt: number[] = []
  #longestMs = 0

  constructor(name: string, topic: string, once: boolean) {
    this.name = name
    this.topic = topic
    this.once = once
  }

  /** The last answers have come when this resolves. */
  abstract stop(): Promise<void>

  /** From now on gaps count. */
  watchGaps(): void {
    const now = performance.now()
    for (let partition = 0; partition < partitionsOfLoad; partition++) this.#lastAt[partition] = now
    this.#longestMs = 0
  }

  /** The longest time in which a partition was acknowledged nothing, up to now. */
  get longestGapMs(): number {
    const now = performance.now()
    return Math.max(this.#longestMs, ...this.#lastAt.map((at) => now - at))
  }

  /** Resolves when every partition has been acknowledged something new. */
  async flowing(timeoutMs: number): Promise<void> {
    const from = this.acknowledged.length
    let at = from
    const flowing = new Set<number>()
    await waitFor(
      `${this.name} to be acknowledged something in every partition`,
      () => {
        for (; at < this.acknowledged.length; at++) flowing.add(this.acknowledged[at]!.partition)
        return flowing.size === partitionsOfLoad
      },
      timeoutMs,
    ).catch((cause: unknown) => {
      const said = this.errors.at(-1) ?? 'no error'
      throw new Error(`${this.name}: after ${timeoutMs} ms only partitions [${[...flowing].join()}]; ${said}`, {
        cause,
      })
    })
  }

  protected take(one: Acknowledged): void {
    const now = performance.now()
    this.#longestMs = Math.max(this.#longestMs, now - (this.#lastAt[one.partition] ?? now))
    this.#lastAt[one.partition] = now
    this.acknowledged.push(one)
  }
}

/** KafkaJS, a producer for each partition; each record soon after the one before is acknowledged. */
export class KafkaJsLoad extends Load {
  readonly #done: Promise<unknown>
  #stopped = false

  constructor(name: string, { bootstrap, topic }: LoadTarget, idempotent: boolean) {
    super(name, topic, idempotent)
    const kafka = kafkaJs('', {
      brokers: bootstrap.split(','),
      clientId: name,
      requestTimeout: 3000,
      connectionTimeout: 1000,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000_000 },
    })
    const runs = Array.from({ length: partitionsOfLoad }, (_, partition) => {
      return this.#run(kafka.producer({ idempotent, maxInFlightRequests: 1, allowAutoTopicCreation: false }), partition)
    })
    this.#done = Promise.all(runs)
  }

  override async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
  }

  async #run(producer: Producer, partition: number): Promise<void> {
    try {
      await producer.connect()
      for (let value = 0; !this.#stopped; value++) {
        const messages = [{ partition, value: String(value) }]
        const [answer] = await producer.send({ topic: this.topic, acks: -1, messages })
        this.take({ partition, offset: Number(answer!.baseOffset), value })
        await pause(breathMs)
      }
      await producer.disconnect()
    } catch (error) {
      this.errors.push(String(error))
    }
  }
}

interface Event {
  readonly name?: string
  readonly partition?: number
  readonly offset?: number | null
  readonly value?: string
  readonly exception?: string
  readonly message?: string
}

/** A program that prints an event for each record. */
export class ProgramLoad extends Load {
  readonly #process: Child
  #stopped = false

  constructor(name: string, topic: string, command: readonly string[]) {
    super(name, topic, true)
    this.#process = new Child(name, command, {
      onLine: (line) => {
        if (line.startsWith('{')) this.#event(JSON.parse(line) as Event)
      },
      onEnd: (how) => {
        if (!this.#stopped) this.errors.push(`the program ended by itself: ${how}`)
      },
    })
  }

  override async stop(): Promise<void> {
    this.#stopped = true
    await this.#process.end('SIGTERM')
  }

  #event({ name, partition, offset, value, exception, message }: Event): void {
    if (name === 'producer_send_success') {
      this.take({ partition: partition!, offset: offset!, value: Number(value) })
    } else if (name === 'producer_send_error') {
      this.errors.push(`${value}: ${exception ?? ''} ${message ?? ''}`)
    }
  }
}

/** `kafka-verifiable-producer` with the Java producer's own defaults, but for a request that is given up sooner. */
export async function javaLoad({ bootstrap, topic, folder }: LoadTarget, perSecond: number): Promise<Load> {
  const settings = join(folder, 'java-producer.properties')
  await writeFile(settings, 'retries=2147483647\nenable.idempotence=true\nrequest.timeout.ms=5000\n')
  const target = ['--bootstrap-server', bootstrap, '--topic', topic]
  const how = [
    '--acks',
    '-1',
    '--throughput',
    String(perSecond),
    '--repeating-keys',
    '30',
    '--command-config',
    settings,
  ]
  return new ProgramLoad('java', topic, [kafkaRun, 'verifiable-producer', ...target, ...how])
}

/** A program of the `peers` folder: `PROGRAM BOOTSTRAP TOPIC PARTITIONS PER-SECOND`. */
export function peerLoad(
  name: string,
  command: readonly string[],
  { bootstrap, topic }: LoadTarget,
  perSecond: number,
): Load {
  return new ProgramLoad(name, topic, [...command, bootstrap, topic, String(partitionsOfLoad), String(perSecond)])
}
