// Every partition this broker holds. Follows the cluster's image: opens and creates logs, begins and ends leaderships, deletes
// what is gone. What clients may notice happens at once, inside `apply`; files follow, in order for each partition.

import type { BrokerImage, ImageChange, PartitionImage, TopicImage } from '../cluster/image.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { LogConfig, Offset } from '../storage/partition-log.ts'
import type { MembershipGate } from './membership-gate.ts'
import { Partition, type PartitionState, type ReplicaLog } from './partition.ts'
import { type PartitionSettings, partitionSettings } from './partition-settings.ts'
import { aloneInTheCluster, type ReplicationHost } from './replication-host.ts'
import { ReplicationThrottle, type ThrottledSide } from './replication-throttle.ts'
import { WorkQueue } from './work-queue.ts'

export interface LogName {
  readonly topicName: string
  readonly partition: number
}

/** Where logs are kept: `LogDirectory` is one. */
export interface PartitionLogs {
  /**
   * Opens the log and checks it, or creates it. One that cannot be opened comes with its `fault`. Rejects when the place belongs to
   * another topic of that name, or with a fault of the disk.
   */
  openLog(place: LogName & { readonly topicId: string; readonly config: LogConfig }): Promise<ReplicaLog>
  /** Deletes a log, open or not; fine when there is none. When it resolves the name is free. */
  deleteLog(place: LogName): Promise<void>
  /** The high watermark of a log as it was remembered, 0 when nothing is known. */
  highWatermarkOf(place: LogName): Offset
}

export interface ReplicaSetOptions {
  readonly brokerId: number
  readonly logs: PartitionLogs
  readonly settings: BrokerSettings
  readonly logger: Logger
  /** Left out: there are no other brokers. */
  readonly cluster?: { readonly clock: Clock; readonly membership: MembershipGate }
  /** Logs opened or deleted at the same time. */
  readonly concurrencyMax?: number
}

/** Told after each change of a partition's state, and when it leads on under a new epoch. Must not throw. */
export type PartitionListener = (partition: Partition) => void

const concurrencyDefault = 32

export class ReplicaSet {
  /** What is copied in the background; null where there is nobody to copy to. */
  readonly throttles: Readonly<Record<ThrottledSide, ReplicationThrottle>> | null
  readonly #brokerId: number
  readonly #logs: PartitionLogs
  readonly #settings: BrokerSettings
  readonly #logger: Logger
  readonly #work: WorkQueue
  /** By partition index; a hole where this broker holds no replica. */
  readonly #byName = new Map<string, (Partition | undefined)[]>()
  readonly #byId = new Map<string, (Partition | undefined)[]>()
  readonly #listeners = new Set<PartitionListener>()
  readonly #growers = new Set<PartitionListener>()
  readonly #host: ReplicationHost
  #brokers: ReadonlyMap<number, BrokerImage> = new Map()
  #opening = 0
  #stopped = false
  #waitingReady: (() => void)[] = []

  constructor(options: ReplicaSetOptions) {
    this.#brokerId = options.brokerId
    this.#logs = options.logs
    this.#settings = options.settings
    this.#logger = options.logger
    this.#work = new WorkQueue(options.concurrencyMax ?? concurrencyDefault)
    this.#host = options.cluster === undefined ? aloneInTheCluster : this.#hostIn(options.cluster)
    this.throttles = options.cluster === undefined ? null : throttlesOf(options.brokerId, options.cluster.clock)
  }

  find(topic: string, index: number): Partition | undefined {
    return this.#byName.get(topic)?.[index]
  }

  findById(topicId: string, index: number): Partition | undefined {
    return this.#byId.get(topicId)?.[index]
  }

  /** Every partition here, topic by topic. */
  *all(): Generator<Partition> {
    for (const partitions of this.#byId.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition
    }
  }

  /** How many partitions are in each state. */
  count(): Record<PartitionState, number> {
    const counts: Record<PartitionState, number> = {
      opening: 0,
      leading: 0,
      following: 0,
      idle: 0,
      offline: 0,
      deleted: 0,
    }
    for (const partition of this.all()) counts[partition.state] += 1
    return counts
  }

  /** Calls `listener` on every later change of a partition's state; the answer ends that. */
  onPartition(listener: PartitionListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `listener` whenever a follower has what it takes to be in the ISR of a partition led here. It must not throw. */
  onIsrMayGrow(listener: PartitionListener): () => void {
    this.#growers.add(listener)
    return () => this.#growers.delete(listener)
  }

  /**
   * Follows a change of the image. The first one comes from an empty image and names every topic. Leaderships end and begin
   * before it returns where the log is open; `ready` tells when the rest has followed.
   */
  apply(change: ImageChange): void {
    if (this.#stopped) return
    this.#brokers = change.after.brokers
    for (const throttle of Object.values(this.throttles ?? {})) throttle.apply(change, this.#settings)
    // First what is gone: a new topic may have its name, and its logs must come after the old ones are deleted.
    for (const id of change.topicIds) if (!change.after.topicsById.has(id)) this.#dropTopic(id)
    for (const id of change.topicIds) {
      const topic = change.after.topicsById.get(id)
      if (topic !== undefined) this.#followTopic(topic)
    }
  }

  /** Resolves when no log is left to be opened: every partition of the current image is served, or offline. */
  ready(): Promise<void> {
    if (this.#opening === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waitingReady.push(resolve))
  }

  /** High watermarks of the logs that are open, by `<topic>-<partition>`; for `LogDirectory.useHighWatermarks`. */
  *highWatermarks(): Generator<readonly [name: string, highWatermark: Offset]> {
    for (const partition of this.all()) {
      if (partition.log !== null) yield [partition.name, partition.highWatermark]
    }
  }

  /** Ends every leadership. Then whoever opened the logs may close them. Later changes of the image are ignored. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const partition of this.all()) partition.resigned()
    await this.#work.idle()
  }

  #hostIn({ clock, membership }: { clock: Clock; membership: MembershipGate }): ReplicationHost {
    const { replicaLagTimeMaxMs } = this.#settings
    return {
      membership,
      replicaLagTimeMaxMs,
      now: () => clock.monotonic(),
      isOutdated: (id, epoch) => (this.#brokers.get(id)?.epoch ?? 0) > epoch,
      isThere: (id) => this.#brokers.has(id),
      mayBeInSync: (id, epoch) => {
        const broker = this.#brokers.get(id)
        return broker !== undefined && broker.epoch === epoch && !broker.leaving
      },
      isrMayGrow: (partition) => {
        for (const listener of this.#growers) listener(partition)
      },
    }
  }

  #followTopic(topic: TopicImage): void {
    let settings: PartitionSettings | undefined
    for (const image of topic.partitions) {
      const partition = this.findById(topic.id, image.index)
      if (!image.replicas.includes(this.#brokerId)) {
        if (partition !== undefined) this.#drop(partition)
        continue
      }
      settings ??= partitionSettings(topic, this.#settings)
      if (partition === undefined) {
        this.#add(topic, image, settings)
      } else {
        partition.configure(settings)
        partition.update(image)
      }
    }
  }

  #dropTopic(id: string): void {
    const partitions = this.#byId.get(id) ?? []
    this.#byId.delete(id)
    for (const partition of partitions) {
      if (partition === undefined) continue
      this.#byName.delete(partition.topic)
      partition.deleted()
      this.#delete({ topicName: partition.topic, partition: partition.index })
    }
  }

  #add(topic: TopicImage, image: PartitionImage, settings: PartitionSettings): void {
    const partition = new Partition({
      brokerId: this.#brokerId,
      topic,
      image,
      settings,
      onState: this.#onState,
      host: this.#host,
    })
    placeFor(this.#byName, topic.name)[image.index] = partition
    placeFor(this.#byId, topic.id)[image.index] = partition
    this.#opening += 1
    void this.#work
      .run(partition.name, () => this.#open(partition))
      .finally(() => {
        this.#opening -= 1
        if (this.#opening > 0) return
        const waiting = this.#waitingReady
        this.#waitingReady = []
        for (const resolve of waiting) resolve()
      })
  }

  /** Never rejects: a log that does not open takes its own partition offline and no other. */
  async #open(partition: Partition): Promise<void> {
    if (partition.state !== 'opening') return
    const { topic: topicName, topicId, index } = partition
    try {
      const config = partition.settings.log
      const log = await this.#logs.openLog({ topicName, partition: index, topicId, config })
      if (partition.state !== 'opening') return
      partition.opened(log, this.#logs.highWatermarkOf({ topicName, partition: index }))
      partition.configure(partition.settings)
    } catch (error) {
      partition.failed(asError(error))
    }
  }

  #drop(partition: Partition): void {
    partition.deleted()
    this.#forget(this.#byId, partition.topicId, partition)
    this.#forget(this.#byName, partition.topic, partition)
    this.#delete({ topicName: partition.topic, partition: partition.index })
  }

  /** After what is under way for the log, before what comes later for its name. */
  #delete({ topicName, partition }: LogName): void {
    const name = `${topicName}-${partition}`
    void this.#work.run(name, async () => {
      try {
        await this.#logs.deleteLog({ topicName, partition })
      } catch (error) {
        this.#logger.error({ err: error, partition: name }, 'the log of a deleted partition could not be removed')
      }
    })
  }

  #forget(places: Map<string, (Partition | undefined)[]>, key: string, partition: Partition): void {
    const partitions = places.get(key)
    if (partitions === undefined) return
    partitions[partition.index] = undefined
    if (partitions.every((left) => left === undefined)) places.delete(key)
  }

  readonly #onState = (partition: Partition): void => {
    if (partition.state === 'offline') {
      this.#logger.error(
        { err: partition.fault, partition: partition.name },
        'the partition is offline: its disk failed',
      )
    }
    for (const listener of this.#listeners) listener(partition)
  }
}

function throttlesOf(brokerId: number, clock: Clock): Record<ThrottledSide, ReplicationThrottle> {
  return {
    leader: new ReplicationThrottle({ side: 'leader', brokerId, clock }),
    follower: new ReplicationThrottle({ side: 'follower', brokerId, clock }),
  }
}

function placeFor(places: Map<string, (Partition | undefined)[]>, key: string): (Partition | undefined)[] {
  let partitions = places.get(key)
  if (partitions === undefined) {
    partitions = []
    places.set(key, partitions)
  }
  return partitions
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the log could not be opened', { cause: error })
}
