// Creates and deletes topics. A topic is created when the key `topic/<name>` is: its partitions come before it or with it, its
// deletion takes them along. What is answered is finished: every partition has a leader and this broker shows it.

import type { Random } from '../io/random.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { decodeDocument, encodeDocument, type PartitionDocument } from './documents.ts'
import { createdPartition } from './elections.ts'
import { type BrokerFence, brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { BrokerImage, ClusterView, TopicImage } from './image.ts'
import { internalTopicShape, isInternalTopic } from './internal-topics.ts'
import { configKey, creationKey, partitionKey, partitionsOfTopicPrefix, topicKey } from './keys.ts'
import type { Guard, MetaStore, MetaWrite, Revision } from './meta-store.ts'
import type { BrokerSettings } from './settings/broker-settings.ts'
import { topicConfigProblem } from './settings/topic-config.ts'
import { refusedWhenFull } from './store-full.ts'
import {
  type Assignment,
  collidingName,
  manualReplicas,
  placeReplicas,
  refuse,
  topicNameProblem,
  type TopicRefusal,
} from './topic-rules.ts'

export interface NewTopic {
  readonly name: string
  /** -1: the broker's default, or as `assignments` say. */
  readonly partitions: number
  /** -1: the broker's default, or as `assignments` say. */
  readonly replicationFactor: number
  readonly assignments: readonly Assignment[]
  readonly configs: ReadonlyMap<string, string | null>
}

export type TopicCreation =
  | {
      readonly ok: true
      readonly name: string
      /** Null when it was only validated. */
      readonly id: string | null
      readonly partitions: number
      readonly replicationFactor: number
      readonly configs: ReadonlyMap<string, string>
    }
  | TopicRefusal

export type TopicDeletion = { readonly ok: true; readonly name: string; readonly id: string } | TopicRefusal

export interface TopicAdminOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly settings: BrokerSettings
  readonly brokerId: number
  readonly random: Random
  /** Resolves when the partitions of the newest image that this broker leads are served: their logs are open. */
  readonly served: () => Promise<void>
}

/** Partitions that one transaction may hold beside the topic's own keys (etcd takes 128 writes). */
const partitionsPerTransaction = 100
/** As Kafka's controller. */
const partitionsPerRequestMax = 10_000

/** A topic that passed every rule. */
interface PlannedTopic {
  readonly name: string
  readonly partitions: readonly PartitionDocument[]
  readonly configs: ReadonlyMap<string, string>
}

export class TopicAdmin {
  readonly #options: TopicAdminOptions
  /** Names under way: they count for collisions, and those who need the same topic share one creation. */
  readonly #creating = new Map<string, number>()
  readonly #ensuring = new Map<string, Promise<TopicImage | TopicRefusal>>()

  constructor(options: TopicAdminOptions) {
    this.#options = options
  }

  /** Answers in the order of `topics`. A name that comes twice is refused each time. */
  async create(topics: readonly NewTopic[], options: { validateOnly: boolean }): Promise<TopicCreation[]> {
    const seen = new Map<string, number>()
    for (const { name } of topics) seen.set(name, (seen.get(name) ?? 0) + 1)
    let asked = 0
    for (const topic of topics) asked += this.#partitionsOf(topic)
    return Promise.all(
      topics.map(async (topic) => {
        if (seen.get(topic.name)! > 1) return refuse(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
        if (asked > partitionsPerRequestMax) {
          return refuse(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
        }
        return refusedWhenFull(this.#create(topic, options.validateOnly))
      }),
    )
  }

  /**
   * The topic, created with the broker's defaults when there is none; internal topics by their own settings. Calls for one
   * topic at the same time share the creation.
   */
  async ensure(name: string): Promise<TopicImage | TopicRefusal> {
    // The image shows a topic before its partitions are served, so a creation under way comes first.
    const underWay = this.#ensuring.get(name)
    if (underWay !== undefined) return underWay
    const existing = this.#options.view.image.topicsByName.get(name)
    if (existing !== undefined) return existing
    const ensuring = refusedWhenFull(this.#ensure(name)).finally(() => this.#ensuring.delete(name))
    this.#ensuring.set(name, ensuring)
    return ensuring
  }

  /** Deletes the topic of this id. Refuses with `UNKNOWN_TOPIC_ID`. */
  delete(id: string): Promise<TopicDeletion> {
    return refusedWhenFull(this.#delete(id))
  }

  async #delete(id: string): Promise<TopicDeletion> {
    const { store, view } = this.#options
    const fence = this.#fence()
    if (fence === null) return notPartOfTheCluster()
    for (;;) {
      const topic = view.image.topicsById.get(id)
      if (topic === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
      const key = topicKey(topic.name)
      const { entry, revision } = await store.get(key)
      if (entry !== null && decodeDocument('topic', entry.value).id === id) {
        const result = await store.transact(
          [{ key, modRevision: entry.modRevision }, fence],
          [
            { kind: 'delete', key },
            { kind: 'delete', key: configKey('topic', topic.name) },
            { kind: 'deletePrefix', prefix: partitionsOfTopicPrefix(id) },
          ],
        )
        if (result.ok) {
          await view.reached(result.revision)
          return { ok: true, name: topic.name, id }
        }
        if (!fenceHolds(result.current[1], fence)) return notPartOfTheCluster()
      }
      // The view was behind the store.
      await view.reached(revision)
    }
  }

  async #ensure(name: string): Promise<TopicImage | TopicRefusal> {
    const { settings, view } = this.#options
    const internal = internalTopicShape(name, settings)
    if (internal === null && isInternalTopic(name)) {
      return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${name} is created by Kafka's own coordinators only.`)
    }
    const live = Math.max(1, this.#options.view.image.brokers.size)
    const created = await this.#create(
      {
        name,
        partitions: internal?.partitions ?? -1,
        replicationFactor: internal === null ? -1 : Math.min(internal.replicationFactor, live),
        assignments: [],
        configs: internal?.configs ?? new Map(),
      },
      false,
    )
    // Another broker may have been first.
    if (!created.ok && created.error !== ErrorCode.TOPIC_ALREADY_EXISTS) return created
    return (
      view.image.topicsByName.get(name) ??
      refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The topic was deleted while it was created.')
    )
  }

  async #create(topic: NewTopic, validateOnly: boolean): Promise<TopicCreation> {
    const planned = this.#plan(topic)
    if ('ok' in planned) return planned
    const { name, partitions, configs } = planned
    const shape = { ok: true as const, name, partitions: partitions.length, configs }
    const replicationFactor = partitions[0]!.replicas.length
    if (validateOnly) return { ...shape, replicationFactor, id: null }
    this.#creating.set(name, (this.#creating.get(name) ?? 0) + 1)
    try {
      const written = await this.#write(planned)
      if ('ok' in written) return written
      await this.#options.view.reached(written.revision)
      await this.#options.served()
      return { ...shape, replicationFactor, id: written.id }
    } finally {
      const others = this.#creating.get(name)! - 1
      if (others === 0) this.#creating.delete(name)
      else this.#creating.set(name, others)
    }
  }

  /** Every rule, in Kafka's order. */
  #plan(topic: NewTopic): PlannedTopic | TopicRefusal {
    const { name } = topic
    const { image } = this.#options.view
    const badName = topicNameProblem(name)
    if (badName !== null) return badName
    if (image.topicsByName.has(name)) return alreadyExists(name)
    const collision = collidingName(name, image.topicsByName.keys()) ?? collidingName(name, this.#creating.keys())
    if (collision !== null) {
      return refuse(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${collision}`)
    }
    const configProblem = topicConfigProblem(topic.configs)
    if (configProblem !== null) return refuse(ErrorCode.INVALID_CONFIG, configProblem)
    const replicas = this.#replicas(topic, image.brokers)
    if (!replicas.ok) return replicas
    const partitions = replicas.replicas.map((ids) => createdPartition(ids, (id) => image.brokers.has(id))!)
    return { name, partitions, configs: topic.configs as ReadonlyMap<string, string> }
  }

  #replicas(
    topic: NewTopic,
    brokers: ReadonlyMap<number, BrokerImage>,
  ): TopicRefusal | { readonly ok: true; readonly replicas: readonly (readonly number[])[] } {
    if (topic.assignments.length > 0) {
      const given = (what: string) =>
        refuse(ErrorCode.INVALID_REQUEST, `A manual partition assignment was specified, but ${what} was not set to -1.`)
      if (topic.replicationFactor !== -1) return given('replication factor')
      if (topic.partitions !== -1) return given('numPartitions')
      return manualReplicas(topic.assignments, (id) => brokers.has(id))
    }
    const factor =
      topic.replicationFactor === -1 ? this.#options.settings.defaultReplicationFactor : topic.replicationFactor
    if (factor <= 0) {
      return refuse(
        ErrorCode.INVALID_REPLICATION_FACTOR,
        'Replication factor must be larger than 0, or -1 to use the default value.',
      )
    }
    if (topic.partitions < -1 || topic.partitions === 0) {
      return refuse(ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.')
    }
    if (factor > brokers.size) {
      return refuse(
        ErrorCode.INVALID_REPLICATION_FACTOR,
        `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be ` +
          `reached because only ${brokers.size} broker(s) are registered.`,
      )
    }
    const ids = [...brokers.keys()].sort((a, b) => a - b)
    const start = this.#options.random.below(ids.length)
    return { ok: true, replicas: placeReplicas(ids, this.#partitionsOf(topic), factor, start) }
  }

  #partitionsOf(topic: NewTopic): number {
    if (topic.assignments.length > 0) return topic.assignments.length
    return topic.partitions === -1 ? this.#options.settings.numPartitions : Math.max(0, topic.partitions)
  }

  async #write(topic: PlannedTopic): Promise<{ readonly id: string; readonly revision: Revision } | TopicRefusal> {
    const { store, random } = this.#options
    const fence = this.#fence()
    if (fence === null) return notPartOfTheCluster()
    const id = random.uuid()
    const key = topicKey(topic.name)
    const writes: MetaWrite[] = [
      { kind: 'put', key, value: encodeDocument({ id, partitionCount: topic.partitions.length }) },
    ]
    if (topic.configs.size > 0) {
      const entries = Object.fromEntries(topic.configs)
      writes.push({ kind: 'put', key: configKey('topic', topic.name), value: encodeDocument({ entries }) })
    }
    const parts = topic.partitions.map((partition, index): MetaWrite & { kind: 'put' } => ({
      kind: 'put',
      key: partitionKey(id, index),
      value: encodeDocument(partition),
    }))
    const atOnce = parts.length <= partitionsPerTransaction
    if (atOnce) {
      writes.push(...parts)
    } else {
      if (!(await this.#writePartitionsFirst(id, parts, fence))) return notPartOfTheCluster()
      writes.push({ kind: 'delete', key: creationKey(id) })
    }
    const result = await store.transact([{ key, modRevision: 0 }, fence], writes)
    if (result.ok) return { id, revision: result.revision }
    if (!atOnce) await this.#dropPartitions(id, fence)
    if (!fenceHolds(result.current[1], fence)) return notPartOfTheCluster()
    await this.#options.view.reached(result.revision)
    return alreadyExists(topic.name)
  }

  /** Too many for one transaction: an intent tells the next controller what to clear if this broker stops in between. */
  async #writePartitionsFirst(
    id: string,
    parts: readonly (MetaWrite & { kind: 'put' })[],
    fence: BrokerFence,
  ): Promise<boolean> {
    const { store, brokerId } = this.#options
    const key = creationKey(id)
    const value = encodeDocument({ brokerId, brokerEpoch: fence.createRevision })
    const begun = await store.transact([{ key, modRevision: 0 }, fence], [{ kind: 'put', key, value }])
    if (!begun.ok) return false
    const items = parts.map((part) => ({ guards: [{ key: part.key, modRevision: 0 }] as const, writes: [part] }))
    const results = await store.compareAndSwapMany([fence, { key, modRevision: begun.revision }], items)
    return results !== 'fenced'
  }

  async #dropPartitions(id: string, fence: Guard): Promise<void> {
    await this.#options.store.transact(
      [fence],
      [
        { kind: 'deletePrefix', prefix: partitionsOfTopicPrefix(id) },
        { kind: 'delete', key: creationKey(id) },
      ],
    )
  }

  #fence(): BrokerFence | null {
    return brokerFence(this.#options.view, this.#options.brokerId)
  }
}

function alreadyExists(name: string): TopicRefusal {
  return refuse(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
}
