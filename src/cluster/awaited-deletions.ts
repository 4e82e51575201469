// A topic may be deleted while a broker with a replica of it is away. The broker hears of it when it comes back, and then knows that
// the topic's folder may go; of a folder whose topic is merely not there it could not know that.

import { decodeDocument, encodeDocument } from './documents.ts'
import type { ClusterImage, TopicImage } from './image.ts'
import { deletionKey, deletionsPrefix } from './keys.ts'
import { knownOutcome } from './known-outcome.ts'
import type { MetaStore, MetaWrite } from './meta-store.ts'

/** What the transaction that deletes the topic writes besides. */
export function awaitedDeletion(topic: TopicImage, { brokers }: ClusterImage): MetaWrite[] {
  const away = new Set<number>()
  for (const { replicas } of topic.partitions) for (const id of replicas) if (!brokers.has(id)) away.add(id)
  if (away.size === 0) return []
  const value = encodeDocument({ topicName: topic.name, brokerIds: [...away] })
  return [{ kind: 'put', key: deletionKey(topic.id), value }]
}

/** Ids of topics that were deleted while this broker was away: their folders may go. Rejects with the store's faults. */
export async function topicsDeletedMeanwhile(store: MetaStore, brokerId: number): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for (const { key, value } of (await store.list(deletionsPrefix)).entries) {
    if (decodeDocument('deletion', value).brokerIds.includes(brokerId)) ids.add(key.slice(deletionsPrefix.length))
  }
  return ids
}

/** This broker's folders of these topics are gone. What nobody knows the outcome of is told again at the next start. */
export async function foldersAreGone(store: MetaStore, brokerId: number, topicIds: Iterable<string>): Promise<void> {
  for (const topicId of topicIds) {
    const key = deletionKey(topicId)
    for (;;) {
      const { entry } = await store.get(key)
      if (entry === null) break
      const { topicName, brokerIds } = decodeDocument('deletion', entry.value)
      const others = brokerIds.filter((id) => id !== brokerId)
      if (others.length === brokerIds.length) break
      const write: MetaWrite =
        others.length === 0
          ? { kind: 'delete', key }
          : { kind: 'put', key, value: encodeDocument({ topicName, brokerIds: others }) }
      const result = await knownOutcome(store.transact([{ key, modRevision: entry.modRevision }], [write]))
      if (result === null || result.ok) break
    }
  }
}
