// Images of a cluster for tests: topics in a few words, and the changes that lead from one image to the next.

import type { ClusterImage, ImageChange, PartitionImage, TopicImage } from '../cluster/image.ts'

export interface TopicSketch {
  readonly name: string
  /** base64url, 22 characters; by default made of the name. */
  readonly id?: string
  readonly partitions?: number
  readonly internal?: boolean
  readonly leader?: number
  readonly leaderEpoch?: number
  readonly replicas?: readonly number[]
  readonly isr?: readonly number[]
  readonly configs?: Readonly<Record<string, string>>
}

/** The broker that tests are about. */
export const thisBroker = 1

export const emptyImage: ClusterImage = imageOf([])

export function imageOf(sketches: readonly TopicSketch[], revision = 0): ClusterImage {
  const topics = sketches.map((sketch) => topicOf(sketch, revision))
  return {
    revision,
    clusterId: 'test',
    controllerId: thisBroker,
    brokers: new Map(
      [thisBroker, 2].map((id) => [
        id,
        { id, epoch: 1, endpoints: [], rack: id === 2 ? 'rack-b' : null, directoryId: `folder-${id}`, leaving: false },
      ]),
    ),
    knownBrokers: new Map(),
    topicsByName: new Map(topics.map((topic) => [topic.name, topic])),
    topicsById: new Map(topics.map((topic) => [topic.id, topic])),
    configs: new Map(),
  }
}

/** Names every topic of both images. */
export function changeBetween(before: ClusterImage, after: ClusterImage): ImageChange {
  return { before, after, topicIds: new Set([...before.topicsById.keys(), ...after.topicsById.keys()]) }
}

export function idOf(name: string): string {
  return Buffer.from(name.padEnd(16, '.').slice(0, 16)).toString('base64url')
}

function topicOf(sketch: TopicSketch, revision: number): TopicImage {
  const replicas = sketch.replicas ?? [thisBroker]
  const partitions: PartitionImage[] = []
  for (let index = 0; index < (sketch.partitions ?? 1); index++) {
    partitions.push({
      index,
      replicas,
      isr: sketch.isr ?? replicas,
      leader: sketch.leader ?? thisBroker,
      leaderEpoch: sketch.leaderEpoch ?? 0,
      partitionEpoch: 0,
      revision,
      adding: [],
      removing: [],
      failed: [],
    })
  }
  return {
    name: sketch.name,
    id: sketch.id ?? idOf(sketch.name),
    internal: sketch.internal ?? false,
    partitions,
    configs: new Map(Object.entries(sketch.configs ?? {})),
  }
}
