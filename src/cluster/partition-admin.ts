// What an operator may have done with partitions: moved to other brokers, or led by others. Any broker decides it.

import type { Clock } from '../io/clock.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { isActive } from './controller/attended-partition.ts'
import { isKnown } from './elections.ts'
import { brokerFence, notPartOfTheCluster } from './fence.ts'
import type { ClusterView, TopicImage } from './image.ts'
import type { MetaStore } from './meta-store.ts'
import { reassigned, type ReassignmentOptions, revertedReassignment } from './reassignment.ts'
import { type ChangeAnswer, changeOnRequest, type RequestedChange } from './requested-changes.ts'
import { electedOnRequest, type RequestedElection } from './requested-election.ts'
import type { BrokerSettings } from './settings/broker-settings.ts'
import { topicSettings } from './settings/topic-config.ts'
import { refuse } from './topic-rules.ts'

export interface PartitionAdminOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly settings: BrokerSettings
  readonly membership: Standing
  readonly brokerId: number
  readonly clock: Clock
}

export interface PartitionName {
  readonly topic: string
  readonly index: number
}

export interface Reassignment extends PartitionName {
  /** The preferred leader first; null takes a reassignment under way back. */
  readonly replicas: readonly number[] | null
}

export type { ChangeAnswer } from './requested-changes.ts'

export class PartitionAdmin {
  readonly #options: PartitionAdminOptions

  constructor(options: PartitionAdminOptions) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
  }

  /** Answers in the order of `reassignments` when they are under way. Rejects with the store's faults. */
  reassign(
    reassignments: readonly Reassignment[],
    { allowReplicationFactorChange }: { allowReplicationFactorChange: boolean },
  ): Promise<ChangeAnswer[]> {
    return this.#change(reassignments, noSuchReplicas, ({ replicas }, topic) => (partition, image) => {
      const options: ReassignmentOptions = {
        mayLead: (id) => isActive(image.brokers, id),
        isKnown: (id) => isKnown(image, id),
        unclean: topicSettings(topic, this.#options.settings).uncleanLeaderElectionEnable,
        allowReplicationFactorChange,
      }
      return replicas === null
        ? revertedReassignment(partition, topic.name, options)
        : reassigned(partition, replicas, options)
    })
  }

  /** Answers in the order of `partitions` when they have their leaders. Rejects with the store's faults. */
  elect(partitions: readonly PartitionName[], election: RequestedElection): Promise<ChangeAnswer[]> {
    return this.#change(partitions, noSuchLeader, () => (partition, image) => {
      return electedOnRequest(partition, election, (id) => isActive(image.brokers, id))
    })
  }

  async #change<T extends PartitionName>(
    wanted: readonly T[],
    unknown: (name: PartitionName, topic: TopicImage | undefined) => string,
    decideOf: (wanted: T, topic: TopicImage) => RequestedChange['decide'],
  ): Promise<ChangeAnswer[]> {
    const { membership } = this.#options
    const answers = await administered(membership, () => this.#changeAsMember(wanted, unknown, decideOf))
    return 'ok' in answers ? wanted.map(() => answers) : answers
  }

  async #changeAsMember<T extends PartitionName>(
    wanted: readonly T[],
    unknown: (name: PartitionName, topic: TopicImage | undefined) => string,
    decideOf: (wanted: T, topic: TopicImage) => RequestedChange['decide'],
  ): Promise<ChangeAnswer[]> {
    const { store, view, clock, brokerId } = this.#options
    const fence = brokerFence(view, brokerId)
    if (fence === null) return wanted.map(notPartOfTheCluster)
    const answers = new Map<T, ChangeAnswer>()
    const changes = new Map<T, RequestedChange>()
    for (const one of wanted) {
      const topic = view.image.topicsByName.get(one.topic)
      if (topic?.partitions[one.index] === undefined) {
        answers.set(one, refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, unknown(one, topic)))
      } else {
        changes.set(one, { topicId: topic.id, index: one.index, decide: decideOf(one, topic) })
      }
    }
    const changed = await changeOnRequest({ store, view, clock, fence }, [...changes.values()])
    for (const [i, one] of [...changes.keys()].entries()) answers.set(one, changed[i]!)
    return wanted.map((one) => answers.get(one)!)
  }
}

function noSuchReplicas({ topic, index }: PartitionName, found: TopicImage | undefined): string {
  return found === undefined ? `Unable to find a topic named ${topic}.` : `Unable to find partition ${topic}:${index}.`
}

function noSuchLeader({ topic, index }: PartitionName, found: TopicImage | undefined): string {
  return found === undefined ? `No such topic as ${topic}` : `No such partition as ${topic}-${index}`
}
