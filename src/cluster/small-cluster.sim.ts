// A cluster for tests: real metadata in a memory disk, real membership and administration, no logs and no sockets.

import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import type { Disk } from '../io/disk.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import type { Standing } from './administration.ts'
import { claimClusterId } from './cluster-identity.ts'
import { ClusterViewOfStore } from './cluster-view.ts'
import { FileJournal } from './file-journal.ts'
import type { TopicImage } from './image.ts'
import { type FolderMemory, openFolderMemory } from './folder-memory.ts'
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
  readonly folder: FolderMemory
}

export class SmallCluster {
  readonly clock: SimulatedClock
  readonly disk: Disk
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
    const disk = options.disk ?? new MemoryDisk()
    const journal = new FileJournal(disk, '/data/__cluster_metadata-0')
    const clock = new SimulatedClock()
    const store = await EmbeddedMetaStore.open({ journal, clock })
    await claimClusterId(store, 'Some-cluster-id-of-22c')
    const view = await ClusterViewOfStore.open({
      store,
      onFault: (error) => {
        throw error
      },
    })
    const cluster = new SmallCluster(clock, disk, store, view, options)
    for (const id of options.brokers ?? [1]) await cluster.join(id)
    return cluster
  }

  private constructor(
    clock: SimulatedClock,
    disk: Disk,
    store: EmbeddedMetaStore,
    view: ClusterViewOfStore,
    options: SmallClusterOptions,
  ) {
    this.clock = clock
    this.disk = disk
    this.store = store
    this.view = view
    this.settings = brokerSettings(options.settings ?? {})
    const brokerId = options.brokers?.[0] ?? 1
    this.topics = this.admin(brokerId, options.served)
    this.topicConfigs = new TopicConfigs({ store, view, brokerId, membership: this.membershipOf(brokerId) })
  }

  admin(brokerId: number, served: () => Promise<void> = async () => {}): TopicAdmin {
    const { store, view, settings, clock, random } = this
    const membership = this.membershipOf(brokerId)
    return new TopicAdmin({ store, view, settings, membership, brokerId, clock, random, served })
  }

  /** Of the broker as it is when asked. */
  membershipOf(brokerId: number): Standing {
    return { valid: () => this.brokers.get(brokerId)?.membership.valid() ?? false }
  }

  /** A broker starts; its listener PLAINTEXT is at `broker-<id>:9092`, its folder on the cluster's disk unless it comes with one. */
  async join(id: number, options: { folder?: FolderMemory; rack?: string } = {}): Promise<BrokerUnderTest> {
    const folder = options.folder ?? (await this.folderOf(id))
    const store = this.store.connect()
    const { view, random, settings, clock } = this
    const membership = new Membership({
      store,
      view,
      settings,
      brokerId: id,
      rack: options.rack ?? null,
      folder,
      clock,
      random,
      logger: silentLogger,
    })
    await membership.start([{ listener: 'PLAINTEXT', host: `broker-${id}`, port: 9092 }])
    const broker = { id, store, membership, folder }
    this.brokers.set(id, broker)
    return broker
  }

  /** As the broker's last run left it, closed in order. */
  async folderOf(id: number): Promise<FolderMemory> {
    const path = `/brokers/${id}`
    await this.disk.makeFolder(path)
    return openFolderMemory({ disk: this.disk, path, place: path, directoryId: `folder-${id}`, wasClean: true })
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
