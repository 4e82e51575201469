// A producer that sends what is due, in as large batches as are due: as Kafka's producers, it gathers while its requests are under way.

import { SlabArena } from '../../src/lib/slab-arena.ts'
import { slabOf } from '../../src/lib/slab.ts'
import { type BuiltBatch, batchOf, batchOfRecords } from './batches.ts'
import { Connection, type Receiver } from './connection.ts'
import { FrameScanner } from './frame-scanner.ts'
import type { Measurement } from './measurement.ts'
import { type PartitionBatch, ProduceAnswers, ProduceRequest } from './produce-request.ts'
import { dealtTo } from './schedule.ts'

/** max.in.flight.requests.per.connection and max.request.size of Kafka's producers. */
const inFlightMax = 5
const requestBytesMax = 1024 * 1024
/** Up to here there is a batch of every size; beyond, sizes double. */
const everySizeUpTo = 64

/** One batch for each number of records that may be due, as far as that is reasonable. */
export class BatchesBySize {
  readonly #batches: BuiltBatch[] = []
  readonly #recordsMax: number

  constructor(recordBytes: number) {
    this.#recordsMax = batchOf({ recordBytes, batchBytes: requestBytesMax }).records
    const every = Math.min(everySizeUpTo, this.#recordsMax)
    for (let size = 1; size <= every; size += 1) this.#add(size, recordBytes)
    for (let size = 2 * every; size < this.#recordsMax; size *= 2) this.#add(size, recordBytes)
    if (this.#recordsMax > every) this.#add(this.#recordsMax, recordBytes)
  }

  /** The largest batch of at most so many records, at least one. */
  ofAtMost(records: number): BuiltBatch {
    let size = Math.min(records, this.#recordsMax)
    while (this.#batches[size] === undefined) size -= 1
    return this.#batches[size]!
  }

  #add(size: number, recordBytes: number): void {
    this.#batches[size] = batchOfRecords(size, recordBytes)
  }
}

export interface PacedShape {
  readonly topic: string
  readonly acks: number
  /** Of the topic: record `n` of all goes to partition `n % partitions`. */
  readonly partitions: number
  /** Those that this producer's broker leads. */
  readonly led: readonly number[]
  readonly batches: BatchesBySize
  readonly measurement: Measurement
}

export class PacedProducer implements Receiver {
  readonly #shape: PacedShape
  readonly #frames = new FrameScanner((bytes, from, end) => this.#answered(bytes, from, end))
  readonly #answers: ProduceAnswers
  readonly #underWay: ProduceRequest[] = []
  /** Of requests under way. Fresh memory for each would keep the collector busy, and its pauses would count as the broker's latency. */
  readonly #memory = new SlabArena({ slabBytes: 1024 * 1024, spareMax: 4, heldMax: 16 })
  /** Records, by partition. */
  readonly #sent: Float64Array
  #due = 0
  #connection!: Connection

  private constructor(shape: PacedShape) {
    this.#shape = shape
    this.#answers = new ProduceAnswers(shape.topic)
    this.#sent = new Float64Array(shape.partitions)
  }

  static async connect(address: string, shape: PacedShape): Promise<PacedProducer> {
    const producer = new PacedProducer(shape)
    producer.#connection = await Connection.open(address, producer, shape.measurement)
    return producer
  }

  /** `due`: how many records of the topic are due until now, since the load began. */
  sendDue(due: number): void {
    this.#due = due
    while (this.#hasRoom()) {
      const batches = this.#gathered()
      if (batches.length === 0) return
      const { topic, acks, measurement } = this.#shape
      const request = new ProduceRequest({ topic, acks }, batches, acks === 0 ? undefined : this.#take)
      this.#connection.send(request.frame)
      if (acks === 0) measurement.produced.add(request.records, request.bytes, 1)
      else this.#underWay.push(request)
    }
  }

  receive(bytes: Uint8Array, end: number): void {
    this.#frames.receive(bytes, end)
  }

  readonly #take = (size: number): Uint8Array => this.#memory.take(size)

  #hasRoom(): boolean {
    return this.#underWay.length < inFlightMax && this.#connection.socket.writableLength < inFlightMax * requestBytesMax
  }

  #gathered(): PartitionBatch[] {
    const { led, partitions, batches } = this.#shape
    const gathered: PartitionBatch[] = []
    let room = requestBytesMax
    for (const partition of led) {
      const due = dealtTo(partition, partitions, this.#due) - this.#sent[partition]!
      if (due === 0) continue
      const batch = batches.ofAtMost(due)
      room -= batch.bytes.length
      if (room < 0 && gathered.length > 0) break
      this.#sent[partition]! += batch.records
      gathered.push({ partition, batch })
    }
    return gathered
  }

  #answered(bytes: Uint8Array, from: number, end: number): void {
    const request = this.#underWay.shift()!
    for (const chunk of request.frame) slabOf(chunk)?.release()
    this.#answers.check(bytes, from, end, request.partitions)
    this.#shape.measurement.produced.add(request.records, request.bytes, 1)
    this.sendDue(this.#due)
  }
}
