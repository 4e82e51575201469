// Every partition this broker holds. Follows the cluster's image: opens and creates logs, begins and ends leaderships, deletes
// what is gone. What clients may notice happens at once, inside `apply`; files follow, in order for each partition.

import type { ImageChange, PartitionImage, TopicImage } from '../cluster/image.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Logger } from '../lib/logger.ts'
import type { LogConfig, Offset, PartitionLog } from '../storage/partition-log.ts'
import { Partition, type PartitionState } from './partition.ts'
import { type PartitionSettings, partitionSettings } from './partition-settings.ts'
import { WorkQueue } from './work-queue.ts'

/** Where logs are kept. Both reject with a fault of the disk; deleting a log that is not there is fine. */
export interface PartitionLogs {
  /** Opens the log and checks it, or creates it. */
  openLog(topic: string, topicId: string, index: number, config: LogConfig): Promise<PartitionLog>
  /** Removes a closed log and its files. */
  deleteLog(topic: string, topicId: string, index: number): Promise<void>
}

export interface ReplicaSetOptions {
  readonly brokerId: number
  readonly logs: PartitionLogs
  readonly settings: BrokerSettings
  readonly logger: Logger
  /** Logs opened, closed or deleted at the same time. */
  readonly concurrencyMax?: number
}

/** Told after each change of a partition's state, and when it leads on under a new epoch. Must not throw. */
export type PartitionListener = (partition: Partition) => void

const concurrencyDefault = 32

export class ReplicaSet {
  readonly #brokerId: number
  readonly #logs: PartitionLogs
  readonly #settings: BrokerSettings
  readonly #logger: Logger
  readonly #work: WorkQueue
  /** By partition index; a hole where this broker holds no replica. */
  readonly #byName = new Map<string, (Partition | undefined)[]>()
  readonly #byId = new Map<string, (Partition | undefined)[]>()
  readonly #listeners = new Set<PartitionListener>()
  #opening = 0
  #waitingReady: (() => void)[] = []

  constructor(options: ReplicaSetOptions) {
    this.#brokerId = options.brokerId
    this.#logs = options.logs
    this.#settings = options.settings
    this.#logger = options.logger
    this.#work = new WorkQueue(options.concurrencyMax ?? concurrencyDefault)
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
    const counts: Record<PartitionState, number> = { opening: 0, leading: 0, idle: 0, offline: 0, deleted: 0 }
    for (const partition of this.all()) counts[partition.state] += 1
    return counts
  }

  /** Calls `listener` on every later change of a partition's state; the answer ends that. */
  onPartition(listener: PartitionListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Follows a change of the image. The first one comes from an empty image and names every topic. Leaderships end and begin
   * before it returns where the log is open; `ready` tells when the rest has followed.
   */
  apply(change: ImageChange): void {
    for (const id of change.topicIds) {
      const topic = change.after.topicsById.get(id)
      if (topic === undefined) this.#dropTopic(id)
      else this.#followTopic(topic)
    }
  }

  /** Resolves when no log is left to be opened: every partition of the current image is served, or offline. */
  ready(): Promise<void> {
    if (this.#opening === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waitingReady.push(resolve))
  }

  /** High watermarks of the open logs, for `replication-offset-checkpoint`. */
  *highWatermarks(): Generator<{ readonly topic: string; readonly index: number; readonly offset: Offset }> {
    for (const partition of this.all()) {
      if (partition.log !== null)
        yield { topic: partition.topic, index: partition.index, offset: partition.highWatermark }
    }
  }

  /** Ends every leadership, then writes, syncs and closes every log. A log that cannot be closed is logged. */
  async close(): Promise<void> {
    const closing: Promise<void>[] = []
    for (const partition of this.all()) closing.push(this.#close(partition))
    await Promise.all(closing)
    this.#byName.clear()
    this.#byId.clear()
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
    for (const partition of this.#byId.get(id) ?? []) if (partition !== undefined) this.#drop(partition)
    this.#byId.delete(id)
  }

  #add(topic: TopicImage, image: PartitionImage, settings: PartitionSettings): void {
    const partition = new Partition({ brokerId: this.#brokerId, topic, image, settings, onState: this.#onState })
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
    const { topic, topicId, index } = partition
    let log: PartitionLog
    try {
      log = await this.#logs.openLog(topic, topicId, index, partition.settings.log)
    } catch (error) {
      partition.failed(asError(error))
      return
    }
    if (partition.state === 'opening') {
      partition.opened(log)
      partition.configure(partition.settings)
    } else {
      await this.#closeLog(log)
    }
  }

  #drop(partition: Partition): void {
    const { topic, topicId, index } = partition
    const log = partition.deleted()
    this.#forget(this.#byId, topicId, partition)
    this.#forget(this.#byName, topic, partition)
    void this.#work.run(partition.name, async () => {
      if (log !== null) await this.#closeLog(log)
      try {
        await this.#logs.deleteLog(topic, topicId, index)
      } catch (error) {
        this.#logger.error(
          { error, partition: partition.name, topicId },
          'the log of a deleted partition could not be removed',
        )
      }
    })
  }

  /** A topic of the same name may have taken the place by name already. */
  #forget(places: Map<string, (Partition | undefined)[]>, key: string, partition: Partition): void {
    const partitions = places.get(key)
    if (partitions === undefined || partitions[partition.index] !== partition) return
    partitions[partition.index] = undefined
    if (partitions.every((left) => left === undefined)) places.delete(key)
  }

  async #close(partition: Partition): Promise<void> {
    const log = partition.closed()
    await this.#work.run(partition.name, async () => {
      if (log !== null) await this.#closeLog(log)
    })
  }

  async #closeLog(log: PartitionLog): Promise<void> {
    try {
      await log.close()
    } catch (error) {
      this.#logger.error({ error, partition: log.name }, 'the log could not be closed')
    }
  }

  readonly #onState = (partition: Partition): void => {
    if (partition.state === 'offline') {
      this.#logger.error(
        { error: partition.fault, partition: partition.name },
        'the partition is offline: its disk failed',
      )
    }
    for (const listener of this.#listeners) listener(partition)
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
