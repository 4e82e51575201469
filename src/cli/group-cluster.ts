// A cluster as `odradek group` asks it: a connection to each broker it needs, who coordinates a group, who leads a partition.

import { systemClock } from '../io/clock.ts'
import { realNetwork } from '../io/network.real.ts'
import { findCoordinator } from '../protocol/apis/find-coordinator.ts'
import { metadata, type MetadataResponse } from '../protocol/apis/metadata.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../protocol/schema/index.ts'
import { type BrokerAddress, BrokerClient, NoAnswer } from './broker-client.ts'

/** What cannot be done, in words for whoever asked for it. */
export class GroupRefused extends Error {
  override readonly name = 'GroupRefused'
}

/** None of the brokers that were named can be asked. */
export class NotAsked extends Error {
  override readonly name = 'NotAsked'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.problems = problems
  }
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Coordinators that have just moved are asked again for so long. */
const coordinatorPatienceMs = 15_000
const retryAfterMs = 200

const passing = new Set<ErrorCode>([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

/** `orders-3` */
export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

export class GroupCluster {
  readonly #brokers: ReadonlyMap<number, BrokerAddress>
  readonly #topics: ReadonlyMap<string, MetadataResponse['topics'][number]>
  readonly #clients = new Map<number, Promise<BrokerClient>>()

  /** Asks the first of the addresses that answers. Rejects with `NotAsked` when none does. */
  static async connect(addresses: readonly BrokerAddress[]): Promise<GroupCluster> {
    const problems: string[] = []
    for (const address of addresses) {
      try {
        const client = await BrokerClient.connect(realNetwork, systemClock, address)
        try {
          return new GroupCluster(await client.ask(metadata, { topics: null, allowAutoTopicCreation: false }))
        } finally {
          client.close()
        }
      } catch (error) {
        problems.push(`${address.host}:${address.port} cannot be asked: ${wordsOfError(error)}`)
      }
    }
    throw new NotAsked(problems)
  }

  private constructor({ brokers, topics }: MetadataResponse) {
    this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    this.#topics = new Map(topics.map((topic) => [topic.name ?? '', topic]))
  }

  get brokerIds(): readonly number[] {
    return [...this.#brokers.keys()].toSorted((a, b) => a - b)
  }

  /** `host:port`, or `?` for a broker the cluster does not list. */
  addressOf(brokerId: number): string {
    const address = this.#brokers.get(brokerId)
    if (address === undefined) return '?'
    return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
  }

  /** In order; null for a topic there is none of. */
  partitionsOf(topic: string): readonly number[] | null {
    const partitions = this.#topics.get(topic)?.partitions
    return partitions?.map(({ partitionIndex }) => partitionIndex).toSorted((a, b) => a - b) ?? null
  }

  /** Null when the partition has none now, or there is no such partition. */
  leaderOf({ topic, partition }: TopicPartition): number | null {
    const found = this.#topics.get(topic)?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
    return found === undefined || found.leaderId === -1 ? null : found.leaderId
  }

  async serves(brokerId: number, api: AnyApi): Promise<boolean> {
    return (await this.#client(brokerId)).serves(api)
  }

  /** Rejects with words that name the broker. */
  async ask<A extends AnyApi>(
    brokerId: number,
    api: A,
    body: RequestInput<A>,
    versions: { readonly oldest?: number; readonly newest?: number } = {},
  ): Promise<ResponseOf<A>> {
    const client = await this.#client(brokerId)
    try {
      return await client.ask(api, body, versions)
    } catch (error) {
      throw new Error(`broker ${brokerId} (${this.addressOf(brokerId)}): ${wordsOfError(error)}`, { cause: error })
    }
  }

  /**
   * Asks the group's coordinator for what brokers serve without naming it, as `askCoordinator` does. On a connection of its own, which a
   * broker that does not know the API closes: null then.
   */
  async askCoordinatorUnnamed<A extends AnyApi>(
    groupId: string,
    api: A,
    body: RequestInput<A>,
    codeOf: (response: ResponseOf<A>) => ErrorCode,
  ): Promise<ResponseOf<A> | null> {
    return this.#patiently(
      async () => this.#askUnnamed(await this.coordinatorOf(groupId), api, body),
      (answer) => (answer === null ? ErrorCode.NONE : codeOf(answer)),
    )
  }

  /** The broker that coordinates the group. */
  async coordinatorOf(groupId: string): Promise<number> {
    const [first] = this.brokerIds
    if (first === undefined) throw new GroupRefused('the cluster lists no brokers')
    const { nodeId } = await this.#patiently(
      () => this.ask(first, findCoordinator, { keyType: 0, coordinatorKeys: [groupId] }, { oldest: 4 }),
      ({ coordinators }) => coordinators[0]?.errorCode ?? ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ).then(({ coordinators }) => coordinators[0]!)
    return nodeId
  }

  /** Asks the group's coordinator, again while it moves or loads. An error that stays is the caller's. */
  async askCoordinator<A extends AnyApi>(
    groupId: string,
    api: A,
    body: RequestInput<A>,
    codeOf: (response: ResponseOf<A>) => ErrorCode,
    versions: { readonly oldest?: number; readonly newest?: number } = {},
  ): Promise<ResponseOf<A>> {
    return this.#patiently(async () => this.ask(await this.coordinatorOf(groupId), api, body, versions), codeOf)
  }

  close(): void {
    for (const client of this.#clients.values()) {
      client.then(
        (open) => open.close(),
        () => {},
      )
    }
  }

  async #patiently<T>(ask: () => Promise<T>, codeOf: (answer: T) => ErrorCode): Promise<T> {
    const until = systemClock.monotonic() + coordinatorPatienceMs
    for (;;) {
      const answer = await ask()
      const code = codeOf(answer)
      if (!passing.has(code)) return answer
      if (systemClock.monotonic() > until) throw new Error(`the coordinator is not there: ${errorName(code)}`)
      await new Promise<void>((resolve) => void systemClock.setTimer(retryAfterMs, resolve))
    }
  }

  async #askUnnamed<A extends AnyApi>(brokerId: number, api: A, body: RequestInput<A>): Promise<ResponseOf<A> | null> {
    const client = await this.#connect(brokerId)
    try {
      return await client.askUnnamed(api, body)
    } catch (error) {
      if (!(error instanceof NoAnswer)) return null
      throw new Error(`broker ${brokerId} (${this.addressOf(brokerId)}): ${error.message}`, { cause: error })
    } finally {
      client.close()
    }
  }

  #client(brokerId: number): Promise<BrokerClient> {
    let client = this.#clients.get(brokerId)
    if (client === undefined) this.#clients.set(brokerId, (client = this.#connect(brokerId)))
    return client
  }

  async #connect(brokerId: number): Promise<BrokerClient> {
    const address = this.#brokers.get(brokerId)
    if (address === undefined) throw new Error(`broker ${brokerId} is not there`)
    try {
      return await BrokerClient.connect(realNetwork, systemClock, address)
    } catch (error) {
      const where = this.addressOf(brokerId)
      throw new Error(`broker ${brokerId} (${where}) cannot be asked: ${wordsOfError(error)}`, { cause: error })
    }
  }
}

export const wordsOfError = (error: unknown): string => (error instanceof Error ? error.message : String(error))
