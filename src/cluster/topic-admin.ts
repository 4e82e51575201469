// Creates and deletes topics. A topic is created when the key `topic/<name>` is: its partitions come before it or with it, its
// deletion takes them along. What is answered is finished: every partition has a leader and this broker shows it.

import type { Clock } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { awaitedDeletion } from './awaited-deletions.ts'
import { isActive } from './controller/attended-partition.ts'
import { decodeDocument, type PartitionDocument } from './documents.ts'
import { createdPartitions, isKnown, placeableBrokers } from './elections.ts'
import { type BrokerFence, brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { ClusterImage, ClusterView, TopicImage } from './image.ts'
import { internalTopicShape, isInternalTopic } from './internal-topics.ts'
import { configKey, partitionsOfTopicPrefix, topicKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { MetaStore, Revision } from './meta-store.ts'
import { placeReplicas } from './replica-placement.ts'
import type { BrokerSettings } from './settings/broker-settings.ts'
import { topicConfigProblem } from './settings/topic-config.ts'
import {
  type Assignment,
  collidingName,
  manualReplicas,
  refuse,
  topicNameProblem,
  type TopicRefusal,
} from './topic-rules.ts'
import { writeTopic } from './topic-writes.ts'
import { WriteAttempts } from './write-attempts.ts'

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
  readonly membership: Standing
  readonly brokerId: number
  readonly clock: Clock
  readonly random: Random
  /** Resolves when the partitions of the newest image that this broker leads are served: their logs are open. */
  readonly served: () => Promise<void>
}

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
  readonly #attempts: WriteAttempts
  /** Names under way: they count for collisions, and those who need the same topic share one creation. */
  readonly #creating = new Map<string, number>()
  readonly #ensuring = new Map<string, Promise<TopicImage | TopicRefusal>>()

  constructor(options: TopicAdminOptions) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
    this.#attempts = new WriteAttempts(this.#options)
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
        return this.#administered(() => this.#create(topic, options.validateOnly))
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
    const ensuring = this.#administered(() => this.#ensure(name)).finally(() => this.#ensuring.delete(name))
    this.#ensuring.set(name, ensuring)
    return ensuring
  }

  /** Deletes the topic of this id. Refuses with `UNKNOWN_TOPIC_ID`. */
  delete(id: string): Promise<TopicDeletion> {
    return this.#administered(() => this.#delete(id))
  }

  async #delete(id: string): Promise<TopicDeletion> {
    const { store, view, clock } = this.#options
    const fence = this.#fence()
    if (fence === null) return notPartOfTheCluster()
    let name: string | null = null
    for (;;) {
      const topic = view.image.topicsById.get(id)
      if (topic === undefined) {
        // One's own deletion, of which the answer was lost, is one too.
        if (name !== null) return { ok: true, name, id }
        return refuse(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
      }
      const key = topicKey(topic.name)
      const { entry, revision } = await store.get(key)
      if (entry !== null && decodeDocument('topic', entry.value).id === id) {
        const result = await knownOutcome(
          store.transact(
            [{ key, modRevision: entry.modRevision }, fence],
            [
              { kind: 'delete', key },
              { kind: 'delete', key: configKey('topic', topic.name) },
              { kind: 'deletePrefix', prefix: partitionsOfTopicPrefix(id) },
              ...awaitedDeletion(topic, view.image),
            ],
          ),
        )
        if (result?.ok === true) {
          await view.reached(result.revision)
          return { ok: true, name: topic.name, id }
        }
        if (result === null) {
          name = topic.name
          await view.reached(await readAgain(store, clock, key))
          continue
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
    const { brokers } = view.image
    const active = [...brokers.keys()].filter((id) => isActive(brokers, id)).length
    const created = await this.#create(
      {
        name,
        partitions: internal?.partitions ?? -1,
        replicationFactor: internal === null ? -1 : Math.min(internal.replicationFactor, Math.max(1, active)),
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
    const replicas = this.#replicas(topic, image)
    if (!replicas.ok) return replicas
    const partitions = createdPartitions(replicas.replicas, 0, image)
    if ('ok' in partitions) return partitions
    return { name, partitions, configs: topic.configs as ReadonlyMap<string, string> }
  }

  #replicas(
    topic: NewTopic,
    image: ClusterImage,
  ): TopicRefusal | { readonly ok: true; readonly replicas: readonly (readonly number[])[] } {
    if (topic.assignments.length > 0) {
      const given = (what: string) =>
        refuse(ErrorCode.INVALID_REQUEST, `A manual partition assignment was specified, but ${what} was not set to -1.`)
      if (topic.replicationFactor !== -1) return given('replication factor')
      if (topic.partitions !== -1) return given('numPartitions')
      return manualReplicas(topic.assignments, (id) => isKnown(image, id))
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
    const { random } = this.#options
    const brokers = placeableBrokers(image)
    const placed = placeReplicas({ brokers, partitions: this.#partitionsOf(topic), factor, random })
    return placed.ok
      ? placed
      : refuse(placed.error, `Unable to replicate the partition ${factor} time(s): ${placed.message}`)
  }

  #partitionsOf(topic: NewTopic): number {
    if (topic.assignments.length > 0) return topic.assignments.length
    return topic.partitions === -1 ? this.#options.settings.numPartitions : Math.max(0, topic.partitions)
  }

  async #write(topic: PlannedTopic): Promise<{ readonly id: string; readonly revision: Revision } | TopicRefusal> {
    const { store, random, brokerId, clock, view } = this.#options
    const fence = this.#fence()
    if (fence === null) return notPartOfTheCluster()
    const id = random.uuid()
    const written = await writeTopic({ store, clock, brokerId, fence, attempts: this.#attempts }, { ...topic, id })
    if (written === 'lost') {
      // Once more would bring back what somebody has deleted: whether to try again is for the client to say.
      return refuse(
        ErrorCode.NOT_CONTROLLER,
        `Nobody knows whether topic '${topic.name}' was created; it is not there.`,
      )
    }
    if (written === 'fenced') return notPartOfTheCluster()
    if (written.ok) return { id, revision: written.revision }
    await view.reached(written.revision)
    return alreadyExists(topic.name)
  }

  #administered<T>(work: () => Promise<T>): Promise<T | TopicRefusal> {
    return administered(this.#options.membership, work)
  }

  #fence(): BrokerFence | null {
    return brokerFence(this.#options.view, this.#options.brokerId)
  }
}

function alreadyExists(name: string): TopicRefusal {
  return refuse(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
}
