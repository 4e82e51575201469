// Partitions of topics that were never committed, because their broker stopped in between, or gave up: litter that nobody else would clear.

import type { Clock, Millis } from '../../io/clock.ts'
import { decodeDocument } from '../documents.ts'
import type { ClusterView } from '../image.ts'
import { creationsPrefix, liveKey, partitionsOfTopicPrefix } from '../keys.ts'
import { knownOutcome } from '../known-outcome.ts'
import type { Guard, MetaEntry, MetaStore } from '../meta-store.ts'

/** No creation takes so long: one that does finds its intent gone, and creates nothing. */
const creationMsMax: Millis = 120_000

export class AbandonedCreations {
  readonly #store: MetaStore
  readonly #view: ClusterView
  readonly #clock: Clock
  /** Of those under way when last looked: by key, its revision and when it was first seen. */
  #underWay = new Map<string, { readonly modRevision: number; readonly since: Millis }>()

  constructor({ store, view, clock }: { store: MetaStore; view: ClusterView; clock: Clock }) {
    this.#store = store
    this.#view = view
    this.#clock = clock
  }

  /** What is left when an outcome is not known is cleared the next time. Rejects with the store's faults. */
  async clear(fence: Guard): Promise<void> {
    const { entries, revision } = await this.#store.list(creationsPrefix)
    await this.#view.reached(revision)
    const before = this.#underWay
    this.#underWay = new Map()
    for (const entry of entries) {
      const { key, modRevision } = entry
      const known = before.get(key)
      const since = known?.modRevision === modRevision ? known.since : this.#clock.monotonic()
      const isLate = this.#clock.monotonic() - since >= creationMsMax
      if (isLate || !(await this.#creatorLives(entry))) await this.#clear(entry, fence)
      else this.#underWay.set(key, { modRevision, since })
    }
  }

  async #creatorLives({ value }: MetaEntry): Promise<boolean> {
    const { brokerId, brokerEpoch } = decodeDocument('creation', value)
    return (await this.#store.get(liveKey(brokerId))).entry?.createRevision === brokerEpoch
  }

  async #clear({ key, modRevision }: MetaEntry, fence: Guard): Promise<void> {
    const topicId = key.slice(creationsPrefix.length)
    // Never what belongs to a topic that is there.
    if (this.#view.image.topicsById.has(topicId)) return
    const prefix = partitionsOfTopicPrefix(topicId)
    await knownOutcome(
      this.#store.transact(
        [{ key, modRevision }, fence],
        [
          { kind: 'deletePrefix', prefix },
          { kind: 'delete', key },
        ],
      ),
    )
  }
}
