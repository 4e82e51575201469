// Adds partitions to topics (KIP-195). They are written first, where nobody sees them; then the topic's key says how many there are.

import type { Clock } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { decodeDocument, encodeDocument, type PartitionDocument } from './documents.ts'
import { createdPartitions, isKnown, placeableBrokers } from './elections.ts'
import { brokerFence, fenceHolds, notPartOfTheCluster } from './fence.ts'
import type { ClusterView, TopicImage } from './image.ts'
import { topicKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { Guard, MetaStore, MetaWrite, Revision } from './meta-store.ts'
import { placeReplicas } from './replica-placement.ts'
import { refuse, replicasProblem, type TopicRefusal } from './topic-rules.ts'
import { partitionsPerTransaction, partitionWrites, writePartitions } from './topic-writes.ts'

export interface TopicGrowthOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly membership: Standing
  readonly brokerId: number
  readonly clock: Clock
  readonly random: Random
  /** Resolves when the partitions of the newest image that this broker leads are served: their logs are open. */
  readonly served: () => Promise<void>
}

export interface GrownTopic {
  readonly name: string
  /** Partitions it shall have. */
  readonly count: number
  /** Brokers of each new partition; null: they are placed. */
  readonly assignments: readonly (readonly number[])[] | null
}

/** `done` false: what the topic needs is to be worked out anew from `revision` on. */
interface Written {
  readonly done: boolean
  /** It may apply, or have applied. */
  readonly uncertain: boolean
  readonly revision: Revision
}

/** Most partitions that one request may add, as Kafka's controller bounds a creation. */
const partitionsPerRequestMax = 10_000

export class TopicGrowth {
  readonly #options: TopicGrowthOptions

  constructor(options: TopicGrowthOptions) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
  }

  /** Answers in the order of `topics`; null means done. A name that comes twice is refused each time. */
  async grow(
    topics: readonly GrownTopic[],
    { validateOnly }: { validateOnly: boolean },
  ): Promise<(TopicRefusal | null)[]> {
    const seen = new Map<string, number>()
    let asked = 0
    for (const { name, count } of topics) {
      seen.set(name, (seen.get(name) ?? 0) + 1)
      asked += Math.max(0, count - (this.#options.view.image.topicsByName.get(name)?.partitions.length ?? 0))
    }
    return Promise.all(
      topics.map(async (topic) => {
        if (seen.get(topic.name)! > 1) return refuse(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
        if (asked > partitionsPerRequestMax) {
          return refuse(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
        }
        return administered(this.#options.membership, () => this.#grow(topic, validateOnly))
      }),
    )
  }

  async #grow(wanted: GrownTopic, validateOnly: boolean): Promise<TopicRefusal | null> {
    const { view, served } = this.#options
    let uncertain = false
    for (;;) {
      const topic = view.image.topicsByName.get(wanted.name)
      if (topic === undefined) {
        return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
      }
      // One's own growth, of which the answer was lost, is one too.
      if (uncertain && topic.partitions.length === wanted.count) return null
      const added = this.#plan(wanted, topic)
      if ('ok' in added) return added
      if (validateOnly) return null
      const written = await this.#write(topic, wanted.count, added)
      if ('refusal' in written) return written.refusal
      uncertain ||= written.uncertain
      await view.reached(written.revision)
      if (written.done) {
        await served()
        return null
      }
    }
  }

  /** Every rule, in Kafka's order. */
  #plan({ name, count, assignments }: GrownTopic, topic: TopicImage): PartitionDocument[] | TopicRefusal {
    const { view, random } = this.#options
    const { image } = view
    const present = topic.partitions.length
    if (count === present) {
      return refuse(ErrorCode.INVALID_PARTITIONS, `Topic already has ${present} partition(s).`)
    }
    if (count < present) {
      return refuse(
        ErrorCode.INVALID_PARTITIONS,
        `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`,
      )
    }
    const additional = count - present
    if (assignments !== null && assignments.length !== additional) {
      return refuse(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
      )
    }
    const factor = topic.partitions[0]!.replicas.length
    if (assignments === null) {
      const existing = topic.partitions.map(({ replicas }) => replicas)
      const placed = placeReplicas({
        brokers: placeableBrokers(image),
        partitions: additional,
        factor,
        random,
        existing,
      })
      return placed.ok ? createdPartitions(placed.replicas, present, image) : placed
    }
    for (const brokerIds of assignments) {
      const problem = replicasProblem(brokerIds, factor, (id) => isKnown(image, id))
      if (problem !== null) return refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem)
    }
    return createdPartitions(assignments, present, image)
  }

  async #write(
    topic: TopicImage,
    count: number,
    added: readonly PartitionDocument[],
  ): Promise<Written | { readonly refusal: TopicRefusal }> {
    const { store, view, clock, brokerId } = this.#options
    const key = topicKey(topic.name)
    const { entry, revision } = await store.get(key)
    const fence = brokerFence(view, brokerId)
    if (fence === null) return { refusal: notPartOfTheCluster() }
    const isAsSeen = () => {
      const document = entry === null ? null : decodeDocument('topic', entry.value)
      return document?.id === topic.id && document.partitionCount === topic.partitions.length
    }
    if (entry === null || !isAsSeen()) return { done: false, uncertain: false, revision }
    const guards: [Guard, ...Guard[]] = [{ key, modRevision: entry.modRevision }, fence]
    const parts = partitionWrites(topic.id, topic.partitions.length, added)
    const writes: MetaWrite[] = [{ kind: 'put', key, value: encodeDocument({ id: topic.id, partitionCount: count }) }]
    if (parts.length <= partitionsPerTransaction) {
      writes.push(...parts)
    } else if ((await writePartitions(this.#options, guards, parts)) === 'fenced') {
      const now = await store.get(fence.key)
      if (!fenceHolds(now.entry, fence)) return { refusal: notPartOfTheCluster() }
      return { done: false, uncertain: false, revision: now.revision }
    }
    const result = await knownOutcome(store.transact(guards, writes))
    if (result === null) {
      return { done: false, uncertain: true, revision: await readAgain(store, clock, key) }
    }
    if (!result.ok && !fenceHolds(result.current[1], fence)) return { refusal: notPartOfTheCluster() }
    return { done: result.ok, uncertain: false, revision: result.revision }
  }
}
