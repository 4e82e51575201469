// Does what the cluster needs and nobody asks for: takes the dead out of the ISRs and elects leaders in their place, ends reassignments,
// gives leaderships back, clears what creations left behind. Every broker has one; the one that holds the office works. It looks
// at the newest image and never at what happened, so that a new one simply begins, and a missed change is found the next time.

import type { Clock, Millis, Timer } from '../../io/clock.ts'
import { invariant } from '../../lib/invariant.ts'
import type { Logger } from '../../lib/logger.ts'
import type { PartitionDocument } from '../documents.ts'
import type { ClusterView, ImageChange, PartitionImage, TopicImage } from '../image.ts'
import { controllerKey } from '../keys.ts'
import { pause, readAgain } from '../known-outcome.ts'
import type { Guard, MetaStore, Revision } from '../meta-store.ts'
import { type Settled, settlePartitions } from '../settled-partitions.ts'
import type { BrokerSettings } from '../settings/broker-settings.ts'
import { topicSettings } from '../settings/topic-config.ts'
import { AbandonedCreations } from './abandoned-creations.ts'
import { attendedPartition } from './attended-partition.ts'
import { type Candidate, officeGuard, takeOffice } from './office.ts'
import { imbalancedBrokers, ledByPreferred } from './preferred-leaders.ts'

export interface ControllerOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly brokerId: number
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly logger: Logger
}

interface Office {
  /** The controller's epoch. */
  readonly epoch: Revision
  readonly guard: Guard
  readonly lease: Candidate['lease']
  readonly creations: AbandonedCreations
}

type Rule = (partition: PartitionImage, topic: TopicImage) => PartitionDocument | null

/** After a fault of the store; longer each time while it lasts. */
const retryMs: Millis = 500
const retryMsMax: Millis = 2000
/** How often all is looked at although nothing has changed. */
const recheckMs: Millis = 180_000

export class Controller {
  readonly #options: ControllerOptions
  #candidate: Candidate | null = null
  #office: Office | null = null
  #unsubscribe: () => void = () => {}
  readonly #timers = new Set<Timer>()
  /** Who is being elected, if anybody. */
  #seeking: Candidate | null = null
  #working: Promise<void> | null = null
  /** What the next pass looks at. */
  #topicIds = new Set<string>()
  #allTopics = false
  /** What the next pass does besides. */
  #creations = false
  #balance = false

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  /** Whether this broker is the controller, as far as it knows; a write may still find that it is not. */
  get inOffice(): boolean {
    return this.#office?.lease.valid() ?? false
  }

  /**
   * The broker is registered: takes the office if it is free, now or later. When it took it, it has done its first work when this
   * resolves. Rejects with the store's faults.
   */
  async join(candidate: Candidate): Promise<void> {
    invariant(this.#candidate === null, 'a broker that joins twice')
    this.#candidate = candidate
    this.#unsubscribe = this.#options.view.subscribe((change) => this.#follow(change))
    if (this.#options.view.image.controllerId !== -1) return
    await this.#seekOffice()
    await this.#working
  }

  /** Stops at once; the office becomes free with the lease. */
  leave(): void {
    this.#unsubscribe()
    this.#candidate = null
    this.#resign()
  }

  #follow({ before, after, topicIds }: ImageChange): void {
    if (this.#office === null) {
      // It may have become this broker's by a write that was given up on.
      const isNews = before.controllerId !== after.controllerId
      if (after.controllerId === -1 || (isNews && after.controllerId === this.#options.brokerId))
        this.#seekInBackground()
      return
    }
    if (after.revision < this.#office.epoch) return
    if (after.controllerId !== this.#options.brokerId) {
      this.#resign()
      if (after.controllerId === -1) this.#seekInBackground()
      return
    }
    for (const id of topicIds) this.#topicIds.add(id)
    if (before.brokers !== after.brokers) {
      this.#allTopics = true
      this.#creations = true
    }
    this.#work()
  }

  #seekInBackground(): void {
    if (this.#seeking !== null && this.#seeking === this.#candidate) return
    this.#seekOffice().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'the controller could not be elected')
      this.#seekLater()
    })
  }

  #seekLater(): void {
    this.#after(retryMs, () => {
      if (this.#office === null) this.#seekInBackground()
    })
  }

  async #seekOffice(): Promise<void> {
    const candidate = this.#candidate
    if (candidate === null || this.#seeking === candidate) return
    this.#seeking = candidate
    const { store, view, brokerId, clock, logger } = this.#options
    try {
      while (this.#candidate === candidate && this.#office === null) {
        // It may hold again; when it is lost, `leave` comes.
        if (!candidate.lease.valid()) return this.#seekLater()
        const epoch = await takeOffice(store, candidate)
        if (this.#candidate !== candidate) return
        if (epoch !== null && epoch !== 'taken') {
          // What is done now must know all that was done before, also what a watch may have missed.
          await view.reached(epoch)
          await view.upToDate()
          if (this.#candidate !== candidate) return
          const creations = new AbandonedCreations(this.#options)
          this.#enterOffice({ epoch, guard: officeGuard(epoch), lease: candidate.lease, creations })
          logger.info({ brokerId, controllerEpoch: epoch }, 'this broker is the controller')
          return
        }
        await view.reached(await readAgain(store, clock, controllerKey))
        const { controllerId } = view.image
        if (controllerId !== -1 && (epoch === 'taken' || controllerId !== brokerId)) return
      }
    } finally {
      if (this.#seeking === candidate) this.#seeking = null
    }
  }

  #enterOffice(office: Office): void {
    const { settings } = this.#options
    this.#office = office
    this.#allTopics = true
    this.#creations = true
    this.#every(recheckMs, () => {
      this.#allTopics = true
      this.#creations = true
    })
    if (settings.autoLeaderRebalanceEnable) {
      this.#every(settings.leaderImbalanceCheckIntervalSeconds * 1000, () => {
        this.#balance = true
      })
    }
    this.#work()
  }

  #resign(): void {
    this.#office = null
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#topicIds.clear()
    this.#allTopics = false
    this.#creations = false
    this.#balance = false
  }

  #after(ms: Millis, callback: () => void): void {
    const timer = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
  }

  #every(ms: Millis, mark: () => void): void {
    const office = this.#office
    const tick = () => {
      if (this.#office !== office) return
      mark()
      this.#work()
      this.#after(ms, tick)
    }
    this.#after(ms, tick)
  }

  /** One pass at a time, until there is nothing left to do. */
  #work(): void {
    this.#working ??= this.#workOff().finally(() => {
      this.#working = null
      // Something may have come between the last look and this.
      if (this.#office !== null && this.#hasWork()) this.#work()
    })
  }

  async #workOff(): Promise<void> {
    let waitMs = retryMs
    for (;;) {
      const office = this.#office
      if (office === null || !this.#hasWork()) return
      try {
        const outcome = await this.#pass(office)
        waitMs = retryMs
        if (this.#office !== office || outcome === 'settled') continue
        if (outcome === 'fenced') {
          this.#resign()
        } else {
          // Its lease does not hold now. When it is lost, `leave` comes; when it holds again, this goes on.
          this.#allTopics = true
          await pause(this.#options.clock, retryMs)
        }
      } catch (error) {
        if (this.#office !== office) continue
        this.#options.logger.warn({ err: error }, 'the controller could not do its work, and tries again')
        this.#allTopics = true
        await pause(this.#options.clock, waitMs)
        waitMs = Math.min(2 * waitMs, retryMsMax)
      }
    }
  }

  #hasWork(): boolean {
    return this.#allTopics || this.#topicIds.size > 0 || this.#creations || this.#balance
  }

  async #pass(office: Office): Promise<Settled['outcome']> {
    const { view, settings } = this.#options
    if (this.#allTopics || this.#topicIds.size > 0) {
      const ids = this.#allTopics ? null : this.#topicIds
      this.#allTopics = false
      this.#topicIds = new Set()
      const unclean = (topic: TopicImage) => topicSettings(topic, settings).uncleanLeaderElectionEnable
      const attended = await this.#settle(office, ids, (partition, topic) =>
        attendedPartition(partition, { brokers: view.image.brokers, unclean: unclean(topic) }),
      )
      if (attended !== 'settled') return attended
    }
    if (this.#balance) {
      this.#balance = false
      const imbalanced = imbalancedBrokers(view.image, settings.leaderImbalancePerBrokerPercentage)
      const rule: Rule = (partition) => ledByPreferred(partition, { brokers: view.image.brokers, imbalanced })
      const balanced = imbalanced.size === 0 ? 'settled' : await this.#settle(office, null, rule)
      if (balanced !== 'settled') return balanced
    }
    if (this.#creations) {
      this.#creations = false
      await office.creations.clear(office.guard)
    }
    return 'settled'
  }

  async #settle(office: Office, ids: ReadonlySet<string> | null, rule: Rule): Promise<Settled['outcome']> {
    const { store, view, clock, logger } = this.#options
    const { outcome, changed } = await settlePartitions({
      store,
      view,
      clock,
      fence: [office.guard],
      topics: () => (ids === null ? view.image.topicsById.values() : topicsOf(view, ids)),
      rule,
      mayGoOn: () => this.#office === office && office.lease.valid(),
    })
    if (changed > 0) logger.info({ partitions: changed }, 'the controller changed leaders or in-sync replicas')
    return outcome
  }
}

function topicsOf(view: ClusterView, ids: ReadonlySet<string>): TopicImage[] {
  const topics: TopicImage[] = []
  for (const id of ids) {
    const topic = view.image.topicsById.get(id)
    if (topic !== undefined) topics.push(topic)
  }
  return topics
}
