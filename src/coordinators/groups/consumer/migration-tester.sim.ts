// A consumer of the classic protocol as its clients are: joins, syncs, sends heartbeats, and does what the answers say. For tests of
// groups with members of both protocols.

import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import type { SyncGroupResponse } from '../../../protocol/apis/sync-group.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { ReplyTo } from '../../effect.ts'
import type { ConsumerGroupTester, Partitions } from './consumer-group-tester.sim.ts'

/** Metadata of a protocol in JoinGroup. */
export function subscription(
  topics: readonly string[],
  options: { readonly owned?: Partitions; readonly rackId?: string | null; readonly version?: number } = {},
): Uint8Array {
  const ownedPartitions = Object.entries(options.owned ?? {}).map(([topic, partitions]) => ({ topic, partitions }))
  const { rackId = null, version = 3 } = options
  return consumerProtocolSubscription.encode({ topics, userData: null, ownedPartitions, rackId }, version)
}

/** What a leader gives a member. */
export function assignment(partitions: Partitions, options: { readonly userData?: Uint8Array } = {}): Uint8Array {
  const assignedPartitions = Object.entries(partitions).map(([topic, listed]) => ({ topic, partitions: listed }))
  return consumerProtocolAssignment.encode({ assignedPartitions, userData: options.userData ?? null }, 1)
}

export function read(bytes: Uint8Array): Partitions {
  if (bytes.length === 0) return {}
  const { assignedPartitions } = consumerProtocolAssignment.decode(bytes)
  return Object.fromEntries(assignedPartitions.map(({ topic, partitions }) => [topic, partitions]))
}

export interface ClassicClientOptions {
  readonly topics?: readonly string[]
  readonly instance?: string
  /** Keeps its partitions while it rejoins (KIP-429). */
  readonly cooperative?: boolean
  readonly protocols?: readonly string[]
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
}

export class ClassicClient {
  readonly #tester: ConsumerGroupTester
  topics: readonly string[]
  readonly instance: string | null
  readonly #cooperative: boolean
  readonly #protocols: readonly string[]
  readonly #timeouts: { readonly sessionTimeoutMs: number; readonly rebalanceTimeoutMs: number }
  memberId = ''
  generation = -1
  owned: Partitions = {}
  #phase: 'out' | 'joining' | 'syncing' | 'stable' = 'out'
  /** Of a leader: the topics as they were when it dealt them out. */
  #dealt: number | null = null
  #join: ReplyTo<JoinGroupResponse> = 0
  #sync: ReplyTo<SyncGroupResponse> = 0

  constructor(tester: ConsumerGroupTester, options: ClassicClientOptions = {}) {
    this.#tester = tester
    this.topics = options.topics ?? ['orders']
    this.instance = options.instance ?? null
    this.#cooperative = options.cooperative ?? false
    this.#protocols = options.protocols ?? [this.#cooperative ? 'cooperative-sticky' : 'range']
    const { sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 60_000 } = options
    this.#timeouts = { sessionTimeoutMs, rebalanceTimeoutMs }
  }

  get isStable(): boolean {
    return this.#phase === 'stable'
  }

  /** One step of whatever it is about: sends what is to be sent next, or looks whether it has been answered. */
  step(): void {
    switch (this.#phase) {
      case 'out':
        return this.join()
      case 'joining':
        return this.#whenJoined()
      case 'syncing':
        return this.#whenSynced()
      case 'stable':
        return this.#beat()
    }
  }

  /** An eager client gives up all it has before it joins. */
  join(): void {
    if (!this.#cooperative) this.owned = {}
    const metadata = subscription(this.topics, { owned: this.owned })
    this.#join = this.#tester.join({
      memberId: this.memberId,
      instanceId: this.instance,
      protocols: this.#protocols.map((name) => [name, metadata]),
      ...this.#timeouts,
    })
    this.#phase = 'joining'
    this.#whenJoined()
  }

  #whenJoined(): void {
    const answer = this.#tester.answer(this.#join)
    if (answer === undefined) return
    const { errorCode, memberId, generationId } = answer
    if (errorCode === ErrorCode.NONE) {
      this.memberId = memberId
      this.generation = generationId
      return this.#startSync(answer)
    }
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.memberId = memberId
      return this.join()
    }
    if (errorCode !== ErrorCode.REBALANCE_IN_PROGRESS) return this.lost()
    this.#phase = 'out'
  }

  /** A leader deals partitions out in turn. */
  #startSync(joined: JoinGroupResponse): void {
    const leads = joined.leader === joined.memberId && joined.members.length > 0
    // Who leads without having dealt anything out does not know for which topics that was: it will ask to do so.
    const dealtFor = joined.skipAssignment ? 0 : this.#tester.topics.revision
    this.#dealt = leads ? dealtFor : null
    this.#sync = this.#tester.sync(
      this.memberId,
      this.generation,
      leads && !joined.skipAssignment ? this.#deal(joined) : {},
      {
        ...(this.instance === null ? {} : { instanceId: this.instance }),
        ...(joined.protocolType === null ? {} : { protocolType: joined.protocolType }),
        ...(joined.protocolName === null ? {} : { protocolName: joined.protocolName }),
      },
    )
    this.#phase = 'syncing'
    this.#whenSynced()
  }

  #deal({ members }: JoinGroupResponse): Record<string, Uint8Array> {
    const readers = members.map(({ memberId, metadata }) => {
      const { topics } = consumerProtocolSubscription.decode(metadata)
      return { memberId, topics, dealt: new Map<string, number[]>() }
    })
    for (const topic of this.#tester.topics.names()) {
      const own = readers.filter(({ topics }) => topics.includes(topic))
      const count = this.#tester.topics.byName(topic)!.partitionCount
      for (let partition = 0; own.length > 0 && partition < count; partition++) {
        const { dealt } = own[partition % own.length]!
        dealt.set(topic, [...(dealt.get(topic) ?? []), partition])
      }
    }
    return Object.fromEntries(readers.map(({ memberId, dealt }) => [memberId, assignment(Object.fromEntries(dealt))]))
  }

  #whenSynced(): void {
    const answer = this.#tester.answer(this.#sync)
    if (answer === undefined) return
    const { errorCode } = answer
    if (errorCode !== ErrorCode.NONE) return this.#joinAgain(errorCode)
    const before = this.owned
    this.owned = read(answer.assignment)
    this.#phase = 'stable'
    // A cooperative client that has lost something says so by joining once more (KIP-429).
    if (this.#cooperative && loses(before, this.owned)) this.join()
  }

  #beat(): void {
    const code = this.#tester.heartbeat(this.memberId, this.generation, this.instance)
    if (code !== ErrorCode.NONE) return this.#joinAgain(code)
    // A leader sees for itself that topics have more partitions.
    if (this.#dealt !== null && this.#dealt !== this.#tester.topics.revision) this.join()
  }

  #joinAgain(code: number): void {
    if (code === ErrorCode.REBALANCE_IN_PROGRESS) return this.join()
    if (code !== ErrorCode.ILLEGAL_GENERATION) return this.lost()
    this.owned = {}
    this.join()
  }

  /** The coordinator has moved: what waits for an answer is asked once more. */
  interrupted(): void {
    if (this.#phase !== 'stable') this.#phase = 'out'
  }

  /** Is nobody any more, and has nothing. */
  lost(): void {
    this.memberId = ''
    this.generation = -1
    this.owned = {}
    this.#phase = 'out'
  }

  leave(): void {
    if (this.memberId !== '')
      this.#tester.leave({ memberId: this.memberId, ...(this.instance && { instanceId: this.instance }) })
    this.lost()
  }
}

function loses(before: Partitions, after: Partitions): boolean {
  return Object.entries(before).some(([topic, partitions]) => partitions.some((each) => !after[topic]?.includes(each)))
}
