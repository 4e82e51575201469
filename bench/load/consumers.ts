// Consumers that do the least a consumer can do: one Fetch under way on each connection, the batches' headers looked at to know where to
// go on.

import { Connection, type Receiver } from './connection.ts'
import { FetchRequest } from './fetch-request.ts'
import { type FetchHandler, FetchScanner } from './fetch-scanner.ts'
import type { TopicShape } from './load.ts'
import type { Measurement } from './measurement.ts'
import { leadersOf } from './topics.ts'

/** max.partition.fetch.bytes of Kafka's consumers. */
const partitionBytesDefault = 1024 * 1024

export interface ConsumersShape extends TopicShape {
  /** Each takes every so-manyth partition; when there are more of them than partitions, some read the same. */
  readonly consumers: number
  readonly partitionBytes?: number
  /** By partition: where reading begins. */
  readonly from: readonly number[]
  /** By partition: where it ends, or begins again while passes are left. Without it reading goes on at the end. */
  readonly to?: readonly number[]
  /** Default 1. */
  readonly passes?: number
  /** Told of every batch that has come. */
  readonly onBatch?: (partition: number, baseOffset: number, lastOffset: number) => void
}

export class Consumers {
  readonly #measurement: Measurement
  readonly #consumers: Consumer[]

  private constructor(measurement: Measurement, consumers: Consumer[]) {
    this.#measurement = measurement
    this.#consumers = consumers
  }

  static async connect(shape: ConsumersShape, measurement: Measurement): Promise<Consumers> {
    const leaders = await leadersOf(shape)
    const consumers: Consumer[] = []
    for (let index = 0; index < shape.consumers; index += 1) {
      const isOwn = (partition: number): boolean =>
        shape.consumers <= shape.partitions
          ? partition % shape.consumers === index
          : partition === index % shape.partitions
      for (const [address, led] of leaders) {
        const own = led.filter(isOwn)
        if (own.length > 0) consumers.push(await Consumer.connect(address, shape, own, measurement))
      }
    }
    return new Consumers(measurement, consumers)
  }

  start(): void {
    for (const consumer of this.#consumers) consumer.start()
  }

  /** Resolves when all have read to the end, as often as they should. */
  async finished(): Promise<void> {
    await this.#measurement.untilFailed(Promise.all(this.#consumers.map(async (consumer) => consumer.finished)))
  }

  /** Fetches no more and waits for the answers that are under way. */
  async stop(): Promise<void> {
    for (const consumer of this.#consumers) consumer.stop()
    await this.finished()
  }
}

class Consumer implements Receiver, FetchHandler {
  readonly #shape: ConsumersShape
  readonly #measurement: Measurement
  readonly #scanner = new FetchScanner(this)
  readonly #finished = Promise.withResolvers<void>()
  /** By partition. */
  readonly #nextOffset: Float64Array
  readonly #passesLeft: Float64Array
  #connection!: Connection
  /** Those that the request asks for; some of them may have been read to the end. */
  #partitions: readonly number[]
  #partitionsLeft: number
  #request!: FetchRequest
  #underWay = false
  #stopped = false

  private constructor(shape: ConsumersShape, partitions: readonly number[], measurement: Measurement) {
    const { from, to, passes = 1 } = shape
    this.#shape = shape
    this.#measurement = measurement
    this.#nextOffset = Float64Array.from(from)
    this.#passesLeft = new Float64Array(shape.partitions).fill(passes)
    this.#partitions = partitions.filter((partition) => to === undefined || to[partition]! > from[partition]!)
    this.#partitionsLeft = this.#partitions.length
    this.#buildRequest()
  }

  static async connect(
    address: string,
    shape: ConsumersShape,
    partitions: readonly number[],
    measurement: Measurement,
  ): Promise<Consumer> {
    const consumer = new Consumer(shape, partitions, measurement)
    consumer.#connection = await Connection.open(address, consumer, measurement)
    return consumer
  }

  get finished(): Promise<void> {
    return this.#finished.promise
  }

  start(): void {
    if (this.#partitionsLeft === 0) this.#finished.resolve()
    else this.#fetch()
  }

  stop(): void {
    this.#stopped = true
    if (!this.#underWay) this.#finished.resolve()
  }

  receive(bytes: Uint8Array, end: number): void {
    this.#scanner.receive(bytes, end)
  }

  onBatch(partition: number, baseOffset: number, lastOffset: number, records: number, bytes: number): void {
    const end = this.#endOf(partition)
    if (lastOffset < this.#nextOffset[partition]! || this.#nextOffset[partition]! >= end) return
    this.#measurement.consumed.add(records, bytes, 0)
    this.#nextOffset[partition] = lastOffset + 1
    this.#shape.onBatch?.(partition, baseOffset, lastOffset)
    if (lastOffset + 1 < end) return
    this.#passesLeft[partition]! -= 1
    if (this.#passesLeft[partition] === 0) this.#partitionsLeft -= 1
  }

  onResponse(): void {
    this.#measurement.consumed.requests += 1
    this.#underWay = false
    if (this.#stopped || this.#partitionsLeft === 0) {
      this.#finished.resolve()
      return
    }
    if (this.#partitionsLeft * 2 <= this.#partitions.length) {
      this.#partitions = this.#partitions.filter((partition) => this.#passesLeft[partition]! > 0)
      this.#buildRequest()
    }
    this.#fetch()
  }

  #endOf(partition: number): number {
    return this.#shape.to?.[partition] ?? Infinity
  }

  #buildRequest(): void {
    const { topic, partitionBytes = partitionBytesDefault } = this.#shape
    this.#request = new FetchRequest({ topic, partitions: this.#partitions, partitionBytes })
  }

  #fetch(): void {
    for (let index = 0; index < this.#partitions.length; index += 1) {
      const partition = this.#partitions[index]!
      const read = this.#nextOffset[partition]! >= this.#endOf(partition)
      if (read && this.#passesLeft[partition]! > 0) this.#nextOffset[partition] = this.#shape.from[partition]!
      this.#request.fetchFrom(index, this.#nextOffset[partition]!)
    }
    this.#underWay = true
    this.#connection.send([this.#request.frame])
  }
}
