// Which leader each partition of this broker is copied from: follows the partitions' states, with one fetcher and one connection for each
// broker that leads any of them.

import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Network } from '../io/network.ts'
import type { Random } from '../io/random.ts'
import { LastSlab } from '../lib/last-slab.ts'
import type { Logger } from '../lib/logger.ts'
import { type FetcherSettings, ReplicaFetcher } from './fetcher.ts'
import type { MembershipGate } from './membership-gate.ts'
import type { Partition } from './partition.ts'
import { type PeerAddress, PeerConnection } from './peer-connection.ts'
import type { ReplicaSet } from './replica-set.ts'

export interface ReplicaFetchersOptions {
  readonly replicas: ReplicaSet
  readonly membership: MembershipGate
  readonly settings: FetcherSettings & Pick<BrokerSettings, 'replicaSocketTimeoutMs' | 'socketRequestMaxBytes'>
  /** Where another broker listens for brokers, by the newest image; null: it is not there. */
  readonly addressOf: (brokerId: number) => PeerAddress | null
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export class ReplicaFetchers {
  readonly #options: ReplicaFetchersOptions
  readonly #byLeader = new Map<number, ReplicaFetcher>()
  /** Where each partition is copied from. */
  readonly #leaderOf = new Map<Partition, number>()
  readonly #closing = new Set<Promise<void>>()
  #end: () => void = () => {}

  constructor(options: ReplicaFetchersOptions) {
    this.#options = options
  }

  /** Brokers that are copied from, with the number of partitions. */
  get leaders(): ReadonlyMap<number, number> {
    return new Map([...this.#byLeader].map(([id, { size }]) => [id, size]))
  }

  /** From now on every partition that follows is copied. */
  start(): void {
    const { replicas } = this.#options
    this.#end = replicas.onPartition((partition) => this.#place(partition))
    for (const partition of replicas.all()) this.#place(partition)
  }

  /** Resolves when nothing is fetched any more. */
  async stop(): Promise<void> {
    this.#end()
    for (const leaderId of this.#byLeader.keys()) this.#close(leaderId)
    this.#leaderOf.clear()
    await Promise.all(this.#closing)
  }

  #place(partition: Partition): void {
    const leaderId = partition.state === 'following' ? partition.image.leader : -1
    const before = this.#leaderOf.get(partition) ?? -1
    if (before >= 0 && before !== leaderId) {
      this.#leaderOf.delete(partition)
      this.#byLeader.get(before)?.leave(partition)
    }
    if (leaderId >= 0) {
      this.#leaderOf.set(partition, leaderId)
      this.#fetcherFor(leaderId).follow(partition)
    }
    if (before >= 0 && this.#byLeader.get(before)?.size === 0) this.#close(before)
  }

  #fetcherFor(leaderId: number): ReplicaFetcher {
    const known = this.#byLeader.get(leaderId)
    if (known !== undefined) return known
    const { settings, membership, clock, logger, network, random, addressOf, replicas } = this.#options
    const throttle = replicas.throttles?.follower ?? null
    // The next fetch leaves when what the last one brought is written: one answer is here at a time.
    const answers = new LastSlab()
    const connection = new PeerConnection({
      network,
      clock,
      random,
      clientId: `broker-${settings.brokerId}-fetcher-0`,
      address: () => addressOf(leaderId),
      timeoutMs: settings.replicaSocketTimeoutMs,
      // A batch larger than the limit comes whole; no batch is larger than a request.
      responseBytesMax: settings.replicaFetchResponseMaxBytes + settings.socketRequestMaxBytes,
      memoryFor: (size) => answers.take(size),
    })
    const fetcher = new ReplicaFetcher({ leaderId, connection, membership, settings, throttle, clock, logger })
    this.#byLeader.set(leaderId, fetcher)
    return fetcher
  }

  #close(leaderId: number): void {
    const fetcher = this.#byLeader.get(leaderId)
    if (fetcher === undefined) return
    this.#byLeader.delete(leaderId)
    const closing = fetcher.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
