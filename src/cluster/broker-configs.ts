// Changes the configs that brokers take over while they run: of one broker, or of all (`config/broker/<id>`, `config/broker/`). What is
// answered is in this broker's image, and so in force here.

import type { Clock } from '../io/clock.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { changedConfigs, type ConfigChange, sameConfigs } from './config-change.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { ClusterView } from './image.ts'
import { configKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { MetaStore } from './meta-store.ts'
import { dynamicBrokerDefinitions, dynamicConfigProblem } from './settings/dynamic-broker-definitions.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export interface BrokerConfigsOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly membership: Standing
  readonly brokerId: number
  readonly clock: Clock
}

export class BrokerConfigs {
  readonly #options: BrokerConfigsOptions

  constructor(options: BrokerConfigsOptions) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
  }

  /**
   * Changes what is set on broker `name`, or on all where it is empty: all of it or, when refused, nothing. With `validateOnly` only says
   * what would be refused. Null means done. The names in `change` are known to be dynamic.
   */
  alter(name: string, change: ConfigChange, options: { validateOnly: boolean }): Promise<TopicRefusal | null> {
    return administered(this.#options.membership, () => this.#alter(name, change, options))
  }

  async #alter(name: string, change: ConfigChange, options: { validateOnly: boolean }): Promise<TopicRefusal | null> {
    const { store, view, brokerId, clock } = this.#options
    const fence = brokerFence(view, brokerId)
    if (fence === null) return notPartOfTheCluster()
    const key = configKey('broker', name)
    for (;;) {
      const { entry } = await store.get(key)
      const current = new Map(entry === null ? [] : Object.entries(decodeDocument('config', entry.value).entries))
      const changed = changedConfigs(current, change, dynamicBrokerDefinitions)
      if ('ok' in changed) return changed
      const problem = dynamicConfigProblem(changed)
      // Not INVALID_CONFIG as for a topic: in Kafka the broker looks at it, not the controller.
      if (problem !== null) return refuse(ErrorCode.INVALID_REQUEST, problem)
      if (options.validateOnly) return null
      if (sameConfigs(current, changed)) {
        // Where it was our own write, of which the answer was lost.
        if (entry !== null) await view.reached(entry.modRevision)
        return null
      }
      // Empty, it stays: a late write that found no configs must not find none again.
      const value = encodeDocument({ entries: Object.fromEntries(changed) })
      const result = await knownOutcome(
        store.transact([{ key, modRevision: entry?.modRevision ?? 0 }, fence], [{ kind: 'put', key, value }]),
      )
      if (result === null) {
        await readAgain(store, clock, key)
        continue
      }
      if (result.ok) {
        await view.reached(result.revision)
        return null
      }
      if (!fenceHolds(result.current[1], fence)) return notPartOfTheCluster()
    }
  }
}
