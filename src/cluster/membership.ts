// This broker's place in the cluster: its registration, the controller's office when it is free, and the leadership of the
// partitions that wait for it. Everything hangs on one lease: when that is lost, the broker must stop.

import type { Millis } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { invariant } from '../lib/invariant.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { electedOnStart } from './elections.ts'
import type { ClusterView, EndpointImage } from './image.ts'
import { controllerKey, creationsPrefix, liveKey, partitionsOfTopicPrefix, partitionsPrefix } from './keys.ts'
import type { CasItem, Guard, Lease, MetaStore, Revision } from './meta-store.ts'

export interface MembershipOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly brokerId: number
  readonly rack: string | null
  readonly random: Random
  readonly logger: Logger
  /** How long the cluster waits for a broker that says nothing. */
  readonly leaseTtlMs?: Millis
}

/** Another broker with this id is there. */
export class BrokerIdTaken extends Error {
  override readonly name = 'BrokerIdTaken'
}

export class Membership {
  readonly #options: MembershipOptions
  #lease: Lease | null = null
  #epoch: Revision = 0
  #unsubscribe: () => void = () => {}
  #seekingOffice = false

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** The broker epoch: grows with every start. */
  get epoch(): Revision {
    return this.#epoch
  }

  /** Whether the lease still holds; ask at each use. */
  valid(): boolean {
    return this.#lease?.valid() ?? false
  }

  /** Resolves when the lease is lost; never before `start`, and not by `stop`. */
  get lost(): Promise<void> {
    invariant(this.#lease !== null, 'a broker that has not joined cannot be lost')
    return this.#lease.lost
  }

  /**
   * Registers the broker under addresses that clients can reach, and takes its leaderships. When it resolves, the view shows
   * all of it. Rejects with `BrokerIdTaken`.
   */
  async start(endpoints: readonly EndpointImage[]): Promise<void> {
    const { store, view, brokerId, rack, random, leaseTtlMs } = this.#options
    this.#lease = await store.lease(leaseTtlMs ?? 9000)
    const key = liveKey(brokerId)
    const document = { incarnation: random.uuid(), endpoints, rack }
    const registered = await store.transact(
      [{ key, modRevision: 0 }],
      [{ kind: 'put', key, value: encodeDocument(document), lease: this.#lease }],
    )
    if (!registered.ok) {
      await this.#lease.revoke()
      throw new BrokerIdTaken(`broker ${brokerId} is already registered in this cluster`)
    }
    this.#epoch = registered.revision
    const elected = await this.#takeOffice()
    const taken = await this.#takeLeaderships()
    await view.reached(Math.max(this.#epoch, elected, taken))
    this.#unsubscribe = view.subscribe(({ after }) => {
      if (after.controllerId === -1) this.#seekOffice()
    })
  }

  /** Leaves: the registration and the office are free at once. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    await this.#lease?.revoke()
  }

  #me(): Guard {
    return { key: liveKey(this.#options.brokerId), createRevision: this.#epoch }
  }

  #seekOffice(): void {
    if (this.#seekingOffice) return
    this.#seekingOffice = true
    this.#takeOffice()
      .catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, 'the controller could not be elected')
      })
      .finally(() => {
        this.#seekingOffice = false
      })
  }

  /** Becomes the controller unless there is one. Answers the revision by which it is. */
  async #takeOffice(): Promise<Revision> {
    const { store, brokerId } = this.#options
    if (this.#lease === null || !this.#lease.valid()) return 0
    const value = encodeDocument({ brokerId, brokerEpoch: this.#epoch })
    const elected = await store.transact(
      [{ key: controllerKey, modRevision: 0 }, this.#me()],
      [{ kind: 'put', key: controllerKey, value, lease: this.#lease }],
    )
    if (!elected.ok) return 0
    await this.#clearAbandonedCreations()
    return elected.revision
  }

  /** Partitions of topics that were never committed, because their broker stopped in between. */
  async #clearAbandonedCreations(): Promise<void> {
    const { store } = this.#options
    for (const { key, value, modRevision } of (await store.list(creationsPrefix)).entries) {
      const { brokerId, brokerEpoch } = decodeDocument('creation', value)
      const creator = (await store.get(liveKey(brokerId))).entry
      if (creator?.createRevision === brokerEpoch) continue
      const prefix = partitionsOfTopicPrefix(key.slice(creationsPrefix.length))
      await store.transact(
        [{ key, modRevision }, this.#me()],
        [
          { kind: 'deletePrefix', prefix },
          { kind: 'delete', key },
        ],
      )
    }
  }

  /** Answers the revision by which it has them. */
  async #takeLeaderships(): Promise<Revision> {
    const { store, brokerId } = this.#options
    let taken = 0
    let waiting = (await store.list(partitionsPrefix)).entries
    while (waiting.length > 0) {
      const items: CasItem[] = []
      for (const { key, value, modRevision } of waiting) {
        const elected = electedOnStart(decodeDocument('partition', value), brokerId)
        if (elected === null) continue
        items.push({ guards: [{ key, modRevision }], writes: [{ kind: 'put', key, value: encodeDocument(elected) }] })
      }
      const results = await store.compareAndSwapMany([this.#me()], items)
      if (results === 'fenced') throw new Error('this broker lost its registration while it started')
      for (const result of results) if (result.ok) taken = Math.max(taken, result.revision)
      // What was changed in between is looked at again as it is now.
      waiting = results.flatMap((result) => (result.ok || result.current[0] == null ? [] : [result.current[0]]))
    }
    return taken
  }
}
