// Partitions under names such as `orders-3`, and grouped by topic as requests have them.

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export function partitionName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

export function placeOf(name: string): { readonly topic: string; readonly partition: number } {
  const dash = name.lastIndexOf('-')
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

/** In the order of names and numbers. */
export function byTopic(names: Iterable<string>): TopicPartitions[] {
  const grouped = Map.groupBy([...names].map(placeOf), ({ topic }) => topic)
  return [...grouped]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([topic, places]) => ({
      topic,
      partitions: places.map(({ partition }) => partition).toSorted((one, other) => one - other),
    }))
}

export function namesOf(topics: Iterable<TopicPartitions>): string[] {
  return [...topics].flatMap(({ topic, partitions }) => partitions.map((partition) => partitionName(topic, partition)))
}
