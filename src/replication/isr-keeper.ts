// Writes the changes of partitions that their replicas are the first to know of: followers that fell behind or caught up (the ISR), and
// logs that failed here or are whole again, or that a full volume lets nobody append to. Collects for some milliseconds, writes in one batch of guarded items, and looks again.
//
// Every item is guarded by the partition's state as it was decided on, by the registration of each follower that joins (KIP-903: the
// one it fetched under), and the batch by this broker's own. What is proposed counts from before the write leaves until the image shows
// what became of it. After a write whose outcome is unknown the next one settles it: both have the same guard, so at most one applies.
//
//   follower caught up ┐                     ok: wait for the image
//   lag timer          ├─> marked ─> write ─> refused: look again at what the image shows then
//   log or room lost   ┘        ^            unknown: look again soon, all that was proposed counts
//                               └─────────── no valid lease, or fenced: look again later

import { isActive } from '../cluster/controller/attended-partition.ts'
import { encodeDocument, type PartitionDocument } from '../cluster/documents.ts'
import type { ClusterView } from '../cluster/image.ts'
import { liveKey } from '../cluster/keys.ts'
import { changedPartition } from '../cluster/partition-change.ts'
import { partitionGuards } from '../cluster/partition-guards.ts'
import { partitionDocument } from '../cluster/partition-image.ts'
import {
  type CasItem,
  type Guard,
  type MetaStore,
  type Revision,
  StoreFull,
  UnknownOutcome,
} from '../cluster/meta-store.ts'
import type { Clock, Millis, Timer } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { DiskRoom } from '../storage/disk/disk-room.ts'
import type { MembershipGate } from './membership-gate.ts'
import type { Partition } from './partition.ts'
import type { ReplicaSet } from './replica-set.ts'

export interface IsrKeeperOptions {
  readonly brokerId: number
  readonly store: MetaStore
  readonly view: ClusterView
  readonly replicas: ReplicaSet
  readonly membership: MembershipGate
  /** Of the volume that the logs are on. */
  readonly room: Pick<DiskRoom, 'volumeFull' | 'onVolume'>
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: Millis
  readonly clock: Clock
  readonly logger: Logger
}

/** What comes in this time goes into one batch. */
const collectMs: Millis = 20
/** After a write that was refused, or of which nothing is known, and while there is no lease. */
const retryMs: Millis = 250
const itemsMax = 1000

interface Change {
  readonly partition: Partition
  /** Of the state it was decided on. */
  readonly revision: Revision
  readonly before: readonly number[]
  /** The proposed ISR; null when it is another change. */
  readonly isr: readonly number[] | null
  readonly item: CasItem
}

export class IsrKeeper {
  readonly #options: IsrKeeperOptions
  readonly #marked = new Set<Partition>()
  /** Written, by the revision it was decided on: the image will show another. */
  readonly #awaited = new WeakMap<Partition, Revision>()
  readonly #endings: (() => void)[] = []
  #collecting: Timer | null = null
  #checking: Timer | null = null
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #stopped = false

  constructor(options: IsrKeeperOptions) {
    this.#options = options
  }

  /** Partitions with a change that is not known to be written. */
  get pending(): number {
    return this.#marked.size
  }

  start(): void {
    const { replicas, room } = this.#options
    this.#endings.push(
      room.onVolume(() => {
        for (const partition of replicas.all()) if (this.#standsWrong(partition)) this.#mark(partition, collectMs)
      }),
      replicas.onIsrMayGrow((partition) => this.#mark(partition, collectMs)),
      replicas.onPartition((partition) => {
        if (this.#standsWrong(partition)) this.#mark(partition, collectMs)
      }),
    )
    for (const partition of replicas.all()) if (this.#standsWrong(partition)) this.#mark(partition, collectMs)
    this.#checkLater()
  }

  /** Resolves when no write is under way. What is marked is forgotten. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const end of this.#endings) end()
    this.#collecting?.cancel()
    this.#checking?.cancel()
    this.#marked.clear()
    await this.#writing
  }

  /** As often as in Kafka: a follower is noticed after one and a half times the lag time at the latest. */
  #checkLater(): void {
    const { clock, lagTimeMaxMs, replicas } = this.#options
    this.#checking = clock.setTimer(lagTimeMaxMs / 2, () => {
      for (const partition of replicas.all()) {
        partition.elapsed()
        if (this.#standsWrong(partition) || partition.wantedIsr() !== null) this.#mark(partition, collectMs)
      }
      this.#checkLater()
    })
  }

  #mark(partition: Partition, inMs: Millis): void {
    if (this.#stopped) return
    this.#marked.add(partition)
    if (this.#collecting !== null || this.#isWriting) return
    this.#collecting = this.#options.clock.setTimer(inMs, () => {
      this.#collecting = null
      this.#isWriting = true
      this.#writing = this.#writeMarked()
    })
  }

  /** Never rejects. */
  async #writeMarked(): Promise<void> {
    const again: Partition[] = []
    try {
      const { membership } = this.#options
      while (this.#marked.size > 0 && !this.#stopped) {
        if (!membership.valid()) {
          // Perhaps more than a call takes arguments.
          for (const partition of this.#marked) again.push(partition)
          this.#marked.clear()
          break
        }
        again.push(...(await this.#write(this.#nextChanges())))
      }
    } finally {
      this.#isWriting = false
    }
    for (const partition of again) this.#mark(partition, retryMs)
  }

  #nextChanges(): Change[] {
    const changes: Change[] = []
    for (const partition of this.#marked) {
      if (changes.length === itemsMax) break
      this.#marked.delete(partition)
      if (this.#awaited.get(partition) === partition.image.revision) continue
      const change = this.#changeOf(partition)
      if (change !== null) changes.push(change)
    }
    return changes
  }

  /** Answers the partitions to look at again. Never rejects. */
  async #write(changes: readonly Change[]): Promise<Partition[]> {
    if (changes.length === 0) return []
    const { store, membership, logger } = this.#options
    for (const { partition, isr } of changes) if (isr !== null) partition.proposed(isr)
    const partitions = changes.map(({ partition }) => partition)
    try {
      const results = await store.compareAndSwapMany(
        [membership.fence],
        changes.map(({ item }) => item),
      )
      if (results === 'fenced') {
        for (const change of changes) this.#refused(change)
        return partitions
      }
      const taken: Change[] = []
      const again: Partition[] = []
      for (const [i, change] of changes.entries()) {
        if (this.#took(change, results[i]!.ok)) taken.push(change)
        else again.push(change.partition)
      }
      this.#say(taken)
      return again
    } catch (error) {
      if (error instanceof StoreFull) for (const change of changes) this.#refused(change)
      if (!(error instanceof UnknownOutcome)) logger.warn({ err: error }, 'changes of the ISR could not be written')
      return partitions
    }
  }

  #took(change: Change, ok: boolean): boolean {
    const { partition, revision } = change
    if (!ok) {
      this.#refused(change)
      return false
    }
    this.#awaited.set(partition, revision)
    return true
  }

  /** One line, however many: a broker that dies or comes back changes them by thousands. */
  #say(changes: readonly Change[]): void {
    const { logger } = this.#options
    const left = new Set<number>()
    const joined = new Set<number>()
    let partitions = 0
    for (const { partition, before, isr } of changes) {
      if (isr === null) continue
      partitions += 1
      for (const id of before) if (!isr.includes(id)) left.add(id)
      for (const id of isr) if (!before.includes(id)) joined.add(id)
      logger.debug({ partition: partition.name, before, isr }, 'the ISR changes')
    }
    if (left.size > 0) logger.warn({ partitions, brokers: [...left] }, 'replicas fell behind and left the ISR')
    if (joined.size > 0) logger.info({ partitions, brokers: [...joined] }, 'replicas caught up and joined the ISR')
  }

  #refused({ partition, revision, isr }: Change): void {
    if (isr !== null) partition.withdrawn(revision)
  }

  /** What is to be written of the partition; null: nothing. */
  #changeOf(partition: Partition): Change | null {
    if (partition.state === 'deleted') return null
    return this.#standsWrong(partition) ? this.#standing(partition) : this.#isrChange(partition)
  }

  #isrChange(partition: Partition): Change | null {
    const isr = partition.wantedIsr()
    if (isr === null) return null
    const { image } = partition
    const document = partitionDocument({ ...image, isr, partitionEpoch: image.partitionEpoch + 1 })
    const joining = [...partition.epochsOfJoining(isr)].map(([id, epoch]): Guard => ({
      key: liveKey(id),
      createRevision: epoch,
    }))
    return this.#change(partition, document, isr, joining)
  }

  /** The cluster believes that the log is here and can be written, and it is not so, or the other way round. */
  #standsWrong(partition: Partition): boolean {
    const isFailed = partition.image.failed.includes(this.#options.brokerId)
    const fails = this.#fails(partition)
    if (fails === isFailed) return false
    return fails || partition.state === 'leading' || partition.state === 'following' || partition.state === 'idle'
  }

  /**
   * A log on a full volume counts as failed where another is in sync, as all of a full disk does in Kafka. The last one in sync keeps its
   * place: it can be read, and goes on by itself when there is room. Internal topics are written on (full-volume.ts).
   */
  #fails({ state, image, internal }: Partition): boolean {
    if (state === 'offline') return true
    const { brokerId, room, view } = this.#options
    if (!room.volumeFull || internal || state === 'opening') return false
    if (image.failed.includes(brokerId)) return true
    const { brokers } = view.image
    const isInSync = (id: number) => id !== brokerId && !image.failed.includes(id) && isActive(brokers, id)
    return image.isr.includes(brokerId) && image.isr.some(isInSync)
  }

  /** Says that the log failed, and hands leadership to another in the ISR; or that it is whole again. */
  #standing(partition: Partition): Change | null {
    const { brokerId, view } = this.#options
    const { image } = partition
    const { brokers } = view.image
    const fails = this.#fails(partition)
    const others = image.failed.filter((id) => id !== brokerId)
    const document = changedPartition(image, {
      failed: fails ? [...others, brokerId] : others,
      isr: fails ? image.isr.filter((id) => id !== brokerId) : image.isr,
      mayLead: (id) => isActive(brokers, id),
    })
    return document === null ? null : this.#change(partition, document, null, [])
  }

  #change(
    partition: Partition,
    document: PartitionDocument,
    isr: readonly number[] | null,
    joining: readonly Guard[],
  ): Change {
    const { topicId, image } = partition
    const [own, ...elected] = partitionGuards({ topicId, partition: image, document }, this.#options.view.image.brokers)
    const item: CasItem = {
      guards: [own, ...elected, ...joining],
      writes: [{ kind: 'put', key: own.key, value: encodeDocument(document) }],
    }
    return { partition, revision: image.revision, before: image.isr, isr, item }
  }
}
