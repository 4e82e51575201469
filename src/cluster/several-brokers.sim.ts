// Several brokers over one store, each with its own faulty way to it, its own view and its own folder: they die, are cut off, come back,
// leave. There are no logs: a test says which follower is in sync (`join`, `fallBehind`).

import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { seededRandom } from '../io/random.sim.ts'
import type { Random } from '../io/random.ts'
import { type Logger, silentLogger } from '../lib/logger.ts'
import { claimClusterId } from './cluster-identity.ts'
import { ClusterViewOfStore } from './cluster-view.ts'
import { FileJournal } from './file-journal.ts'
import { VolatileFolder } from './volatile-folder.sim.ts'
import { Membership } from './membership.ts'
import { EmbeddedMetaStore } from './meta-store.embedded.ts'
import { FaultyMetaStore } from './meta-store.faulty.sim.ts'
import { brokerSettings, type BrokerSettings } from './settings/broker-settings.ts'
import { TopicAdmin } from './topic-admin.ts'

export interface RunningBroker {
  readonly id: number
  readonly store: FaultyMetaStore
  readonly view: ClusterViewOfStore
  readonly membership: Membership
  readonly topics: TopicAdmin
  /** Resolves when it is a member; rejects when it could not become one. */
  readonly started: Promise<void>
}

export interface BeginOptions {
  /** Whether the last run is taken to have ended in order. */
  readonly clean?: boolean
  /** As it was left, or an empty one. */
  readonly folder?: 'kept' | 'new'
  /** Where the folder is: another place for a copy, or when it was moved. */
  readonly place?: string
}

export interface SeveralBrokersOptions {
  readonly seed?: number
  readonly settings?: Readonly<Record<string, string>>
  readonly racks?: ReadonlyMap<number, string>
  readonly logger?: Logger
}

export class SeveralBrokers {
  readonly clock: SimulatedClock
  readonly random: Random
  readonly settings: BrokerSettings
  readonly store: EmbeddedMetaStore
  /** Without faults. */
  readonly view: ClusterViewOfStore
  readonly running = new Map<number, RunningBroker>()
  readonly #folders = new Map<number, VolatileFolder>()
  readonly #racks: ReadonlyMap<number, string>
  readonly #logger: Logger

  static async create(options: SeveralBrokersOptions = {}): Promise<SeveralBrokers> {
    const clock = new SimulatedClock()
    const store = await EmbeddedMetaStore.open({ journal: new FileJournal(new MemoryDisk(), '/metadata'), clock })
    await claimClusterId(store, 'Some-cluster-id-of-22c')
    return new SeveralBrokers(clock, store, await viewOf(store), options)
  }

  private constructor(
    clock: SimulatedClock,
    store: EmbeddedMetaStore,
    view: ClusterViewOfStore,
    { seed = 1, settings = {}, racks = new Map(), logger = silentLogger }: SeveralBrokersOptions,
  ) {
    this.clock = clock
    this.store = store
    this.view = view
    this.random = seededRandom(seed)
    this.settings = brokerSettings(settings)
    this.#racks = racks
    this.#logger = logger
  }

  async begin(
    id: number,
    { clean = true, folder = 'kept', place = 'here' }: BeginOptions = {},
  ): Promise<RunningBroker> {
    const { clock, random, settings } = this
    const store = new FaultyMetaStore(this.store, clock, random)
    const view = await viewOf(store, clock)
    const kept = folder === 'kept' ? this.#folders.get(id) : undefined
    const memory = new VolatileFolder(kept?.directoryId ?? random.uuid(), kept?.incarnations)
    memory.place = place
    memory.wasClean = clean
    this.#folders.set(id, memory)
    const membership = new Membership({
      store,
      view,
      settings,
      brokerId: id,
      rack: this.#racks.get(id) ?? null,
      folder: memory,
      clock,
      random,
      logger: this.#logger,
    })
    const administration = { store, view, settings, membership, brokerId: id, clock, random }
    const topics = new TopicAdmin({ ...administration, served: async () => {} })
    const started = membership.start([{ listener: 'PLAINTEXT', host: `broker-${id}`, port: 9092 }])
    const broker = { id, store, view, membership, topics, started }
    this.running.set(id, broker)
    // A process that cannot start ends.
    started.catch(() => {
      store.kill()
      if (this.running.get(id) === broker) this.running.delete(id)
    })
    return broker
  }

  /** As `begin`; resolves when it is a member. */
  async start(id: number, options: BeginOptions = {}): Promise<RunningBroker> {
    const broker = await this.begin(id, options)
    await this.finish(broker.started)
    return broker
  }

  kill(id: number): void {
    this.running.get(id)!.store.kill()
    this.running.delete(id)
  }

  /** Controlled shutdown. */
  async stop(id: number): Promise<void> {
    const { membership, store } = this.running.get(id)!
    this.running.delete(id)
    await this.finish(membership.leave(30_000))
    await this.finish(membership.stop())
    store.kill()
  }

  /** Lets time pass until it is done, an hour at most. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let done = false
    const mark = () => (done = true)
    work.then(mark, mark)
    await this.clock.advanceUntil(() => done)
    return work
  }
}

async function viewOf(store: EmbeddedMetaStore | FaultyMetaStore, clock?: SimulatedClock): Promise<ClusterViewOfStore> {
  return ClusterViewOfStore.open({
    store,
    ...(clock !== undefined && { remote: { clock } }),
    onFault: (error) => {
      throw error
    },
  })
}
