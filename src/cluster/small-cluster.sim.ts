// A cluster for tests: real metadata in a memory disk, real membership and administration, no logs and no sockets.

import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import type { Disk } from '../io/disk.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { claimClusterId } from './cluster-identity.ts'
import { ClusterViewOfStore } from './cluster-view.ts'
import { FileJournal } from './file-journal.ts'
import type { TopicImage } from './image.ts'
import { Membership } from './membership.ts'
import { EmbeddedMetaStore } from './meta-store.embedded.ts'
import type { MetaStore } from './meta-store.ts'
import { brokerSettings, type BrokerSettings } from './settings/broker-settings.ts'
import { type NewTopic, TopicAdmin } from './topic-admin.ts'
import { TopicConfigs } from './topic-configs.ts'

export interface SmallClusterOptions {
  /** Ids, in the order in which they start. Default: broker 1 alone. */
  readonly brokers?: readonly number[]
  /** By Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>
  readonly disk?: Disk
  readonly served?: () => Promise<void>
}

export interface BrokerUnderTest {
  readonly id: number
  readonly store: MetaStore
  readonly membership: Membership
}

export class SmallCluster {
  readonly clock: SimulatedClock
  readonly random = seededRandom(1)
  readonly settings: BrokerSettings
  readonly store: EmbeddedMetaStore
  readonly view: ClusterViewOfStore
  readonly brokers = new Map<number, BrokerUnderTest>()
  /** Of the first broker. */
  readonly topics: TopicAdmin
  /** Of the first broker. */
  readonly topicConfigs: TopicConfigs

  static async start(options: SmallClusterOptions = {}): Promise<SmallCluster> {
    const journal = new FileJournal(options.disk ?? new MemoryDisk(), '/data/__cluster_metadata-0')
    const clock = new SimulatedClock()
    const store = await EmbeddedMetaStore.open({ journal, clock })
    await claimClusterId(store, 'Some-cluster-id-of-22c')
    const view = await ClusterViewOfStore.open({
      store,
      onFault: (error) => {
        throw error
      },
    })
    const cluster = new SmallCluster(clock, store, view, options)
    for (const id of options.brokers ?? [1]) await cluster.join(id)
    return cluster
  }

  private constructor(
    clock: SimulatedClock,
    store: EmbeddedMetaStore,
    view: ClusterViewOfStore,
    options: SmallClusterOptions,
  ) {
    this.clock = clock
    this.store = store
    this.view = view
    this.settings = brokerSettings(options.settings ?? {})
    const brokerId = options.brokers?.[0] ?? 1
    this.topics = this.admin(brokerId, options.served)
    this.topicConfigs = new TopicConfigs({ store, view, brokerId })
  }

  admin(brokerId: number, served: () => Promise<void> = async () => {}): TopicAdmin {
    const { store, view, settings, random } = this
    return new TopicAdmin({ store, view, settings, brokerId, random, served })
  }

  /** A broker starts; its listener PLAINTEXT is at `broker-<id>:9092`. */
  async join(id: number): Promise<BrokerUnderTest> {
    const store = this.store.connect()
    const { view, random } = this
    const membership = new Membership({ store, view, brokerId: id, rack: null, random, logger: silentLogger })
    await membership.start([{ listener: 'PLAINTEXT', host: `broker-${id}`, port: 9092 }])
    const broker = { id, store, membership }
    this.brokers.set(id, broker)
    return broker
  }

  topic(name: string): TopicImage | undefined {
    return this.view.image.topicsByName.get(name)
  }

  /** Closes the store; the same disk can be started again. */
  async stop(): Promise<void> {
    this.view.close()
    await this.store.close()
  }
}

export function newTopic(name: string, options: Partial<NewTopic> = {}): NewTopic {
  return { name, partitions: -1, replicationFactor: -1, assignments: [], configs: new Map(), ...options }
}
