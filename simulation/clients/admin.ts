// Asks any broker for changes of the cluster. An answer is an error code; null: nobody knows what came of it.

import { alterPartitionReassignments } from '../../src/protocol/apis/alter-partition-reassignments.ts'
import { createPartitions } from '../../src/protocol/apis/create-partitions.ts'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { deleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { electLeaders } from '../../src/protocol/apis/elect-leaders.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import type { ClusterClient } from './cluster-client.ts'
import { Disconnected } from './connection.ts'

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  /** By Kafka's names. */
  readonly configs?: Readonly<Record<string, string>>
}

const timeoutMs = 2000
/** Brokers wait for what they decided to be seen. */
const patienceMs = 4000

export class Admin {
  readonly #client: ClusterClient

  constructor(client: ClusterClient) {
    this.#client = client
  }

  createTopic({ name, partitions, replicationFactor, configs = {} }: NewTopic): Promise<ErrorCode | null> {
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const topics = [{ name, numPartitions: partitions, replicationFactor, assignments: [], configs: entries }]
    return this.#known(`create ${name}`, async () => {
      const answer = await this.#client.askAny(createTopics, 7, { topics, timeoutMs }, patienceMs)
      return answer.topics[0]?.errorCode
    })
  }

  /** Tries until the topic is there, or the client is closed. */
  async ensureTopic(topic: NewTopic): Promise<void> {
    for (let tries = 0; !this.#client.isClosed; tries++) {
      const code = await this.createTopic(topic)
      if (code === ErrorCode.NONE || code === ErrorCode.TOPIC_ALREADY_EXISTS) return
      if (code === ErrorCode.INVALID_CONFIG) throw new Error(`the configs of ${topic.name} are refused`)
      await this.#client.pause(tries)
    }
  }

  deleteTopic(name: string): Promise<ErrorCode | null> {
    return this.#known(`delete ${name}`, async () => {
      const answer = await this.#client.askAny(deleteTopics, 6, { topics: [{ name }], timeoutMs }, patienceMs)
      return answer.responses[0]?.errorCode
    })
  }

  /** To `count` partitions in all. */
  growTopic(name: string, count: number): Promise<ErrorCode | null> {
    return this.#known(`grow ${name} to ${count}`, async () => {
      const topics = [{ name, count, assignments: null }]
      const answer = await this.#client.askAny(createPartitions, 3, { topics, timeoutMs }, patienceMs)
      return answer.results[0]?.errorCode
    })
  }

  /** Null cancels what is under way. */
  reassign(name: string, partitionIndex: number, replicas: readonly number[] | null): Promise<ErrorCode | null> {
    return this.#known(`move ${name}-${partitionIndex} to ${replicas?.join(',') ?? 'where it was'}`, async () => {
      const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
      const answer = await this.#client.askAny(alterPartitionReassignments, 0, { topics, timeoutMs }, patienceMs)
      return answer.responses[0]?.partitions[0]?.errorCode ?? answer.errorCode
    })
  }

  /** The preferred replica leads again, where it can. */
  electPreferred(topic: string, partition: number): Promise<ErrorCode | null> {
    return this.#known(`elect the preferred leader of ${topic}-${partition}`, async () => {
      const topicPartitions = [{ topic, partitions: [partition] }]
      const body = { electionType: 0, topicPartitions, timeoutMs }
      const answer = await this.#client.askAny(electLeaders, 2, body, patienceMs)
      return answer.replicaElectionResults[0]?.partitionResult[0]?.errorCode ?? answer.errorCode
    })
  }

  async #known(what: string, ask: () => Promise<ErrorCode | undefined>): Promise<ErrorCode | null> {
    let code: ErrorCode | null
    try {
      code = (await ask()) ?? ErrorCode.UNKNOWN_SERVER_ERROR
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      code = null
    }
    this.#client.note(`${what}: ${code === null ? 'no answer' : errorName(code)}`)
    return code
  }
}
