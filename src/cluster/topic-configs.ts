// Changes the configs of topics. Each topic's are one key, `config/topic/<name>`: read, changed, checked as a whole, and written back
// if nobody was faster. What is answered is in this broker's image, and so in force here.

import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { changedConfigs, type ConfigChange, sameConfigs } from './config-change.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { ClusterView } from './image.ts'
import { configKey, topicKey } from './keys.ts'
import { knownOutcome } from './known-outcome.ts'
import type { MetaEntry, MetaStore, MetaWrite } from './meta-store.ts'
import { topicConfigProblem } from './settings/topic-config.ts'
import { refuse, topicNameProblem, type TopicRefusal } from './topic-rules.ts'

export interface TopicConfigsOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly membership: Standing
  readonly brokerId: number
}

type Configs = ReadonlyMap<string, string>

export class TopicConfigs {
  readonly #options: TopicConfigsOptions

  constructor(options: TopicConfigsOptions) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
  }

  /**
   * Changes what is set on one topic: all of it or, when refused, nothing. With `validateOnly` only says what would be refused. Null
   * means done. Refuses in Kafka's order: the name, the change, the configs it leads to, a topic that is not there.
   */
  alter(topic: string, change: ConfigChange, options: { validateOnly: boolean }): Promise<TopicRefusal | null> {
    return administered(this.#options.membership, () => this.#alter(topic, change, options))
  }

  async #alter(topic: string, change: ConfigChange, options: { validateOnly: boolean }): Promise<TopicRefusal | null> {
    if (topic === '') return refuse(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.')
    const badName = topicNameProblem(topic)
    if (badName !== null) return badName
    const { store, view, brokerId } = this.#options
    const fence = brokerFence(view, brokerId)
    if (fence === null) return notPartOfTheCluster()
    const key = configKey('topic', topic)
    for (;;) {
      const topicEntry = (await store.get(topicKey(topic))).entry
      const { entry, revision } = await store.get(key)
      const current = configsIn(entry)
      const changed = changedConfigs(current, change)
      if ('ok' in changed) return changed
      const problem = topicConfigProblem(changed)
      if (problem !== null) return refuse(ErrorCode.INVALID_CONFIG, problem)
      if (topicEntry === null) {
        return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`)
      }
      if (options.validateOnly) return null
      if (sameConfigs(current, changed)) {
        await view.reached(revision)
        return null
      }
      const result = await knownOutcome(
        store.transact(
          [
            { key, modRevision: entry?.modRevision ?? 0 },
            // The same topic, not one created anew under its name.
            { key: topicEntry.key, createRevision: topicEntry.createRevision },
            fence,
          ],
          [writeOf(key, changed)],
        ),
      )
      // If it has applied, the same change finds nothing to do.
      if (result === null) continue
      if (result.ok) {
        await view.reached(result.revision)
        return null
      }
      if (!fenceHolds(result.current[2], fence)) return notPartOfTheCluster()
    }
  }
}

function configsIn(entry: MetaEntry | null): Configs {
  return new Map(entry === null ? [] : Object.entries(decodeDocument('config', entry.value).entries))
}

function writeOf(key: string, configs: Configs): MetaWrite {
  // Empty, it stays: a late write that found no configs must not find none again.
  return { kind: 'put', key, value: encodeDocument({ entries: Object.fromEntries(configs) }) }
}
