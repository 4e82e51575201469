// What every client of a cluster shares: connections to its brokers, and what it knows of topics and leaders. As Kafka's clients it never
// believes an older leader epoch than one it has heard of (KIP-320), and takes a new leader from an answer that names it (KIP-951).

import type { Clock, Millis } from '../../src/io/clock.ts'
import type { SeededRandom } from '../../src/io/random.sim.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import type { World } from '../contracts.ts'
import type { ProcessLife } from '../process-life.ts'
import { networkOf } from '../process-network.ts'
import { type BrokerAddress, Connection, Disconnected } from './connection.ts'

export interface KnownPartition {
  /** -1: nobody. */
  leader: number
  leaderEpoch: number
  replicas: readonly number[]
}

export interface KnownTopic {
  readonly id: string
  readonly partitions: KnownPartition[]
}

export interface ClusterClientOptions {
  readonly world: World
  /** Of its host in the network; its stream of randomness has the same. */
  readonly name: string
  readonly rack?: string
  /** Default 3000. */
  readonly timeoutMs?: Millis
  /** Topics, by id, of which it believes no broker that they are there: one that is behind may say so. */
  readonly isGone?: (topicId: string) => boolean
  /** The process it runs in, where that may be frozen or killed. */
  readonly life?: ProcessLife
}

interface NewLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

interface NodeEndpoint extends BrokerAddress {
  readonly nodeId: number
}

const pauseMinMs = 20
const pauseMaxMs = 500

export class ClusterClient {
  readonly world: World
  readonly name: string
  readonly rack: string
  readonly random: SeededRandom
  readonly #clock: Clock
  readonly #life: ProcessLife | null
  readonly #timeoutMs: Millis
  readonly #isGone: (topicId: string) => boolean
  readonly #addresses = new Map<number, BrokerAddress>()
  readonly #connections = new Map<number, Connection>()
  readonly #topics = new Map<string, KnownTopic>()
  readonly #coordinators = new Map<string, number>()
  #refreshing: Promise<void> | null = null
  #wanted = new Set<string>()
  #closed = false

  constructor({ world, name, rack = '', timeoutMs = 3000, isGone = () => false, life }: ClusterClientOptions) {
    this.world = world
    this.#life = life ?? null
    this.#clock = life?.clock ?? world.clock
    this.name = name
    this.rack = rack
    this.random = world.random(name)
    this.#timeoutMs = timeoutMs
    this.#isGone = isGone
    for (const { id, host } of world.machines) this.#addresses.set(id, { host, port: world.portOfBrokers })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  close(): void {
    this.#closed = true
    for (const connection of this.#connections.values()) connection.close()
  }

  note(what: string): void {
    this.world.trace.add(this.name, what)
  }

  /** The connection to a broker, a new one when the last has ended. */
  connectionTo(brokerId: number): Connection {
    const known = this.#connections.get(brokerId)
    if (known?.isOpen === true) return known
    const address = this.#addresses.get(brokerId)
    if (address === undefined) throw new Disconnected(`no address of broker ${brokerId} is known`)
    const host = this.world.network.host(this.name)
    const connection = new Connection({
      network: this.#life === null ? host : networkOf(host, this.#life),
      clock: this.#clock,
      clientId: this.name,
      address,
      timeoutMs: this.#timeoutMs,
    })
    if (this.#closed) connection.close()
    this.#connections.set(brokerId, connection)
    return connection
  }

  /** Rejects with `Disconnected`. */
  async ask<A extends AnyApi>(
    brokerId: number,
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs?: Millis,
  ): Promise<ResponseOf<A>> {
    return this.connectionTo(brokerId).ask(api, version, body, timeoutMs)
  }

  /** Any broker. Rejects with `Disconnected`. */
  askAny<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, timeoutMs?: Millis): Promise<ResponseOf<A>> {
    return this.ask(this.random.pick([...this.#addresses.keys()]), api, version, body, timeoutMs)
  }

  /** A pause before the next try, longer with every one in vain. */
  async pause(tries = 0): Promise<void> {
    const ms = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(tries, 6))
    await this.sleep(ms / 2 + this.random.below(ms))
  }

  sleep(ms: Millis): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(ms, resolve))
  }

  topic(name: string): KnownTopic | undefined {
    return this.#topics.get(name)
  }

  nameOf(topicId: string): string | undefined {
    for (const [name, { id }] of this.#topics) if (id === topicId) return name
    return undefined
  }

  /** Who leads, as far as is known. */
  partition(topic: string, index: number): KnownPartition | undefined {
    const known = this.#topics.get(topic)?.partitions[index]
    return known === undefined || known.leader < 0 ? undefined : known
  }

  /** Asks one broker what it knows of these topics and all others asked for so far. Never rejects. */
  async refresh(...topics: string[]): Promise<void> {
    for (const topic of topics) this.#wanted.add(topic)
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null
    })
    await this.#refreshing
  }

  forget(topic: string): void {
    this.#wanted.delete(topic)
    this.#topics.delete(topic)
  }

  /** From an answer that says who leads now (KIP-951). False when it is no news. */
  heardOf(topic: string, index: number, leader: NewLeader, endpoints: readonly NodeEndpoint[] = []): boolean {
    for (const { nodeId, host, port } of endpoints) this.#addresses.set(nodeId, { host, port })
    const known = this.#topics.get(topic)?.partitions[index]
    if (known === undefined || leader.leaderId < 0 || leader.leaderEpoch <= known.leaderEpoch) return false
    known.leader = leader.leaderId
    known.leaderEpoch = leader.leaderEpoch
    return true
  }

  /** Null when nobody knows it yet. Never rejects. */
  async coordinatorOf(group: string): Promise<number | null> {
    const known = this.#coordinators.get(group)
    if (known !== undefined) return known
    try {
      const { coordinators } = await this.askAny(findCoordinator, 4, { keyType: 0, coordinatorKeys: [group] })
      const found = coordinators[0]
      if (found === undefined || found.errorCode !== ErrorCode.NONE) return null
      this.#addresses.set(found.nodeId, { host: found.host, port: found.port })
      this.#coordinators.set(group, found.nodeId)
      return found.nodeId
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      return null
    }
  }

  forgetCoordinator(group: string): void {
    this.#coordinators.delete(group)
  }

  async #refresh(): Promise<void> {
    const topics = [...this.#wanted].map((name) => ({ name }))
    try {
      const answer = await this.askAny(metadata, 12, { topics, allowAutoTopicCreation: false })
      for (const { nodeId, host, port } of answer.brokers) this.#addresses.set(nodeId, { host, port })
      for (const { errorCode, name, topicId, partitions } of answer.topics) {
        if (name === null) continue
        if (errorCode === ErrorCode.NONE) this.#learn(name, topicId, partitions)
        else if (errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) {
          this.note(`metadata of ${name}: ${errorName(errorCode)}`)
        }
      }
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
    }
  }

  #learn(name: string, id: string, partitions: ResponseOf<typeof metadata>['topics'][number]['partitions']): void {
    if (this.#isGone(id)) return
    const before = this.#topics.get(name)
    const known: KnownTopic = before?.id === id ? before : { id, partitions: [] }
    for (const { partitionIndex, leaderId: leader, leaderEpoch, replicaNodes: replicas } of partitions) {
      const last = known.partitions[partitionIndex]
      if (last !== undefined && last.leaderEpoch > leaderEpoch) continue
      known.partitions[partitionIndex] = { leader, leaderEpoch, replicas }
    }
    this.#topics.set(name, known)
  }
}
