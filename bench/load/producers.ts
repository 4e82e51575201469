// Producers that send as fast as they are answered: a fixed number of requests is under way on each connection, and an answer sends the
// next one.

import { Connection, type Receiver } from './connection.ts'
import { batchOf } from './batches.ts'
import { FrameScanner } from './frame-scanner.ts'
import type { BatchShape, Produce, TopicShape } from './load.ts'
import type { Measurement } from './measurement.ts'
import { ProduceAnswers, ProduceRequest } from './produce-request.ts'
import { endOffsets, leadersOf, settled } from './topics.ts'

/** max.request.size of Kafka's producers. */
const requestBytesMax = 1024 * 1024
const connectionsDefault = 16
const inFlightDefault = 5
/** What may wait in this process for the kernel to take it, with acks=0. */
const unsentBytesMax = 1024 * 1024
const unsentRequestsMax = 256

export type ProducersShape = TopicShape &
  BatchShape &
  Pick<Produce, 'acks' | 'inFlight' | 'partitionsPerRequest' | 'connections'>

export class Producers {
  readonly #shape: ProducersShape
  readonly #measurement: Measurement
  readonly #producers: Producer[]
  #endBefore: readonly number[] = []

  private constructor(shape: ProducersShape, measurement: Measurement, producers: Producer[]) {
    this.#shape = shape
    this.#measurement = measurement
    this.#producers = producers
  }

  static async connect(shape: ProducersShape, measurement: Measurement): Promise<Producers> {
    const { topic, acks, inFlight = inFlightDefault } = shape
    const batch = batchOf(shape)
    const perRequest = shape.partitionsPerRequest ?? Math.max(1, Math.floor(requestBytesMax / batch.bytes.length))
    const leaders = await leadersOf(shape)
    const connectionsEach = Math.max(1, Math.floor((shape.connections ?? connectionsDefault) / leaders.size))
    const producers: Producer[] = []
    for (const [address, partitions] of leaders) {
      const batches = partitions.map((partition) => ({ partition, batch }))
      const requests: ProduceRequest[] = []
      for (let at = 0; at < batches.length; at += perRequest) {
        requests.push(new ProduceRequest({ topic, acks }, batches.slice(at, at + perRequest)))
      }
      for (let index = 0; index < Math.min(connectionsEach, requests.length); index += 1) {
        const own = requests.filter((_, at) => at % connectionsEach === index)
        producers.push(await Producer.connect(address, { topic, acks, inFlight, requests: own, measurement }))
      }
    }
    return new Producers(shape, measurement, producers)
  }

  /** `rounds`: how often each partition gets a batch; without end unless given. */
  async start(rounds = Infinity): Promise<void> {
    if (this.#shape.acks === 0) this.#endBefore = await endOffsets(this.#shape)
    for (const producer of this.#producers) producer.start(rounds)
  }

  /** Resolves when all that `start` was asked for has been answered. */
  async finished(): Promise<void> {
    await this.#measurement.untilFailed(Promise.all(this.#producers.map(async (producer) => producer.finished)))
    await this.#confirmed()
  }

  /** Sends no more and waits for what is under way. */
  async stop(): Promise<void> {
    for (const producer of this.#producers) producer.stop()
    await this.finished()
  }

  /** With acks=0 nothing is answered; what the kernel took must be in the log in the end, or the figures mean nothing. */
  async #confirmed(): Promise<void> {
    if (this.#shape.acks !== 0) return
    const sent = this.#measurement.produced.records
    await this.#measurement.untilFailed(
      settled(`not all of ${sent} records arrived that were sent with acks=0`, async () => {
        const ends = await endOffsets(this.#shape)
        const arrived = ends.reduce((sum, end, partition) => sum + end - this.#endBefore[partition]!, 0)
        return arrived === sent ? true : null
      }),
    )
  }
}

interface ProducerShape {
  readonly topic: string
  readonly acks: number
  readonly inFlight: number
  /** Sent in turn. */
  readonly requests: readonly ProduceRequest[]
  readonly measurement: Measurement
}

class Producer implements Receiver {
  readonly #shape: ProducerShape
  readonly #frames = new FrameScanner((bytes, from, end) => this.#answered(bytes, from, end))
  readonly #answers: ProduceAnswers
  readonly #finished = Promise.withResolvers<void>()
  #connection!: Connection
  #left = 0
  #sent = 0
  #answeredRequests = 0

  private constructor(shape: ProducerShape) {
    this.#shape = shape
    this.#answers = new ProduceAnswers(shape.topic)
  }

  static async connect(address: string, shape: ProducerShape): Promise<Producer> {
    const producer = new Producer(shape)
    producer.#connection = await Connection.open(address, producer, shape.measurement)
    return producer
  }

  get finished(): Promise<void> {
    return this.#finished.promise
  }

  start(rounds: number): void {
    this.#left = rounds * this.#shape.requests.length
    if (this.#shape.acks === 0) {
      this.#sendUnanswered()
    } else {
      this.#connection.socket.cork()
      while (this.#left > 0 && this.#sent < this.#shape.inFlight) this.#send()
      this.#connection.socket.uncork()
    }
  }

  stop(): void {
    this.#left = 0
    this.#finishWhenDone()
  }

  receive(bytes: Uint8Array, end: number): void {
    this.#frames.receive(bytes, end)
  }

  #request(number: number): ProduceRequest {
    const { requests } = this.#shape
    return requests[number % requests.length]!
  }

  #send(): void {
    this.#connection.send(this.#request(this.#sent).frame)
    this.#sent += 1
    this.#left -= 1
  }

  #answered(bytes: Uint8Array, from: number, end: number): void {
    const request = this.#request(this.#answeredRequests)
    this.#answers.check(bytes, from, end, request.partitions)
    this.#count(request)
    if (this.#left > 0) this.#send()
    else this.#finishWhenDone()
  }

  #count(request: ProduceRequest): void {
    this.#answeredRequests += 1
    this.#shape.measurement.produced.add(request.records, request.bytes, 1)
  }

  /** With acks=0 a request counts when the kernel has taken all of it: what a window can be off by is a socket's buffers. */
  readonly #sendUnanswered = (): void => {
    const { socket } = this.#connection
    socket.cork()
    let room = unsentBytesMax
    const upTo = this.#sent + unsentRequestsMax
    while (this.#left > 0 && room > 0 && this.#sent < upTo) {
      const request = this.#request(this.#sent)
      const last = request.frame.length - 1
      for (let index = 0; index < last; index += 1) socket.write(request.frame[index]!)
      socket.write(request.frame[last]!, this.#written)
      this.#sent += 1
      this.#left -= 1
      room -= request.frameBytes
    }
    socket.uncork()
  }

  readonly #written = (error?: Error | null): void => {
    if (error !== undefined && error !== null) return
    this.#count(this.#request(this.#answeredRequests))
    if (this.#answeredRequests < this.#sent) return
    // Not at once: as long as the kernel takes everything, nothing else would get a turn.
    if (this.#left > 0) setImmediate(this.#sendUnanswered)
    else this.#finishWhenDone()
  }

  #finishWhenDone(): void {
    if (this.#left === 0 && this.#answeredRequests === this.#sent) this.#finished.resolve()
  }
}
