// Takes brokers that will not come back out of the cluster's memory (KIP-631): from then on nothing is placed on them, and nobody waits
// for them.

import type { Clock } from '../io/clock.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { ClusterImage, ClusterView } from './image.ts'
import { brokerKey, liveKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { MetaStore } from './meta-store.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export interface BrokerAdminOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly membership: Standing
  readonly brokerId: number
  readonly clock: Clock
}

export class BrokerAdmin {
  readonly #options: BrokerAdminOptions

  constructor(options: BrokerAdminOptions) {
    this.#options = options
  }

  /**
   * Null means done. Refuses with `BROKER_ID_NOT_REGISTERED`, and, unlike Kafka, a broker that is there, or is in sync somewhere: once
   * forgotten it could come back with an empty disk and pass for one that has everything.
   */
  unregister(id: number): Promise<TopicRefusal | null> {
    return administered(this.#options.membership, () => this.#unregister(id))
  }

  async #unregister(id: number): Promise<TopicRefusal | null> {
    const { view, membership, brokerId, clock } = this.#options
    const store = writesOfMember(this.#options.store, membership)
    const fence = brokerFence(view, brokerId)
    if (fence === null) return notPartOfTheCluster()
    const key = brokerKey(id)
    let uncertain = false
    for (;;) {
      const { entry, revision } = await store.get(key)
      await view.reached(revision)
      if (entry === null) {
        return uncertain
          ? null
          : refuse(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ID ${id} is not currently registered`)
      }
      const needed = neededFor(view.image, id)
      if (needed !== null) return refuse(ErrorCode.INVALID_REQUEST, needed)
      const result = await knownOutcome(
        store.transact(
          // Every registration writes the first: nothing it led to was missed.
          [{ key, modRevision: entry.modRevision }, { key: liveKey(id), modRevision: 0 }, fence],
          [{ kind: 'delete', key }],
        ),
      )
      if (result === null) {
        uncertain = true
        await readAgain(store, clock, key)
        continue
      }
      await view.reached(result.revision)
      if (result.ok) return null
      if (!fenceHolds(result.current[2], fence)) return notPartOfTheCluster()
    }
  }
}

/** Why the broker cannot be forgotten; null when it can. */
function neededFor({ brokers, topicsById }: ClusterImage, id: number): string | null {
  if (brokers.has(id)) return `Broker ${id} is running: stop it first.`
  for (const { name, partitions } of topicsById.values()) {
    const needed = partitions.find(({ isr }) => isr.includes(id))
    if (needed === undefined) continue
    return (
      `Broker ${id} is in sync for ${name}-${needed.index}: start it again and move its partitions away, ` +
      'or have another replica elected (unclean), or delete the topic.'
    )
  }
  return null
}
