// Speaks to KIP-848 groups as members would, and keeps what comes back: for tests of the rules, without log or clock.

import { decodeUuid, ZERO_UUID } from '../../../lib/uuid.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/apis/consumer-group-heartbeat.ts'
import type { GroupRecord } from '../group-record.ts'
import type { GroupSettings } from '../group-settings.ts'
import { GroupTester } from '../group-tester.sim.ts'
import type { DescribedConsumerGroup } from './heartbeat-event.ts'

/** Partitions as `{ orders: [0, 1] }`. */
export type Partitions = Readonly<Record<string, readonly number[]>>

export interface HeartbeatOptions {
  readonly group?: string
  /** Left out: a client of version 0 that has none yet. */
  readonly member?: string
  /** Left out: joins. */
  readonly epoch?: number
  readonly topics?: readonly string[] | null
  readonly regex?: string | null
  readonly owned?: Partitions | null
  readonly instance?: string | null
  readonly rack?: string | null
  readonly assignor?: string | null
  readonly rebalanceTimeoutMs?: number
  readonly clientId?: string
  readonly connectionId?: number
}

export interface Answer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null when it was not told. */
  readonly assignment: Partitions | null
}

const groupId = 'g'

export class ConsumerGroupTester extends GroupTester {
  #next = 1_000_000

  constructor(settings: Partial<GroupSettings> = {}) {
    super(settings)
    this.configs = this.withConfig({})
  }

  /** No time between assignments unless asked for. */
  withConfig(config: { readonly assignmentIntervalMs?: number; readonly sessionTimeoutMs?: number }) {
    const all = { sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 0, ...config }
    return { consumerGroup: () => all }
  }

  /** A joining member says all there is to say; one that has joined only what the test says. */
  beat(options: HeartbeatOptions = {}): Answer {
    const joins = (options.epoch ?? 0) === 0
    const { member = '', owned = joins ? {} : null } = options
    const request: ConsumerGroupHeartbeatRequest = {
      groupId: options.group ?? groupId,
      memberId: member,
      memberEpoch: options.epoch ?? 0,
      instanceId: options.instance ?? null,
      rackId: options.rack ?? null,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? (joins ? 60_000 : -1),
      subscribedTopicNames: options.topics ?? null,
      subscribedTopicRegex: options.regex ?? null,
      serverAssignor: options.assignor ?? null,
      topicPartitions:
        owned &&
        Object.entries(owned).map(([name, partitions]) => ({
          topicId: this.topicId(name),
          partitions: [...partitions],
        })),
    }
    const replyTo = this.#next++
    this.step({
      kind: 'consumerHeartbeat',
      groupId: request.groupId,
      replyTo,
      sender: {
        apiVersion: 1,
        clientId: options.clientId ?? 'client',
        clientHost: '/127.0.0.1',
        connectionId: options.connectionId ?? 1,
      },
      request,
      newMemberId: member === '' ? `made-${replyTo - 999_999}` : member,
    })
    const { throttleTimeMs: _, assignment, ...answer } = this.answer<ConsumerGroupHeartbeatResponse>(replyTo)!
    return { ...answer, assignment: assignment && this.named(assignment.topicPartitions) }
  }

  /** Joins with these topics. */
  enterWith(member: string, topics: readonly string[] = ['orders'], options: HeartbeatOptions = {}): Answer {
    return this.beat({ member, topics, ...options })
  }

  describeConsumers(group = groupId): DescribedConsumerGroup {
    const replyTo = this.#next++
    this.step({ kind: 'consumerDescribe', groupId: group, replyTo })
    return this.answer<DescribedConsumerGroup>(replyTo)!
  }

  /** What each member has and is meant to have, by member id. */
  get holdings(): Record<string, { epoch: number; has: Partitions; target: Partitions }> {
    return Object.fromEntries(
      this.describeConsumers().members.map(({ memberId, memberEpoch, assignment, targetAssignment }) => [
        memberId,
        {
          epoch: memberEpoch,
          has: this.named(assignment.topicPartitions),
          target: this.named(targetAssignment.topicPartitions),
        },
      ]),
    )
  }

  get groupState(): string {
    return this.describeConsumers().groupState
  }

  /** Creates the topic, or gives it more partitions, and tells the groups. */
  topic(name: string, partitions: number, racksOf?: (partition: number) => readonly string[]): void {
    const anyCreated = this.topics.byName(name) === null
    this.topics.set(name, partitions, { ...(racksOf && { racksOf }) })
    this.step({ kind: 'topicsChanged', topics: [name], anyCreated })
  }

  deleteTopic(name: string): void {
    this.topics.delete(name)
    this.step({ kind: 'topicsChanged', topics: [name], anyCreated: false })
  }

  /** The records that were appended while `what` happened. */
  appended(what: () => void): readonly GroupRecord[] {
    const before = this.records.length
    what()
    return this.records.slice(before)
  }

  /** A topic that has been deleted goes by its id. */
  topicId(name: string): string {
    return this.topics.byName(name)?.id ?? (decodeUuid(name) === null ? ZERO_UUID : name)
  }

  named(list: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]): Partitions {
    return Object.fromEntries(
      list.map(({ topicId, partitions }) => [this.topics.byId(topicId)?.name ?? topicId, partitions]),
    )
  }
}

/** A client that does what it is told: owns what it was given last, and gives up what it was not given again. */
export class ObedientClient {
  readonly memberId: string
  readonly #tester: ConsumerGroupTester
  readonly #options: HeartbeatOptions
  epoch = 0
  owned: Partitions = {}
  #reported = false

  constructor(tester: ConsumerGroupTester, memberId: string, options: HeartbeatOptions = {}) {
    this.#tester = tester
    this.memberId = memberId
    this.#options = { topics: ['orders'], ...options }
  }

  /** Says what it owns with each heartbeat. A fenced client gives up everything, and joins again the next time. */
  beat(): Answer {
    const joins = this.epoch === 0
    const { instance = null } = this.#options
    const options: HeartbeatOptions = joins
      ? { ...this.#options, member: this.memberId }
      : { member: this.memberId, epoch: this.epoch, owned: this.owned, instance }
    const answer = this.#tester.beat(options)
    if (answer.errorCode !== 0) {
      this.epoch = 0
      this.owned = {}
      return answer
    }
    this.epoch = answer.memberEpoch
    this.owned = answer.assignment ?? this.owned
    this.#reported = true
    return answer
  }

  get instance(): string | null {
    return this.#options.instance ?? null
  }

  get hasJoined(): boolean {
    return this.#reported && this.epoch > 0
  }
}
