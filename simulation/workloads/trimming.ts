// Records are written and deleted from the front (DeleteRecords, KIP-107): a start that was confirmed stays, whoever leads.

import { deleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import { Admin } from '../clients/admin.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import { Disconnected } from '../clients/connection.ts'
import { offsetOf } from '../clients/list-offsets.ts'
import { PartitionProducer } from '../clients/partition-producer.ts'
import { type Workload, Violation, type World } from '../contracts.ts'

export interface TrimmingOptions {
  readonly world: World
  readonly topic: string
}

export class Trimming implements Workload {
  readonly name: string
  readonly #client: ClusterClient
  /** Acknowledged below it. */
  #end: Offset = 0
  /** Deleted below it, and confirmed. */
  #start: Offset = 0
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor({ world, topic }: TrimmingOptions) {
    this.name = topic
    this.#client = new ClusterClient({ world, name: topic })
  }

  async start(): Promise<void> {
    const client = this.#client
    const replicationFactor = Math.min(3, client.world.machines.length)
    await new Admin(client).ensureTopic({ name: this.name, partitions: 1, replicationFactor })
    await client.refresh(this.name)
    this.#running = this.#run().catch((error: unknown) => {
      if (!(error instanceof Violation)) throw error
      client.world.violated(error)
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
  }

  async verify(): Promise<void> {
    const client = this.#client
    for (let tries = 0; !(await this.#look()); tries++) {
      await client.pause(tries)
      await client.refresh(this.name)
    }
    client.note(`${this.#end} records, those below ${this.#start} deleted`)
    client.close()
  }

  async #run(): Promise<void> {
    const client = this.#client
    const { random } = client
    const producer = new PartitionProducer({
      client,
      topic: this.name,
      index: 0,
      acks: -1,
      inFlightMax: 1,
      version: 11,
      ackTimeoutMs: 1000,
      onSent: () => {},
      onAcknowledged: ({ baseOffset, values }) => {
        this.#end = Math.max(this.#end, baseOffset + values.length)
      },
    })
    for (let number = 0; !this.#isStopping; number++) {
      await client.sleep(random.below(300))
      producer.add([`${this.name}/${number}`])
      await producer.flush()
      if (random.below(4) === 0) await this.#trim()
      await this.#look()
      if (random.below(10) === 0) await client.refresh(this.name)
    }
  }

  async #trim(): Promise<void> {
    const client = this.#client
    const known = client.partition(this.name, 0)
    if (known === undefined) return
    const wanted = this.#start + client.random.below(this.#end - this.#start + 1)
    const partitions = [{ partitionIndex: 0, offset: BigInt(wanted) }]
    try {
      const body = { topics: [{ name: this.name, partitions }], timeoutMs: 1500 }
      const answer = await client.ask(known.leader, deleteRecords, 2, body)
      const done = answer.topics[0]?.partitions[0]
      if (done?.errorCode !== ErrorCode.NONE) return
      this.#start = Math.max(this.#start, wanted)
      client.note(`${this.name}-0 begins at ${this.#start}, as broker ${known.leader} confirms`)
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
    }
  }

  /** Null of an answer: false. */
  async #look(): Promise<boolean> {
    const confirmed = this.#start
    const start = await offsetOf(this.#client, this.name, 0, 'earliest')
    if (start !== null && start < confirmed) {
      throw new Violation(
        'a log start that was confirmed stays',
        `${this.name}-0 begins at ${start}, and ${confirmed} was confirmed`,
      )
    }
    return start !== null
  }
}
