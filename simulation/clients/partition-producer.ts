// Produces to one partition until every batch is acknowledged, as Kafka's producers do: a batch is tried again after any error that
// passes by itself, and whenever nobody answered. The idempotent one has several batches in flight, and sends them again in their order
// under the sequences they have; what was written the first time is recognised. A plain one may write a batch more than once.

import { produce } from '../../src/protocol/apis/produce.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import type { ResponseOf } from '../../src/protocol/schema/index.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import { Violation } from '../contracts.ts'
import type { ClusterClient } from './cluster-client.ts'
import { Disconnected } from './connection.ts'

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface Acknowledgement {
  readonly baseOffset: Offset
  readonly values: readonly string[]
  /** The newest that the client knew of when it asked: the records are of this leadership, or of one after it that went on from it. */
  readonly leaderEpoch: number
}

export interface PartitionProducerOptions {
  readonly client: ClusterClient
  readonly topic: string
  readonly index: number
  readonly acks: 0 | 1 | -1
  /** Idempotent when given; then `acks` is -1. */
  readonly identity?: ProducerIdentity
  readonly inFlightMax: number
  /** Of Produce. */
  readonly version: number
  /** How long the broker may wait for the others. */
  readonly ackTimeoutMs: number
  readonly onSent: (values: readonly string[]) => void
  readonly onAcknowledged: (acknowledgement: Acknowledgement) => void
}

interface Batch {
  readonly values: readonly string[]
  /** Sequence of the first record. */
  readonly sequence: number
  acknowledged: boolean
}

type Answer = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

export class PartitionProducer {
  readonly #options: PartitionProducerOptions
  /** Not acknowledged, in order. */
  readonly #batches: Batch[] = []
  #nextSequence = 0
  #hasAcknowledged = false
  #flushing: Promise<void> | null = null

  constructor(options: PartitionProducerOptions) {
    this.#options = options
  }

  get unacknowledged(): number {
    return this.#batches.length
  }

  /** What is added goes with the next round. */
  add(values: readonly string[]): void {
    this.#batches.push({ values, sequence: this.#nextSequence, acknowledged: false })
    this.#nextSequence += values.length
  }

  /** Resolves when all that was added is acknowledged. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null
    })
    return this.#flushing
  }

  async #flush(): Promise<void> {
    const { client, topic } = this.#options
    let inVain = 0
    while (this.#batches.length > 0 && !client.isClosed) {
      const before = this.#batches.length
      const wait = await this.#round()
      inVain = this.#batches.length < before ? 0 : inVain + 1
      if (wait && this.#batches.length > 0) {
        await client.pause(inVain)
        await client.refresh(topic)
      }
    }
  }

  /** Sends the oldest batches and takes the answers. True when the next round had better wait. */
  async #round(): Promise<boolean> {
    const { client, topic, index, acks, inFlightMax, version, identity } = this.#options
    const known = client.partition(topic, index)
    const id = client.topic(topic)?.id
    if (known === undefined || id === undefined) return true
    const { leaderEpoch } = known
    // A broker takes any sequence from a producer it does not know: the first batch must be there before the second comes.
    const inFlight = identity !== undefined && !this.#hasAcknowledged ? 1 : inFlightMax
    const window = this.#batches.slice(0, inFlight).filter(({ acknowledged }) => !acknowledged)
    try {
      const connection = client.connectionTo(known.leader)
      const requests = window.map((batch) => {
        this.#options.onSent(batch.values)
        const topicData = [
          {
            ...(version >= 13 ? { topicId: id } : { name: topic }),
            partitionData: [{ index, records: [this.#bytesOf(batch)] }],
          },
        ]
        const request = { transactionalId: null, acks, timeoutMs: this.#options.ackTimeoutMs, topicData }
        return request
      })
      if (acks === 0) {
        for (const request of requests) connection.tell(produce, version, request)
        this.#batches.splice(0, window.length)
        return !connection.isOpen
      }
      const answers = await Promise.allSettled(requests.map((request) => connection.ask(produce, version, request)))
      let wait = false
      for (const [i, settled] of answers.entries()) {
        if (settled.status === 'rejected') {
          if (!(settled.reason instanceof Disconnected)) throw settled.reason
          wait = true
        } else if (!this.#take(window[i]!, leaderEpoch, settled.value)) wait = true
      }
      while (this.#batches[0]?.acknowledged === true) this.#batches.shift()
      return wait
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      return true
    }
  }

  /** False when it has to be sent again, later. */
  #take(batch: Batch, leaderEpoch: number, { responses, nodeEndpoints }: ResponseOf<typeof produce>): boolean {
    if (batch.acknowledged) return true
    const { client, topic, index } = this.#options
    const answer = responses[0]?.partitionResponses[0]
    if (answer === undefined)
      throw new Violation('every partition is answered', `${topic}-${index} was not, in Produce`)
    if (answer.errorCode === ErrorCode.NONE) {
      batch.acknowledged = true
      this.#hasAcknowledged = true
      this.#options.onAcknowledged({ baseOffset: answer.baseOffset, values: batch.values, leaderEpoch })
      return true
    }
    const isNews = client.heardOf(topic, index, answer.currentLeader, nodeEndpoints)
    this.#checkRefusal(batch, answer)
    return isNews
  }

  #checkRefusal(batch: Batch, { errorCode, errorMessage }: Answer): void {
    const { client, topic, index, identity } = this.#options
    const word = `${topic}-${index}: ${errorName(errorCode)} ${errorMessage ?? ''}`
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && identity !== undefined) {
      // Those before it were refused, and so was it; but the one after the last that was acknowledged is in order.
      if (this.#batches.find(({ acknowledged }) => !acknowledged) !== batch) return
      throw new Violation(
        'no acknowledged record is lost',
        `${client.name} continues with sequence ${batch.sequence} after what was acknowledged, and is answered ${word}`,
      )
    }
    if (!isRetriable(errorCode)) throw new Violation('a producer is only refused what passes', `${client.name} ${word}`)
  }

  #bytesOf({ values, sequence }: Batch): Uint8Array {
    const { client, identity } = this.#options
    const timestamp = client.world.clock.now()
    return buildBatch(
      values.map((value) => ({ key: client.name, value })),
      { timestamp, ...identity, ...(identity !== undefined && { baseSequence: sequence }) },
    )
  }
}
