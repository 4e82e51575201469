// Partitions of topics that were never committed, because their broker stopped in between: litter that nobody else would clear.

import { decodeDocument } from '../documents.ts'
import type { ClusterView } from '../image.ts'
import { creationsPrefix, liveKey, partitionsOfTopicPrefix } from '../keys.ts'
import { knownOutcome } from '../known-outcome.ts'
import type { Guard, MetaStore } from '../meta-store.ts'

/** What is left when an outcome is not known is cleared the next time. Rejects with the store's faults. */
export async function clearAbandonedCreations(options: {
  store: MetaStore
  view: ClusterView
  fence: Guard
}): Promise<void> {
  const { store, view, fence } = options
  const { entries, revision } = await store.list(creationsPrefix)
  await view.reached(revision)
  for (const { key, value, modRevision } of entries) {
    const { brokerId, brokerEpoch } = decodeDocument('creation', value)
    const creator = (await store.get(liveKey(brokerId))).entry
    if (creator?.createRevision === brokerEpoch) continue
    const topicId = key.slice(creationsPrefix.length)
    // Never what belongs to a topic that is there.
    if (view.image.topicsById.has(topicId)) continue
    const prefix = partitionsOfTopicPrefix(topicId)
    await knownOutcome(
      store.transact(
        [{ key, modRevision }, fence],
        [
          { kind: 'deletePrefix', prefix },
          { kind: 'delete', key },
        ],
      ),
    )
  }
}
