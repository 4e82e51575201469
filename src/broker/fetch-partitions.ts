// The partitions of one request or session, each once, in the order in which a fetch reads them.
//
// A client without a session names all of them each time. So they are found by topic and index, without a key made of both.

import type { FetchRequest } from '../protocol/apis/fetch.ts'
import { FetchPartition, type TopicKey } from './fetch-partition.ts'

const nobody = (): void => {}

export class FetchPartitions {
  readonly topicKey: TopicKey
  readonly #order = new Set<FetchPartition>()
  readonly #byTopic = new Map<string, Map<number, FetchPartition>>()

  constructor(topicKey: TopicKey) {
    this.topicKey = topicKey
  }

  get size(): number {
    return this.#order.size
  }

  values(): Iterable<FetchPartition> {
    return this.#order.values()
  }

  get first(): FetchPartition | null {
    for (const first of this.#order) return first
    return null
  }

  /** Adds or updates what the request lists, and hands it to `taken`. */
  take(topics: FetchRequest['topics'], taken: (partition: FetchPartition) => void = nobody): void {
    for (const { topic, topicId, partitions } of topics) {
      if (partitions.length === 0) continue
      const name = this.topicKey === 'name' ? topic : topicId
      let ofTopic = this.#byTopic.get(name)
      if (ofTopic === undefined) this.#byTopic.set(name, (ofTopic = new Map()))
      for (const requested of partitions) {
        const index = requested.partition
        let partition = ofTopic.get(index)
        if (partition === undefined) {
          partition = new FetchPartition(topic, topicId, index, this.topicKey)
          ofTopic.set(index, partition)
          this.#order.add(partition)
        }
        partition.take(requested)
        taken(partition)
      }
    }
  }

  /** Removes what the request lists, and hands it to `gone`. */
  forget(topics: FetchRequest['forgottenTopicsData'], gone: (partition: FetchPartition) => void = nobody): void {
    for (const { topic, topicId, partitions } of topics) {
      const name = this.topicKey === 'name' ? topic : topicId
      const ofTopic = this.#byTopic.get(name)
      if (ofTopic === undefined) continue
      for (const index of partitions) {
        const partition = ofTopic.get(index)
        if (partition === undefined) continue
        ofTopic.delete(index)
        this.#order.delete(partition)
        gone(partition)
      }
      if (ofTopic.size === 0) this.#byTopic.delete(name)
    }
  }

  /** It comes after all others from now on. False when it was forgotten meanwhile. */
  moveLast(partition: FetchPartition): boolean {
    if (!this.#order.delete(partition)) return false
    this.#order.add(partition)
    return true
  }
}
