// Producers of one kind and readers of what they write: from leaders, and from the nearest replica. The readers read on through every
// fault; at the end they have read everything, and it is held against what the producers were promised.

import { initProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import { Admin } from '../clients/admin.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import { Disconnected } from '../clients/connection.ts'
import { offsetOf } from '../clients/list-offsets.ts'
import { PartitionProducer, type ProducerIdentity } from '../clients/partition-producer.ts'
import { TopicReader } from '../clients/topic-reader.ts'
import { type Workload, Violation, type World } from '../contracts.ts'
import { observerOf } from '../invariants/index.ts'
import { Ledger, type Promised } from './ledger.ts'

export interface ProduceAndReadOptions {
  readonly world: World
  readonly topic: string
  readonly promised: Promised
  readonly partitions: number
  readonly producers: number
  readonly readers: number
  readonly configs?: Readonly<Record<string, string>>
  /** Each producer stops there. */
  readonly recordsMax: number
}

const versionsOfProduce = [9, 11, 12, 13]
const versionsOfFetch = [11, 12, 15, 17, 18]

export class ProduceAndRead implements Workload {
  readonly name: string
  readonly ledgers: readonly Ledger[]
  readonly #options: ProduceAndReadOptions
  readonly #producers: ClusterClient[] = []
  readonly readers: { readonly client: ClusterClient; readonly reader: TopicReader }[] = []
  readonly #running: Promise<void>[] = []
  #isStopping = false

  constructor(options: ProduceAndReadOptions) {
    this.#options = options
    this.name = options.topic
    const { partitions, topic, promised } = options
    this.ledgers = Array.from({ length: partitions }, (_, index) => new Ledger(`${topic}-${index}`, promised))
  }

  async start(): Promise<void> {
    const { world, topic, partitions, configs, producers, readers } = this.#options
    const client = new ClusterClient({ world, name: `${topic}-admin` })
    const replicationFactor = Math.min(3, world.machines.length)
    await new Admin(client).ensureTopic({ name: topic, partitions, replicationFactor, ...(configs && { configs }) })
    client.close()
    for (let i = 1; i <= producers; i++) this.#begin(this.#produce(`${topic}-producer-${i}`))
    for (let i = 1; i <= readers; i++) this.#begin(this.#read(`${topic}-reader-${i}`, i > 1))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#running.slice(0, this.#options.producers))
    for (const client of this.#producers) client.close()
  }

  /** What was sent with acks=0 may arrive after its producer has stopped: the end is asked for until nothing comes any more. */
  async #allReadTo(index: number, endNow: () => Promise<number>): Promise<void> {
    let end = await endNow()
    for (;;) {
      for (const { client, reader } of this.readers) {
        while ((reader.positions[index] ?? 0) < end) await client.sleep(50)
      }
      const now = await endNow()
      if (now === end) break
      end = now
    }
    for (const { client, reader } of this.readers) {
      if (reader.positions[index] === end) continue
      throw new Violation(
        'the end of a log is the same for all',
        `${client.name} has read ${this.#options.topic}-${index} to ${reader.positions[index]}, its end is ${end}`,
      )
    }
  }

  async verify(): Promise<void> {
    const { world, topic, partitions } = this.#options
    const client = new ClusterClient({ world, name: `${topic}-verifier` })
    for (let index = 0; index < partitions; index++) {
      await this.#allReadTo(index, () => this.#endOf(client, index))
      this.ledgers[index]!.endsIn(client.partition(topic, index)?.leaderEpoch ?? -1)
      this.ledgers[index]!.verify()
    }
    client.close()
    for (const { reader } of this.readers) await reader.stop()
    for (const { client } of this.readers) client.close()
    const { acknowledged, seen, sent } = totals(this.ledgers)
    world.trace.add(
      this.name,
      `${sent} sent, ${acknowledged} acknowledged, ${seen} read by all, and all is as promised`,
    )
  }

  #begin(work: Promise<void>): void {
    const { world } = this.#options
    this.#running.push(
      work.catch((error: unknown) => {
        if (!(error instanceof Violation)) throw error
        world.violated(error)
      }),
    )
  }

  async #produce(name: string): Promise<void> {
    const { world, topic, promised, recordsMax, partitions } = this.#options
    const client = new ClusterClient({ world, name })
    this.#producers.push(client)
    const { random } = client
    const version = random.pick(versionsOfProduce)
    const identity = promised === 'idempotent' ? await identityOf(client) : undefined
    const acks = ({ idempotent: -1, all: -1, one: 1, zero: 0 } as const)[promised]
    await client.refresh(topic)
    const lanes = this.ledgers.map((ledger, index) => ({
      next: 0,
      ledger,
      producer: new PartitionProducer({
        client,
        topic,
        index,
        acks,
        ...(identity !== undefined && { identity }),
        inFlightMax: 1 + random.below(5),
        version,
        ackTimeoutMs: 500 + random.below(2000),
        onSent: (values) => ledger.noteSent(values.length),
        onAcknowledged: (acknowledgement) => {
          const { baseOffset, values } = acknowledgement
          client.note(`${topic}-${index} has from ${baseOffset} on, as was acknowledged: ${values.join(' ')}`)
          if (acks === -1) observerOf(world).acknowledged(topic, index, baseOffset + values.length)
          ledger.noteAcknowledged(acknowledgement)
        },
      }),
    }))
    const paceMs = 5 + random.below(60)
    let left = recordsMax
    const flushing = new Set<Promise<void>>()
    const failures: unknown[] = []
    while (!this.#isStopping && left > 0 && failures.length === 0) {
      const lane = lanes[random.below(partitions)]!
      if (lane.producer.unacknowledged < 10) {
        const count = Math.min(left, 1 + random.below(4))
        left -= count
        lane.producer.add(Array.from({ length: count }, () => Ledger.numbered(name, lane.next++)))
        const flushed = lane.producer.flush().catch((error: unknown) => {
          failures.push(error)
        })
        flushing.add(flushed)
        void flushed.finally(() => flushing.delete(flushed))
      }
      await client.sleep(random.below(paceMs * 2))
      if (acks === 0 && random.below(50) === 0) await client.refresh(topic)
    }
    await Promise.all(flushing)
    if (failures.length > 0) throw failures[0]
  }

  async #read(name: string, nearest: boolean): Promise<void> {
    const { world, topic } = this.#options
    const rack = nearest ? `rack-${1 + world.random(`${name} rack`).below(3)}` : ''
    const client = new ClusterClient({ world, name, rack })
    const highest: number[] = []
    const reader = new TopicReader({
      client,
      topic,
      version: client.random.pick(versionsOfFetch),
      maxBytes: client.random.pick([400, 4000, 1 << 20]),
      maxWaitMs: 50 + client.random.below(400),
      sessions: client.random.chance(0.5),
      onRecords: (index, records) => {
        const position = highest[index] ?? 0
        this.ledgers[index]!.noteRead(name, position, records)
        highest[index] = position + records.length
      },
      onOffsets: (index, { logStartOffset }) => {
        if (logStartOffset === 0 || logStartOffset === -1) return
        throw new Violation('logs keep their start', `${topic}-${index} begins at ${logStartOffset}`)
      },
    })
    this.readers.push({ client, reader })
    await Promise.all([reader.run(), this.#probe({ client, reader })])
  }

  /** Both ends, now and then: no consumer is told that a log ends before what it has read (KIP-207), or begins later than it did. */
  async #probe({ client, reader }: ProduceAndRead['readers'][number]): Promise<void> {
    const { topic, partitions } = this.#options
    while (!client.isClosed) {
      await client.sleep(200 + client.random.below(1500))
      const index = client.random.below(partitions)
      const position = reader.positions[index] ?? 0
      const place = client.random.pick(['earliest', 'latest', 'latest'] as const)
      const offset = await offsetOf(client, topic, index, place)
      if (offset === null) continue
      if (place === 'earliest' ? offset === 0 : offset >= position) continue
      throw new Violation(
        'what consumers have read stays',
        `${client.name} has read ${topic}-${index} to ${position}, and is told that its ${place} offset is ${offset}`,
      )
    }
  }

  async #endOf(client: ClusterClient, index: number): Promise<number> {
    for (let tries = 0; ; tries++) {
      await client.refresh(this.#options.topic)
      const end = await offsetOf(client, this.#options.topic, index, 'latest')
      if (end !== null) return end
      await client.pause(tries)
    }
  }
}

async function identityOf(client: ClusterClient): Promise<ProducerIdentity> {
  for (let tries = 0; ; tries++) {
    try {
      const body = { transactionalId: null, transactionTimeoutMs: 60_000 }
      const { errorCode, producerId, producerEpoch } = await client.askAny(initProducerId, 4, body)
      if (errorCode === ErrorCode.NONE) return { producerId, producerEpoch }
      if (!isRetriable(errorCode)) {
        throw new Violation('a producer is only refused what passes', `InitProducerId: ${errorName(errorCode)}`)
      }
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
    }
    await client.pause(tries)
  }
}

function totals(ledgers: readonly Ledger[]): { sent: number; acknowledged: number; seen: number } {
  let [sent, acknowledged, seen] = [0, 0, 0]
  for (const ledger of ledgers) {
    sent += ledger.sent
    acknowledged += ledger.acknowledged
    seen += ledger.seen
  }
  return { sent, acknowledged, seen }
}
