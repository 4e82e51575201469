// The cluster's topics as the group coordinator sees them, out of the cluster image.

import type { ClusterImage, ImageChange, TopicImage } from '../cluster/image.ts'
import type { DeletedTopic } from '../coordinators/groups/group-event.ts'
import type { GroupTopic, TopicsView } from '../coordinators/groups/topics-view.ts'

/** Racks of brokers that are down count too: a group need not be assigned anew when a broker starts again. */
export function topicsForGroups(cluster: { readonly image: ClusterImage }): TopicsView {
  const seen = (topic: TopicImage | undefined): GroupTopic | null => {
    if (topic === undefined) return null
    const { name, id, partitions } = topic
    const racksOf = (partition: number) =>
      (partitions[partition]?.replicas ?? []).flatMap((broker) => cluster.image.knownBrokers.get(broker)?.rack ?? [])
    return { name, id, partitionCount: partitions.length, racksOf }
  }
  return {
    get revision() {
      return cluster.image.revision
    },
    byName: (name) => seen(cluster.image.topicsByName.get(name)),
    byId: (id) => seen(cluster.image.topicsById.get(id)),
    names: () => cluster.image.topicsByName.keys(),
  }
}

/** `changed`: names of topics that are new, gone, or have other partitions or replicas; `deleted`: those of them that are gone. */
export function topicsChangedForGroups({ before, after, topicIds }: ImageChange): {
  readonly changed: readonly string[]
  readonly anyCreated: boolean
  readonly deleted: readonly DeletedTopic[]
} {
  const changed: string[] = []
  const deleted: DeletedTopic[] = []
  let anyCreated = false
  for (const id of topicIds) {
    const old = before.topicsById.get(id)
    const now = after.topicsById.get(id)
    if (old !== undefined && now === undefined) deleted.push({ name: old.name, id })
    anyCreated ||= old === undefined && now !== undefined
    const name = now?.name ?? old?.name
    if (name !== undefined && !looksTheSame(old, now)) changed.push(name)
  }
  return { changed, anyCreated, deleted }
}

function looksTheSame(one: TopicImage | undefined, other: TopicImage | undefined): boolean {
  if (one === undefined || other === undefined || one.partitions.length !== other.partitions.length) return false
  return one.partitions.every(({ replicas }, index) => {
    const others = other.partitions[index]!.replicas
    return replicas.length === others.length && replicas.every((broker, at) => broker === others[at])
  })
}
