// Partitions of topics that were never committed, because their broker stopped in between: litter that nobody else would clear.

import { decodeDocument } from '../documents.ts'
import { creationsPrefix, liveKey, partitionsOfTopicPrefix } from '../keys.ts'
import { knownOutcome } from '../known-outcome.ts'
import type { Guard, MetaStore } from '../meta-store.ts'

/** What is left when an outcome is not known is cleared the next time. Rejects with the store's faults. */
export async function clearAbandonedCreations(store: MetaStore, fence: Guard): Promise<void> {
  for (const { key, value, modRevision } of (await store.list(creationsPrefix)).entries) {
    const { brokerId, brokerEpoch } = decodeDocument('creation', value)
    const creator = (await store.get(liveKey(brokerId))).entry
    if (creator?.createRevision === brokerEpoch) continue
    const prefix = partitionsOfTopicPrefix(key.slice(creationsPrefix.length))
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
