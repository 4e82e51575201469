// This broker's place in the cluster: its registration, and what hangs on it. The lease bounds how long a broker that is cut off goes on;
// when it is lost the broker is fenced, and comes back with a new registration and a new epoch, in the same process.
//
//   outside --start--> member --lease lost, or live/<id> gone or another's--> fenced --registered again--> member
//   member --leave: hands over, then stop--> outside

import type { Clock, Millis } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { invariant } from '../lib/invariant.ts'
import { isActive } from './controller/attended-partition.ts'
import { Controller } from './controller/controller.ts'
import { encodeDocument } from './documents.ts'
import { electedOnStart } from './elections.ts'
import type { BrokerFence } from './fence.ts'
import type { FolderMemory } from './folder-memory.ts'
import type { ClusterImage, ClusterView, EndpointImage } from './image.ts'
import { liveKey, partitionKey } from './keys.ts'
import { knownOutcome, pause, readAgain } from './known-outcome.ts'
import type { MetaStore, Revision } from './meta-store.ts'
import { BrokerIdTaken, register, type Registration, type RegistrationOptions } from './registration.ts'
import { settlePartitions } from './settled-partitions.ts'
import type { BrokerSettings } from './settings/broker-settings.ts'

export { BrokerIdTaken } from './registration.ts'

export interface MembershipOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly settings: BrokerSettings
  readonly brokerId: number
  readonly rack: string | null
  readonly folder: FolderMemory
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export type Standing = 'outside' | 'member' | 'fenced'

/** After an attempt to come back that the store did not answer. */
const retryMs: Millis = 500

export class Membership {
  readonly #options: MembershipOptions
  readonly #controller: Controller
  readonly #listeners = new Set<(standing: Standing) => void>()
  #standing: Standing = 'outside'
  #registration: Registration | null = null
  #endpoints: readonly EndpointImage[] = []
  #unsubscribe: () => void = () => {}
  #stopped = false
  readonly #lost = Promise.withResolvers<void>()

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#controller = new Controller(options)
  }

  /** The broker epoch: grows with every registration. That of the last one while the broker is fenced; 0 before the first. */
  get epoch(): Revision {
    return this.#registration?.epoch ?? 0
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Whether this broker is the controller, as far as it knows. */
  get isController(): boolean {
    return this.#controller.inOffice
  }

  /** Guards what this broker writes as a member. */
  get fence(): BrokerFence {
    return { key: liveKey(this.#options.brokerId), createRevision: this.epoch }
  }

  /** Whether the broker is registered and its lease holds; ask at each use. */
  valid(): boolean {
    return this.#standing === 'member' && this.#registration!.lease.valid()
  }

  /** Resolves when the broker has lost its place for good: another has its id. Never by `stop`. */
  get lost(): Promise<void> {
    return this.#lost.promise
  }

  /** Told of each change, when it has happened: of `member` once the view shows all that comes with it. */
  subscribe(listener: (standing: Standing) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Registers the broker under addresses that clients can reach, and takes its leaderships. When it resolves, the view shows
   * all of it. Rejects with `BrokerIdTaken`, and with the store's faults.
   */
  async start(endpoints: readonly EndpointImage[]): Promise<void> {
    invariant(this.#standing === 'outside' && !this.#stopped, 'a broker starts once')
    this.#endpoints = endpoints
    await this.#join({ uninterrupted: false })
  }

  /**
   * Controlled shutdown (as Kafka's): others lead in this broker's place and count on it no longer, as far as there are others. Resolves
   * when that is done, or after `limitMs`. The broker goes on serving meanwhile; `stop` comes next. Never rejects.
   */
  async leave(limitMs: Millis): Promise<void> {
    const { brokerId, view, clock, logger } = this.#options
    if (!this.valid() || !hasSuccessors(view.image, brokerId)) return
    const ended = Promise.withResolvers<void>()
    const timer = clock.setTimer(limitMs, () => {
      logger.warn({ brokerId }, 'not all leaderships were taken over in time')
      ended.resolve()
    })
    const unsubscribe = view.subscribe(({ after }) => {
      if (handedOver(after, brokerId)) ended.resolve()
    })
    const said = this.#sayLeaving().then(
      (revision) => view.reached(revision),
      (error: unknown) => {
        logger.warn({ err: error }, 'the cluster could not be told that this broker leaves')
        ended.resolve()
      },
    )
    try {
      await Promise.race([said, ended.promise])
      if (!handedOver(view.image, brokerId)) await ended.promise
    } finally {
      timer.cancel()
      unsubscribe()
    }
  }

  /** Leaves: the registration and the office are free at once. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    this.#controller.leave()
    const wasFenced = this.#standing === 'fenced'
    this.#become('outside')
    if (!wasFenced) await this.#registration?.lease.revoke()
  }

  async #join(how: { uninterrupted: boolean }): Promise<void> {
    const { view, brokerId, settings } = this.#options
    const options: RegistrationOptions = { ...this.#options, leaseTtlMs: settings.brokerSessionTimeoutMs }
    const registration = await register(options, this.#endpoints, how)
    if (this.#stopped) {
      await registration.lease.revoke()
      return
    }
    this.#registration = registration
    const { epoch, lease } = registration
    try {
      await this.#takeLeaderships(registration)
      if (!this.#stopped) await this.#controller.join({ brokerId, epoch, lease })
    } catch (error) {
      this.#controller.leave()
      // Nothing may go on to hang on it: above all the office, which nobody would fill.
      lease.revoke().catch(() => {})
      throw error
    }
    if (this.#stopped) {
      await lease.revoke()
      return
    }
    this.#standing = 'member'
    this.#unsubscribe = view.subscribe(({ after }) => this.#check(after))
    void lease.lost.then(() => {
      if (this.#registration === registration) this.#fence('its lease was lost')
    })
    for (const listener of this.#listeners) listener('member')
    this.#check(view.image)
  }

  /** Some stores let a lease be renewed that they have revoked: the registration itself is the proof. */
  #check(image: ClusterImage): void {
    const epoch = image.brokers.get(this.#options.brokerId)?.epoch
    if (epoch !== this.epoch) this.#fence(epoch === undefined ? 'its registration is gone' : 'another has its place')
  }

  #fence(reason: string): void {
    if (this.#standing !== 'member') return
    const { logger, brokerId } = this.#options
    logger.warn({ brokerId, epoch: this.epoch }, `this broker is fenced: ${reason}`)
    this.#unsubscribe()
    this.#controller.leave()
    this.#become('fenced')
    // If it cannot be revoked it runs out.
    this.#registration!.lease.revoke().catch(() => {})
    void this.#comeBack()
  }

  async #comeBack(): Promise<void> {
    const { logger, clock, brokerId } = this.#options
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        await this.#join({ uninterrupted: true })
        if (!this.#stopped) logger.info({ brokerId, epoch: this.epoch }, 'this broker is part of the cluster again')
        return
      } catch (error) {
        if (error instanceof BrokerIdTaken) {
          logger.error({ err: error }, 'this broker cannot come back')
          this.#lost.resolve()
          return
        }
        // Once: it is so as long as the store is away.
        logger[failures === 0 ? 'warn' : 'debug'](
          { err: error },
          'this broker could not register again, and goes on trying',
        )
        await pause(clock, retryMs)
      }
    }
  }

  #become(standing: Standing): void {
    if (this.#standing === standing) return
    this.#standing = standing
    for (const listener of this.#listeners) listener(standing)
  }

  /** What nobody leads, and what this broker led in an earlier life, under a new leader epoch. */
  async #takeLeaderships({ epoch, lease, waiting }: Registration): Promise<void> {
    if (waiting.size === 0) return
    const { store, view, clock, brokerId } = this.#options
    const { outcome } = await settlePartitions({
      store,
      view,
      clock,
      fence: [{ key: liveKey(brokerId), createRevision: epoch }],
      topics: () => view.image.topicsById.values(),
      rule: (partition, topic) => {
        // The controller may have been faster.
        if (waiting.get(partitionKey(topic.id, partition.index)) !== partition.leaderEpoch) return null
        return electedOnStart(partition, brokerId)
      },
      mayGoOn: () => lease.valid(),
    })
    if (outcome !== 'settled') throw new Error('this broker lost its registration while it started')
  }

  /** Answers the revision from which on the image shows it. Rejects with the store's faults. */
  async #sayLeaving(): Promise<Revision> {
    const { store, clock } = this.#options
    const { document, lease, epoch } = this.#registration!
    const { key } = this.fence
    const value = encodeDocument({ ...document, leaving: true })
    for (;;) {
      const result = await knownOutcome(
        store.transact([{ key, createRevision: epoch }], [{ kind: 'put', key, value, lease }]),
      )
      if (result !== null) return result.revision
      await readAgain(store, clock, key)
    }
  }
}

/** Whether any other broker could take something over. */
function hasSuccessors({ brokers }: ClusterImage, brokerId: number): boolean {
  for (const id of brokers.keys()) if (id !== brokerId && isActive(brokers, id)) return true
  return false
}

/** Nothing is led by the broker, or counts on it, that another in sync could take over. Never true before the image shows it leaving. */
function handedOver({ brokers, topicsById }: ClusterImage, brokerId: number): boolean {
  if (isActive(brokers, brokerId)) return false
  for (const { partitions } of topicsById.values()) {
    for (const { isr } of partitions) {
      if (isr.includes(brokerId) && isr.some((id) => id !== brokerId && isActive(brokers, id))) return false
    }
  }
  return true
}
