// What keeps the replicas of several brokers alike, wired: partitions that follow are copied from their leaders, and the ISRs of those
// that lead are kept.

import type { ClusterView } from '../cluster/image.ts'
import type { Membership } from '../cluster/membership.ts'
import type { MetaStore } from '../cluster/meta-store.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Network } from '../io/network.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { ReplicaFetchers } from '../replication/fetchers.ts'
import { IsrKeeper } from '../replication/isr-keeper.ts'
import type { PeerAddress } from '../replication/peer-connection.ts'
import type { ReplicaSet } from '../replication/replica-set.ts'
import type { DiskRoom } from '../storage/disk/disk-room.ts'

export interface ReplicationParts {
  readonly store: MetaStore
  readonly cluster: ClusterView
  readonly replicas: ReplicaSet
  readonly membership: Membership
  readonly room: DiskRoom
  readonly settings: BrokerSettings
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export class Replication {
  readonly #isrKeeper: IsrKeeper
  readonly #fetchers: ReplicaFetchers
  #stopped: Promise<void> | null = null

  constructor({
    store,
    cluster,
    replicas,
    membership,
    room,
    settings,
    network,
    clock,
    random,
    logger,
  }: ReplicationParts) {
    const { brokerId, replicaLagTimeMaxMs: lagTimeMaxMs } = settings
    const view = cluster
    this.#isrKeeper = new IsrKeeper({ brokerId, store, view, replicas, membership, room, lagTimeMaxMs, clock, logger })
    const addressOf = (id: number): PeerAddress | null => addressBetweenBrokers(id, settings, cluster)
    this.#fetchers = new ReplicaFetchers({ replicas, membership, settings, addressOf, network, clock, random, logger })
  }

  /** The broker is registered. */
  start(): void {
    this.#isrKeeper.start()
    this.#fetchers.start()
  }

  /** Resolves when nothing is fetched or written any more. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all([this.#fetchers.stop(), this.#isrKeeper.stop()]).then(() => {})
    return this.#stopped
  }
}

/** By inter.broker.listener.name; null when the broker is not there. */
function addressBetweenBrokers(id: number, settings: BrokerSettings, { image }: ClusterView): PeerAddress | null {
  const name = settings.interBrokerListenerName?.toUpperCase() ?? settings.listeners[0]!.name
  return image.brokers.get(id)?.endpoints.find(({ listener }) => listener === name) ?? null
}
