// KafkaJS as the tests use it: quiet, with all four codecs, and a member of a group that keeps what it saw.

import type { TestContext } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import type { Consumer, ConsumerConfig, ConsumerRunConfig, Kafka, KafkaConfig, KafkaMessage } from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as compressSnappy, uncompress as uncompressSnappy } from 'snappy'
import { waitFor, within } from './wait-for.ts'

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'

export const { CompressionTypes, ConfigResourceTypes, ConfigSource } = kafkajs

/** KafkaJS brings gzip and asks for the others to be registered. `encode` gets its Encoder, whose bytes are in `buffer`. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}
const registry = kafkajs.CompressionCodecs as unknown as Record<number, () => Codec>

const xerialHeader = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])

/** Snappy as Java reads and writes it: a header, then blocks that say their length. Other clients write one bare block. */
registry[CompressionTypes.Snappy] = () => ({
  async compress({ buffer }) {
    const block = await compressSnappy(buffer)
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    return Buffer.concat([xerialHeader, length, block])
  },
  async decompress(bytes) {
    if (!bytes.subarray(0, 8).equals(xerialHeader.subarray(0, 8))) return (await uncompressSnappy(bytes)) as Buffer
    const blocks: Buffer[] = []
    for (let at = xerialHeader.length; at < bytes.length;) {
      const length = bytes.readInt32BE(at)
      blocks.push((await uncompressSnappy(bytes.subarray(at + 4, at + 4 + length))) as Buffer)
      at += 4 + length
    }
    return Buffer.concat(blocks)
  },
})
registry[CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }) => compressFrame(buffer),
  decompress: async (bytes) => decompressFrame(bytes),
})
registry[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }) => zstdCompressSync(buffer),
  decompress: async (bytes) => zstdDecompressSync(bytes),
})

/** A client that says nothing on the terminal. Its retries are KafkaJS's own defaults unless told otherwise. */
export function kafkaJs(bootstrap: string, options: Partial<KafkaConfig> = {}): Kafka {
  return new kafkajs.Kafka({
    clientId: 'kafkajs-test',
    brokers: [bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    ...options,
  })
}

export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly message: KafkaMessage
}

export interface MemberOptions extends Omit<ConsumerConfig, 'groupId'> {
  readonly groupId: string
  readonly topic: string
  readonly fromBeginning?: boolean
  readonly run?: Omit<ConsumerRunConfig, 'eachMessage' | 'eachBatch'>
  /** Called once the consumer runs: the moment to seek. */
  readonly onRun?: (consumer: Consumer) => void
}

/** A consumer that has joined its group and keeps every message it is given. It leaves when the test ends, if not before. */
export class Member {
  readonly consumer: Consumer
  readonly seen: Seen[] = []
  /** Of the topic, as of the last rebalance. */
  partitions: number[] = []
  /** Fetches answered so far: after one, a consumer "from the end" knows where the end was. */
  fetches = 0

  readonly #onLeave: () => void

  private constructor(consumer: Consumer, onLeave: () => void) {
    this.consumer = consumer
    this.#onLeave = onLeave
  }

  static async join(t: TestContext, kafka: Kafka, options: MemberOptions): Promise<Member> {
    const { topic, fromBeginning = true, run, onRun, retry, ...config } = options
    // A consumer that fails while it leaves would start again, and keep the test's process alive.
    let left = false
    const retryUntilLeft = { ...retry, restartOnFailure: async () => !left }
    const consumer = kafka.consumer({ heartbeatInterval: 100, maxWaitTimeInMs: 100, retry: retryUntilLeft, ...config })
    const member = new Member(consumer, () => {
      left = true
    })
    t.after(() => member.leave())
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning })
    const joined = new Promise<void>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        member.partitions = [...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b)
        resolve()
      })
    })
    consumer.on(consumer.events.FETCH, () => {
      member.fetches += 1
    })
    await consumer.run({
      ...run,
      eachMessage: async ({ partition, message }) => {
        member.seen.push({
          partition,
          offset: Number(message.offset),
          key: message.key?.toString() ?? null,
          value: message.value?.toString() ?? null,
          message,
        })
      },
    })
    onRun?.(consumer)
    await within('KafkaJS to join its group', joined)
    return member
  }

  /** Waits for `count` messages in all. */
  async until(count: number): Promise<Seen[]> {
    await waitFor(`${count} messages, of which there are ${this.seen.length}`, () => this.seen.length >= count)
    return this.seen
  }

  get values(): (string | null)[] {
    return this.seen.map(({ value }) => value)
  }

  async leave(): Promise<void> {
    this.#onLeave()
    await this.consumer.disconnect()
  }
}
