// Brokers that replicate, without the rest: real logs, replica sets, fetch handlers, fetchers and ISR keepers on simulated disks, network
// and clock, around one metadata store in memory. Registrations and elections are the test's, by the controller's own rule.

import assert from 'node:assert/strict'
import { ClusterViewOfStore, initialChange } from '../cluster/cluster-view.ts'
import { attendedPartition } from '../cluster/controller/attended-partition.ts'
import { encodeDocument, type PartitionDocument } from '../cluster/documents.ts'
import { FileJournal } from '../cluster/file-journal.ts'
import type { PartitionImage } from '../cluster/image.ts'
import { liveKey, partitionKey, topicKey } from '../cluster/keys.ts'
import { EmbeddedMetaStore } from '../cluster/meta-store.embedded.ts'
import { FaultyMetaStore, noFaults, type WriteFaults } from '../cluster/meta-store.faulty.sim.ts'
import { type BrokerSettings, brokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock, Timer } from '../io/clock.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { SimulatedNetwork } from '../io/network.sim.ts'
import { type SeededRandom, seededRandom } from '../io/random.sim.ts'
import type { Logger } from '../lib/logger.ts'
import { fetch } from '../protocol/apis/fetch.ts'
import { listOffsets } from '../protocol/apis/list-offsets.ts'
import { produce } from '../protocol/apis/produce.ts'
import { baseOffsetOf, nextOffsetOf } from '../records/batch.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { batchesIn } from '../records/batches-in.ts'
import { ReplicaFetchers } from '../replication/fetchers.ts'
import { IsrKeeper } from '../replication/isr-keeper.ts'
import type { MembershipGate } from '../replication/membership-gate.ts'
import type { Partition } from '../replication/partition.ts'
import { ReplicaSet } from '../replication/replica-set.ts'
import { DiskRoom } from '../storage/disk/disk-room.ts'
import { LogDirectory } from '../storage/log-directory.ts'
import type { Offset } from '../storage/partition-log.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { handleFetch } from './handlers/fetch.ts'
import { handleListOffsets } from './handlers/list-offsets.ts'
import { handleProduce } from './handlers/produce.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import { serve, tableOf } from './served-api.ts'
import { BrokerServer } from './server.ts'
import type { Services } from './services.ts'
import { WaitingFetches } from './waiting-fetches.ts'

export const ordersId = 'bYTNgNGuTtWhMHc-8cU6sQ'
const port = 9092

export interface LogLine {
  readonly broker: number
  readonly level: string
  readonly message: string
  readonly fields: object
}

export interface WorldOptions {
  readonly seed?: number
  readonly brokers?: number
  /** By Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>
  /** Of the topic. */
  readonly configs?: Readonly<Record<string, string>>
  /** A sync of the disk takes up to so long. */
  readonly syncMsMax?: number
  /** On the ways of the brokers to the metadata. */
  readonly storeFaults?: WriteFaults
}

const rows = [serve(fetch, handleFetch), serve(listOffsets, handleListOffsets), serve(produce, handleProduce)]

/** A clock that stops with its broker. */
class LifeClock implements Clock {
  readonly #clock: SimulatedClock
  readonly #timers = new Set<Timer>()
  #over = false

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#over) return { cancel() {} }
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
    return timer
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (!this.#over) callback()
    })
  }

  end(): void {
    this.#over = true
    for (const timer of this.#timers) timer.cancel()
  }
}

/** One life of a broker. */
export class ReplicatedBroker {
  readonly id: number
  readonly epoch: number
  readonly disk: SimulatedDisk
  readonly directory: LogDirectory
  readonly room: DiskRoom
  readonly replicas: ReplicaSet
  readonly keeper: IsrKeeper
  readonly fetchers: ReplicaFetchers
  readonly view: ClusterViewOfStore
  readonly server: BrokerServer
  readonly clock: LifeClock
  readonly store: FaultyMetaStore
  /** Whether its lease holds, as far as it knows. */
  leaseHolds = true
  isAlive = true

  constructor(
    parts: Pick<ReplicatedBroker, 'id' | 'epoch' | 'disk' | 'directory' | 'room' | 'view' | 'clock' | 'store'>,
    world: World,
  ) {
    this.id = parts.id
    this.epoch = parts.epoch
    this.disk = parts.disk
    this.directory = parts.directory
    this.room = parts.room
    this.view = parts.view
    this.clock = parts.clock
    this.store = parts.store
    const { id, clock, view } = this
    const settings = world.settingsOf(id)
    const logger = world.loggerOf(id)
    const membership: MembershipGate = {
      valid: () => this.leaseHolds && this.isAlive,
      epoch: this.epoch,
      fence: { key: liveKey(id), createRevision: this.epoch },
    }
    this.replicas = new ReplicaSet({
      brokerId: id,
      logs: this.directory,
      settings,
      logger,
      cluster: { clock, membership },
    })
    this.directory.useHighWatermarks(() => this.replicas.highWatermarks())
    const { network, random } = world
    this.keeper = new IsrKeeper({
      brokerId: id,
      store: this.store,
      view,
      replicas: this.replicas,
      membership,
      room: this.room,
      lagTimeMaxMs: settings.replicaLagTimeMaxMs,
      clock,
      logger,
    })
    const host = network.host(`broker-${id}`)
    this.fetchers = new ReplicaFetchers({
      replicas: this.replicas,
      membership,
      settings,
      addressOf: (other) => (view.image.brokers.has(other) ? { host: `broker-${other}`, port } : null),
      network: host,
      clock,
      random: seededRandom(random.below(1 << 30)),
      logger,
    })
    const waitingFetches = new WaitingFetches({ clock })
    this.replicas.onPartition((partition) => {
      if (partition.isLeading) waitingFetches.leadershipBegan()
    })
    const services: Partial<Services> = {
      brokerId: id,
      clock,
      logger,
      settings,
      cluster: view,
      replicas: this.replicas,
      fetchSessions: new FetchSessions({ clock, random: seededRandom(id), slotsMax: 100 }),
      waitingFetches,
      endpointFor: (other) => ({ listener: 'PLAINTEXT', host: `broker-${other}`, port }),
    }
    this.server = new BrokerServer({
      network: host,
      clock,
      logger,
      dispatcher: new RequestDispatcher(tableOf(rows), services as Services),
      limits: {
        requestBytesMax: 1 << 24,
        queuedRequestBytesMax: -1,
        unsentResponseBytesMax: 1 << 28,
        idleMsMax: Infinity,
      },
      onDisconnected: () => {},
    })
  }

  get partition(): Partition {
    return this.replicas.findById(ordersId, 0)!
  }
}

export class World {
  readonly clock = new SimulatedClock()
  readonly random: SeededRandom
  readonly network: SimulatedNetwork
  readonly brokers = new Map<number, ReplicatedBroker>()
  readonly log: LogLine[] = []
  store!: EmbeddedMetaStore
  view!: ClusterViewOfStore
  /** Of brokers that boot from now on. */
  storeFaults: WriteFaults
  readonly #options: WorldOptions
  readonly #disks = new Map<number, SimulatedDisk>()

  constructor(options: WorldOptions = {}) {
    this.#options = options
    this.storeFaults = options.storeFaults ?? noFaults
    this.random = seededRandom(options.seed ?? 1)
    this.network = new SimulatedNetwork({ clock: this.clock, random: seededRandom((options.seed ?? 1) + 1) })
  }

  /** Brokers 1 to n, and one partition of `orders` on all of them, led by 1. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options)
    const ids = Array.from({ length: options.brokers ?? 3 }, (_, i) => i + 1)
    const { clock } = world
    world.store = await EmbeddedMetaStore.open({ journal: new FileJournal(new MemoryDisk(), '/meta'), clock })
    world.view = await ClusterViewOfStore.open({ store: world.store, onFault: fail })
    await world.#put(topicKey('orders'), { id: ordersId, partitionCount: 1 })
    await world.#put(`/odradek/1/config/topic/orders`, { entries: options.configs ?? {} })
    const document = { replicas: ids, isr: ids, leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
    await world.#put(partitionKey(ordersId, 0), document)
    const epochs: number[] = []
    for (const id of ids) epochs.push(await world.#register(id))
    for (const [i, id] of ids.entries()) await world.#live(id, epochs[i]!)
    return world
  }

  settingsOf(id: number): BrokerSettings {
    return brokerSettings({
      'node.id': String(id),
      'replica.lag.time.max.ms': '1000',
      'replica.fetch.backoff.ms': '100',
      'replica.socket.timeout.ms': '2000',
      ...this.#options.settings,
    })
  }

  loggerOf(broker: number): Logger {
    const at = (level: string) => (fields: object, message: string) =>
      void this.log.push({ broker, level, message, fields })
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }

  get image(): PartitionImage {
    return this.view.image.topicsById.get(ordersId)!.partitions[0]!
  }

  get leader(): ReplicatedBroker | undefined {
    const broker = this.brokers.get(this.image.leader)
    return broker?.isAlive === true && broker.partition.isLeading ? broker : undefined
  }

  get alive(): ReplicatedBroker[] {
    return [...this.brokers.values()].filter(({ isAlive }) => isAlive)
  }

  /** A new life: a registration, and logs from the disk as it was left. Out of every ISR that has others, when the last life crashed. */
  async boot(id: number): Promise<ReplicatedBroker> {
    const last = this.brokers.get(id)
    if (last !== undefined && this.image.isr.includes(id) && this.image.isr.length > 1) {
      await this.decide(({ isr }) => ({ isr: isr.filter((other) => other !== id) }))
    }
    await this.#deregister(id)
    const epoch = await this.#register(id)
    await this.attend()
    return this.#live(id, epoch)
  }

  async #live(id: number, epoch: number): Promise<ReplicatedBroker> {
    const clock = new LifeClock(this.clock)
    const disk = this.#disks.get(id) ?? new SimulatedDisk({ clock: { now: () => this.clock.now() } })
    this.#disks.set(id, disk)
    this.#slow(disk)
    const store = new FaultyMetaStore(this.store, this.clock, seededRandom(this.random.below(1 << 30)))
    store.faults = this.storeFaults
    const view = await ClusterViewOfStore.open({ store, onFault: fail })
    const logger = this.loggerOf(id)
    const random = seededRandom(id)
    const room = new DiskRoom()
    const directory = await this.drive(
      LogDirectory.open({ disk, room, path: '/data', clock, random, logger, nodeId: id, clusterId: 'some-cluster' }),
    )
    const broker = new ReplicatedBroker({ id, epoch, disk, directory, room, view, clock, store }, this)
    this.brokers.set(id, broker)
    await broker.server.listen({ name: 'PLAINTEXT', host: '', port })
    broker.replicas.apply(initialChange(view.image))
    view.subscribe((change) => {
      if (broker.isAlive) broker.replicas.apply(change)
    })
    await this.drive(broker.replicas.ready())
    broker.server.open()
    broker.fetchers.start()
    broker.keeper.start()
    return broker
  }

  /** The process, or with it the machine, is gone; the cluster does not know yet. */
  crash(id: number, power: boolean): void {
    const broker = this.brokers.get(id)!
    broker.isAlive = false
    if (power) this.network.crashHost(`broker-${id}`)
    else this.network.killHost(`broker-${id}`)
    broker.clock.end()
    broker.store.kill()
    broker.view.close()
    broker.disk.onOperation = null
    this.#disks.set(id, power ? broker.disk.crash(this.random) : broker.disk.kill())
  }

  /** The cluster learns that a broker is gone: what the controller does. */
  async bury(id: number): Promise<void> {
    await this.#deregister(id)
  }

  /** What a controller does of its own accord. */
  async attend(unclean = false): Promise<void> {
    const { brokers } = this.view.image
    const document = attendedPartition(this.image, { brokers, unclean })
    if (document !== null) await this.#write(document)
  }

  /** Writes another state of the partition, guarded by the present one. */
  async decide(change: (image: PartitionImage) => Partial<PartitionDocument>): Promise<void> {
    const { index: _, revision: __, ...document } = this.image
    await this.#write({ ...document, partitionEpoch: document.partitionEpoch + 1, ...change(this.image) })
  }

  /** Another replica leads under a new epoch. */
  elect(leader: number): Promise<void> {
    return this.decide(({ leaderEpoch }) => ({ leader, leaderEpoch: leaderEpoch + 1 }))
  }

  run(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  until(condition: () => boolean, withinMs = 20_000): Promise<void> {
    return this.clock.advanceUntil(condition, withinMs)
  }

  /** Appends at a broker, without waiting; the end of what was appended, null when it refused. */
  append(broker: ReplicatedBroker, ...values: readonly string[]): Offset | null {
    const { partition } = broker
    const appended = partition.append(buildBatch(values.map((value) => ({ value }))), 'client')
    return appended.ok ? appended.lastOffset + 1 : null
  }

  /** Everybody has the same, and all of it is committed. */
  settled(): boolean {
    const { leader } = this
    if (leader === undefined) return false
    const { logEndOffset } = leader.partition
    return this.alive.every(
      ({ partition }) =>
        partition.state !== 'opening' &&
        partition.log?.durableOffset === logEndOffset &&
        partition.highWatermark === logEndOffset,
    )
  }

  #slow(disk: SimulatedDisk): void {
    const { syncMsMax } = this.#options
    if (syncMsMax === undefined) return
    disk.onOperation = ({ kind }) => {
      if (kind !== 'sync') return
      return new Promise((resolve) => {
        this.clock.setTimer(this.random.below(syncMsMax * 10) / 10, resolve)
      })
    }
  }

  async #register(id: number): Promise<number> {
    const key = liveKey(id)
    const endpoints = [{ listener: 'PLAINTEXT', host: `broker-${id}`, port }]
    const document = { incarnation: `${id}`, endpoints, rack: `rack-${id}`, directoryId: `${id}`, leaving: false }
    const written = await this.store.transact(
      [{ key, modRevision: 0 }],
      [{ kind: 'put', key, value: encodeDocument(document) }],
    )
    assert.ok(written.ok)
    return written.revision
  }

  async #deregister(id: number): Promise<void> {
    const key = liveKey(id)
    const { entry } = await this.store.get(key)
    if (entry === null) return
    await this.store.transact([{ key, modRevision: entry.modRevision }], [{ kind: 'delete', key }])
    await this.attend()
  }

  async #write(document: PartitionDocument): Promise<void> {
    const key = partitionKey(ordersId, 0)
    await this.store.transact(
      [{ key, modRevision: this.image.revision }],
      [{ kind: 'put', key, value: encodeDocument(document) }],
    )
  }

  async #put(key: string, document: Parameters<typeof encodeDocument>[0]): Promise<void> {
    await this.store.transact([{ key, modRevision: 0 }], [{ kind: 'put', key, value: encodeDocument(document) }])
  }

  /** Time passes until the promise settles. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const settling = work.finally(() => {
      settled = true
    })
    await this.until(() => settled)
    return settling
  }
}

/** Whole batches of a log from its start, below `upTo`. */
export async function batchesOf(partition: Partition, upTo: Offset): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = []
  for (let next = partition.logStartOffset; next < upTo;) {
    const read = await partition.read(next, 1 << 20, upTo, true)
    assert.ok(read.ok, JSON.stringify(read))
    if (read.sizeBytes === 0) break
    for (const chunk of read.chunks) {
      for (const batch of batchesIn(chunk)) {
        batches.push(batch)
        next = nextOffsetOf(batch)
      }
    }
  }
  return batches
}

/** Two logs have the same bytes wherever both have records below `upTo`. */
export async function assertSame(one: Partition, other: Partition, upTo: Offset): Promise<void> {
  const from = Math.max(one.logStartOffset, other.logStartOffset)
  const bytesOf = async (partition: Partition) =>
    Buffer.concat((await batchesOf(partition, upTo)).filter((batch) => baseOffsetOf(batch) >= from))
  assert.ok((await bytesOf(one)).equals(await bytesOf(other)), `logs differ below ${upTo}`)
}

function fail(error: unknown): never {
  throw error
}
