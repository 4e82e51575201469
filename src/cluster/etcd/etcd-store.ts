// The metadata store on etcd (3.4 or later, best 3.5.23 or 3.6): its transactions are our guarded writes, its revisions our
// revisions, its leases our leases. There is no state here but connections: everything is etcd's.

import type { Clock, Millis } from '../../io/clock.ts'
import type { EtcdDoor } from '../../io/etcd.ts'
import type { Logger } from '../../lib/logger.ts'
import { checkWrites } from '../commit-draft.ts'
import { clusterKey } from '../keys.ts'
import type {
  CasItem,
  Guard,
  MetaEntry,
  MetaStore,
  MetaWrite,
  Revision,
  TransactionResult,
  WatchHandler,
} from '../meta-store.ts'
import { outcomeOfParts } from '../parts-of-one-call.ts'
import type { EtcdUser } from './access-token.ts'
import { EtcdConnection } from './connection.ts'
import { KeySpace } from './key-space.ts'
import { EtcdLease } from './lease.ts'
import { batchesOf, batchResult, batchTransaction, entryOf, firstEntry, resultOf, transaction } from './transactions.ts'
import { isCompacted } from './verdict.ts'
import { EtcdWatch } from './watch.ts'

export interface EtcdStoreOptions {
  readonly door: EtcdDoor
  /** At least one; more than one of the same cluster, so that the others go on when one is gone. */
  readonly endpoints: readonly string[]
  /** What comes before every key. Two clusters that share one etcd need different ones; may be empty. */
  readonly namespace?: string
  readonly user?: EtcdUser
  readonly clock: Clock
  readonly logger: Logger
  /** One member's time to answer before the next is asked. */
  readonly attemptTimeoutMs?: Millis
  /** How long a call goes on asking before it rejects with `StoreUnavailable`. */
  readonly patienceMs?: Millis
}

type Part = readonly TransactionResult[] | 'fenced'

/** Keys per answer: a page is decoded in one turn of the event loop. */
const pageKeys = 2000
const batchesInFlightMax = 4

export class EtcdMetaStore implements MetaStore {
  readonly #connection: EtcdConnection
  readonly #keys: KeySpace
  readonly #watches = new Set<EtcdWatch>()
  readonly #leases = new Set<EtcdLease>()

  /** Resolves when etcd has answered, as this user. Rejects with `StoreUnavailable`, or the reason why etcd refuses. */
  static async connect(options: EtcdStoreOptions): Promise<EtcdMetaStore> {
    const store = new EtcdMetaStore(options)
    try {
      await store.get(clusterKey)
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  private constructor(options: EtcdStoreOptions) {
    const { door, endpoints, user, clock, logger, attemptTimeoutMs = 1500, patienceMs = 6000 } = options
    const common = { door, endpoints, clock, logger, attemptTimeoutMs, patienceMs }
    this.#connection = new EtcdConnection(user === undefined ? common : { ...common, user })
    this.#connection.onReplaced = () => this.#forgetEverything()
    this.#keys = new KeySpace(options.namespace ?? '')
  }

  async get(key: string): Promise<{ entry: MetaEntry | null; revision: Revision }> {
    const response = await this.#connection.read('range', { key: this.#keys.encode(key) })
    return { entry: firstEntry(this.#keys, response), revision: revisionOf(response) }
  }

  async list(prefix: string): Promise<{ entries: readonly MetaEntry[]; revision: Revision }> {
    for (;;) {
      try {
        return await this.#list(prefix)
      } catch (error) {
        // Compacted between two pages: from the start again, as it is now.
        if (!isCompacted(error)) throw error
      }
    }
  }

  async transact(guards: readonly [Guard, ...Guard[]], writes: readonly MetaWrite[]): Promise<TransactionResult> {
    this.#check(writes)
    const response = await this.#connection.write('txn', transaction(this.#keys, guards, writes))
    return resultOf(this.#keys, guards, response, revisionOf(response))
  }

  async compareAndSwapMany(
    fence: readonly Guard[],
    items: readonly CasItem[],
  ): Promise<readonly TransactionResult[] | 'fenced'> {
    for (const item of items) this.#check(item.writes)
    if (items.length === 0) return (await this.#writeBatch(fence, [])) === 'fenced' ? 'fenced' : []
    const parts: PromiseSettledResult<Part>[] = []
    for (const round of batchesOf(fence, items)) {
      const ofRound = await this.#writeRound(fence, round)
      parts.push(...ofRound)
      if (ofRound.some((part) => part.status === 'rejected' || part.value === 'fenced')) break
    }
    return outcomeOfParts(parts)
  }

  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void } {
    if (this.#connection.closed) throw new Error('the metadata store is closed')
    const watch = new EtcdWatch({
      connection: this.#connection,
      keys: this.#keys,
      prefix,
      from,
      handler,
      onOver: (ended) => this.#watches.delete(ended),
    })
    this.#watches.add(watch)
    return watch
  }

  async lease(ttlMs: Millis): Promise<EtcdLease> {
    const lease = await EtcdLease.grant(this.#connection, ttlMs, (over) => this.#leases.delete(over))
    this.#leases.add(lease)
    if (this.#connection.closed) lease.abandon()
    return lease
  }

  /** Leases run out their time, watches end, and writes under way have an unknown outcome. */
  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close()
    for (const lease of this.#leases) lease.abandon()
    this.#connection.close()
  }

  async #list(prefix: string): Promise<{ entries: readonly MetaEntry[]; revision: Revision }> {
    const range = this.#keys.range(prefix)
    const entries: MetaEntry[] = []
    let key = range.key
    let revision = '0'
    for (;;) {
      const page = await this.#connection.read('range', { ...range, key, limit: String(pageKeys), revision })
      for (const kv of page.kvs) entries.push(entryOf(this.#keys, kv))
      // All pages show the state of the first.
      if (revision === '0') revision = String(revisionOf(page))
      const last = page.kvs.at(-1)
      if (!page.more || last === undefined) return { entries, revision: Number(revision) }
      key = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  /** In their order; those after one that did not go through may be missing. */
  async #writeRound(
    fence: readonly Guard[],
    batches: readonly (readonly CasItem[])[],
  ): Promise<readonly PromiseSettledResult<Part>[]> {
    const parts: PromiseSettledResult<Part>[] = []
    let next = 0
    let stopped = false
    const work = async (): Promise<void> => {
      while (!stopped && next < batches.length) {
        const at = next++
        const [part] = await Promise.allSettled([this.#writeBatch(fence, batches[at]!)])
        parts[at] = part
        if (part.status === 'rejected' || part.value === 'fenced') stopped = true
      }
    }
    // What is under way is waited for even after one has failed: nothing is written any more once this has settled.
    await Promise.all(Array.from({ length: batchesInFlightMax }, work))
    return parts
  }

  async #writeBatch(fence: readonly Guard[], items: readonly CasItem[]): Promise<Part> {
    const response = await this.#connection.write('txn', batchTransaction(this.#keys, fence, items))
    return batchResult(this.#keys, items, response, revisionOf(response))
  }

  #check(writes: readonly MetaWrite[]): void {
    checkWrites(writes)
    for (const write of writes) {
      if (write.kind !== 'put' || write.lease === undefined) continue
      if (![...this.#leases].some((lease) => lease.id === write.lease?.id)) throw new Error('the lease is over')
    }
  }

  /** Another etcd answers: whoever follows it begins anew, and what was leased is gone. */
  #forgetEverything(): void {
    for (const watch of this.#watches) watch.reset('replaced')
    for (const lease of this.#leases) lease.lose()
  }
}

function revisionOf({ header }: { readonly header: { readonly revision: string } | null }): Revision {
  return Number(header?.revision ?? 0)
}
