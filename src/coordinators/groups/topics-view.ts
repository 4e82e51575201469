// Topics as groups see them: what can be subscribed to, how many partitions that is, and where their replicas are.

/** A topic as it is now. */
export interface GroupTopic {
  readonly name: string
  /** base64url. */
  readonly id: string
  readonly partitionCount: number
  /** Racks of the partition's replicas, for those brokers that have one; not sorted, with repetitions. */
  racksOf(partition: number): readonly string[]
}

/** The cluster's topics; each call sees those of that moment. */
export interface TopicsView {
  /** Of the cluster's metadata: grows with each change. */
  readonly revision: number
  byName(name: string): GroupTopic | null
  byId(id: string): GroupTopic | null
  /** Of all topics, the broker's own too. */
  names(): Iterable<string>
}
