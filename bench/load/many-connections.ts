// Many connections that each send a record now and then, spread evenly in time: what is due next follows from the number of the connection,
// so that one ticker serves all. One that is still waiting when its next record is due sends it with the answer, and its latency counts
// from when it was due.

import { metadata } from '../../src/protocol/apis/metadata.ts'
import { encodeRequest } from '../../src/protocol/frame.ts'
import { batchOfRecords } from './batches.ts'
import { Connection, type Receiver } from './connection.ts'
import { FrameScanner } from './frame-scanner.ts'
import { HandOver } from './hand-over.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import type { LoadResult, ManyConnections } from './load.ts'
import type { Measurement } from './measurement.ts'
import { ProduceAnswers, ProduceRequest } from './produce-request.ts'
import { dealtTo, type Schedule } from './schedule.ts'
import { Ticker } from './ticker.ts'
import { leadersOf } from './topics.ts'
import { clientId, versions } from './versions.ts'

const tickMs = 1
const connectingAtOnce = 20
/** A request that costs a broker little. */
const greeting = encodeRequest(metadata, versions.metadata, { correlationId: 0, clientId }, { topics: [] })

export async function manyConnections(command: ManyConnections, measurement: Measurement): Promise<LoadResult> {
  if (command.acks === 0) throw new Error('with acks=0 there is no answer to measure')
  const latencies = new LatencyHistogram()
  const senders = await connected(command, measurement, latencies)
  const ticker = measurement.owns(await Ticker.start(tickMs))
  const schedule = ticker.schedule(command.connections * command.recordsPerSecondEach)
  const pace = { schedule, handOver: new HandOver(schedule) }
  let handled = 0
  ticker.onTick(() => {
    const due = pace.handOver.upTo(performance.now(), measurement.endMs)
    for (; handled < due; handled += 1) senders[handled % senders.length]!.sendDue(pace, due)
  })
  await measurement.window(command)
  const wanted = schedule.dueBy(measurement.endMs)
  await measurement.untilDone('not all records were answered', () => measurement.produced.requests === wanted)
  return measurement.result(latencies, pace.handOver.lateness)
}

async function connected(
  command: ManyConnections,
  measurement: Measurement,
  latencies: LatencyHistogram,
): Promise<Sender[]> {
  const { topic, acks, partitions, recordBytes, connections } = command
  const batch = batchOfRecords(1, recordBytes)
  const answers = new ProduceAnswers(topic)
  const addresses: string[] = []
  for (const [address, led] of await leadersOf(command)) for (const partition of led) addresses[partition] = address
  const requests = addresses.map((_, partition) => new ProduceRequest({ topic, acks }, [{ partition, batch }]))
  const senders: Sender[] = []
  while (senders.length < connections) {
    const opening: Promise<Sender>[] = []
    for (let number = senders.length; number < connections && opening.length < connectingAtOnce; number += 1) {
      const request = requests[number % partitions]!
      const shape = { number, connections, request, answers, measurement, latencies }
      opening.push(Sender.connect(addresses[number % partitions]!, shape))
    }
    senders.push(...(await Promise.all(opening)))
  }
  return senders
}

interface Pace {
  readonly schedule: Schedule
  readonly handOver: HandOver
}

interface SenderShape {
  /** Among all of the `connections`; its records are those whose number leaves this when divided by them. */
  readonly number: number
  readonly connections: number
  readonly request: ProduceRequest
  readonly answers: ProduceAnswers
  readonly measurement: Measurement
  readonly latencies: LatencyHistogram
}

class Sender implements Receiver {
  readonly #shape: SenderShape
  readonly #frames = new FrameScanner((bytes, from, end) => this.#answered(bytes, from, end))
  #connection!: Connection
  #pace!: Pace
  #sent = 0
  #due = 0
  #waiting = false
  /** Set until the broker has answered the first request, which is no Produce. */
  #greeted: (() => void) | null = null

  private constructor(shape: SenderShape) {
    this.#shape = shape
  }

  /**
   * Returns when the broker has answered on the connection, and so has accepted it: one too many in the listener's queue (Kafka's holds 50,
   * socket.listen.backlog.size) would try again a second later.
   */
  static async connect(address: string, shape: SenderShape): Promise<Sender> {
    const sender = new Sender(shape)
    sender.#connection = await Connection.open(address, sender, shape.measurement)
    const greeted = new Promise<void>((resolve) => (sender.#greeted = resolve))
    sender.#connection.send(greeting)
    await shape.measurement.untilFailed(greeted)
    return sender
  }

  /** `due`: how many records of all connections were due until now. */
  sendDue(pace: Pace, due: number): void {
    this.#pace = pace
    this.#due = dealtTo(this.#shape.number, this.#shape.connections, due)
    if (!this.#waiting) this.#send()
  }

  receive(bytes: Uint8Array, end: number): void {
    this.#frames.receive(bytes, end)
  }

  #send(): void {
    if (this.#sent === this.#due) return
    this.#connection.send(this.#shape.request.frame)
    this.#waiting = true
  }

  #answered(bytes: Uint8Array, from: number, end: number): void {
    if (this.#greeted !== null) {
      this.#greeted()
      this.#greeted = null
      return
    }
    const { number, connections, request, answers, measurement, latencies } = this.#shape
    answers.check(bytes, from, end, request.partitions)
    measurement.produced.add(request.records, request.bytes, 1)
    const { schedule, handOver } = this.#pace
    const record = this.#sent * connections + number
    if (measurement.windowHas(schedule.dueMs(record))) latencies.record(performance.now() - handOver.handedMs(record))
    this.#sent += 1
    this.#waiting = false
    this.#send()
  }
}
