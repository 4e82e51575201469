// With which partition a fetch without a session begins. In Kafka the first ones of a request may take all of an answer, and clients
// without sessions are to ask in another order each time. Here answers are smaller (answer-size.ts), so who asks in the same order again
// is given turns, which go on after the last partition that gave records. Who does not is served as it asks, for turns on top of its own
// would leave partitions out: of two each second fetch would begin with the same one.

import type { FetchPartitions } from './fetch-partitions.ts'

export class FetchTurns {
  #first = ''
  #turn = 0

  /** How many partitions come before the one with which the answer to this fetch begins. */
  turnOf(partitions: FetchPartitions): number {
    const { first: partition } = partitions
    const first = partition === null ? '' : `${partition.topic}${partition.topicId}-${partition.index}`
    if (first !== this.#first) this.#turn = 0
    this.#first = first
    return this.#turn
  }

  /** Of the next fetch that asks in the same order. */
  set next(turn: number) {
    this.#turn = turn
  }
}
