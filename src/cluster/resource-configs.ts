// Changes the configs of what is no topic: of one broker or of all (`config/broker/<id>`, `config/broker/`), of a group
// (`config/group/<id>`). Read, changed, checked as a whole, and written back if nobody was faster. What is answered is in this broker's
// image, and so in force here.

import type { Clock } from '../io/clock.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { changedConfigs, type ConfigChange, sameConfigs } from './config-change.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { ClusterView } from './image.ts'
import { type ConfigKind, configKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { MetaStore } from './meta-store.ts'
import type { BrokerSettings } from './settings/broker-settings.ts'
import type { ConfigDefinition } from './settings/config-definition.ts'
import { dynamicBrokerDefinitions, dynamicConfigProblem } from './settings/dynamic-broker-definitions.ts'
import { groupConfigProblem } from './settings/group-config.ts'
import { groupDefinitions } from './settings/group-definitions.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export interface ResourceConfigsOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly membership: Standing
  readonly brokerId: number
  readonly clock: Clock
}

/** What one kind of resource may have. */
interface ConfigRules {
  readonly kind: ConfigKind
  readonly definitions: ReadonlyMap<string, ConfigDefinition>
  /** What is wrong with all that the resource would have, or null. */
  problem(configs: ReadonlyMap<string, string>): TopicRefusal | null
}

/** The names that are set are known to be dynamic. */
const brokerRules: ConfigRules = {
  kind: 'broker',
  definitions: dynamicBrokerDefinitions,
  problem(configs) {
    const problem = dynamicConfigProblem(configs)
    // Not INVALID_CONFIG as for a topic: in Kafka the broker looks at it, not the controller.
    return problem === null ? null : refuse(ErrorCode.INVALID_REQUEST, problem)
  },
}

function groupRules(broker: BrokerSettings): ConfigRules {
  return {
    kind: 'group',
    definitions: groupDefinitions,
    problem(configs) {
      const problem = groupConfigProblem(configs, broker)
      return problem === null ? null : refuse(ErrorCode.INVALID_CONFIG, problem)
    },
  }
}

export class ResourceConfigs {
  readonly #options: ResourceConfigsOptions
  readonly #rules: ConfigRules

  /** Of brokers; an empty name stands for all of them. */
  static ofBrokers(options: ResourceConfigsOptions): ResourceConfigs {
    return new ResourceConfigs(options, brokerRules)
  }

  /** Of groups, whether they exist or not; a name is not empty. */
  static ofGroups(options: ResourceConfigsOptions & { readonly settings: BrokerSettings }): ResourceConfigs {
    return new ResourceConfigs(options, groupRules(options.settings))
  }

  private constructor(options: ResourceConfigsOptions, rules: ConfigRules) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
    this.#rules = rules
  }

  /**
   * Changes what is set on the resource `name`: all of it or, when refused, nothing. With `validateOnly` only says what would be
   * refused. Null means done.
   */
  alter(name: string, change: ConfigChange, options: { validateOnly: boolean }): Promise<TopicRefusal | null> {
    return administered(this.#options.membership, () => this.#alter(name, change, options))
  }

  async #alter(name: string, change: ConfigChange, options: { validateOnly: boolean }): Promise<TopicRefusal | null> {
    const { store, view, brokerId, clock } = this.#options
    const fence = brokerFence(view, brokerId)
    if (fence === null) return notPartOfTheCluster()
    const key = configKey(this.#rules.kind, name)
    for (;;) {
      const { entry } = await store.get(key)
      const current = new Map(entry === null ? [] : Object.entries(decodeDocument('config', entry.value).entries))
      const changed = changedConfigs(current, change, this.#rules.definitions)
      if ('ok' in changed) return changed
      const problem = this.#rules.problem(changed)
      if (problem !== null) return problem
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
