// The metadata store of one process: everything in memory, every change in a journal first. Transactions that come while one group
// is being synced wait and become the next group, decided in order of arrival, synced once.
//
// After a fault of the journal nothing can be promised any more: every later call rejects, `failed` resolves, the broker must stop.

import type { Clock, Millis } from '../io/clock.ts'
import { invariant } from '../lib/invariant.ts'
import { checkWrites, CommitDraft } from './commit-draft.ts'
import { EmbeddedLease } from './embedded-lease.ts'
import { type Journal, type JournalEntry, JournalFull } from './journal.ts'
import { KeyIndex } from './key-index.ts'
import {
  type CasItem,
  type Guard,
  type Lease,
  type MetaEntry,
  type MetaStore,
  type MetaWrite,
  type Revision,
  StoreFull,
  type TransactionResult,
  UnknownOutcome,
  type WatchHandler,
} from './meta-store.ts'
import { outcomeOfParts } from './parts-of-one-call.ts'
import { WatchHistory } from './watch-history.ts'

/** A group takes no more transactions once it writes this many entries: thousands that come at once must not hold up the event loop. */
const groupEntriesMax = 500

/** The keys of a lease that is over, when there was no room to write that they go. */
const releaseRetryMs: Millis = 1000

export interface EmbeddedStoreOptions {
  readonly journal: Journal
  readonly clock: Clock
  /** Revisions kept for watches that resume. */
  readonly historyRevisions?: number
  /** The journal is replaced by a snapshot when it has grown by this, and to twice its last snapshot. */
  readonly snapshotAfterBytes?: number
}

/** A transaction in the queue. */
interface Waiting {
  /** Keys that belong to leases which must still exist when its turn comes. */
  readonly leases: readonly Lease[]
  /** Works it out in the draft; answers how to tell the caller once the draft is durable. */
  decide(draft: CommitDraft): () => void
  fail(error: Error): void
}

interface Kept {
  readonly entry: MetaEntry
  readonly leaseId: string | null
}

export class EmbeddedMetaStore implements MetaStore {
  /** Resolves with the fault when the journal has failed; never rejects. */
  readonly failed: Promise<Error>
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #snapshotAfterBytes: number
  readonly #kept: Map<string, Kept>
  readonly #keys: KeyIndex
  readonly #history: WatchHistory
  readonly #leases = new Map<string, EmbeddedLease>()
  #leaseCount = 0
  #revision: Revision
  /** There was no room for a snapshot when the journal had grown by a little less. */
  #noSnapshotBelowBytes = 0
  #waiting: Waiting[] = []
  #committing: Promise<void> | null = null
  #over: Error | null = null
  #reportFailure: (fault: Error) => void = () => {}

  /** Loads what the journal kept. Keys that were bound to leases are gone: no lease outlives its process. */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedMetaStore> {
    const kept = new Map<string, JournalEntry>()
    const revision = await options.journal.load((entry) => {
      if (entry.value === null) kept.delete(entry.key)
      else kept.set(entry.key, entry)
    })
    const store = new EmbeddedMetaStore(options, kept, revision)
    const leased = [...kept.values()].filter((entry) => entry.leased).map((entry) => entry.key)
    if (leased.length > 0) await store.#deleteAll(leased)
    return store
  }

  private constructor(options: EmbeddedStoreOptions, entries: ReadonlyMap<string, JournalEntry>, revision: Revision) {
    this.#journal = options.journal
    this.#clock = options.clock
    this.#snapshotAfterBytes = options.snapshotAfterBytes ?? 4 * 1024 * 1024
    this.#revision = revision
    this.#kept = new Map()
    for (const { key, value, createRevision, modRevision } of entries.values()) {
      invariant(value !== null, 'a deleted entry among those that are kept')
      this.#kept.set(key, { entry: { key, value, createRevision, modRevision }, leaseId: null })
    }
    this.#keys = new KeyIndex(this.#kept.keys())
    this.#history = new WatchHistory(revision, options.historyRevisions ?? 10_000)
    this.failed = new Promise((resolve) => {
      this.#reportFailure = resolve
    })
  }

  async get(key: string): Promise<{ entry: MetaEntry | null; revision: Revision }> {
    this.#mustWork()
    return { entry: this.#kept.get(key)?.entry ?? null, revision: this.#revision }
  }

  async list(prefix: string): Promise<{ entries: readonly MetaEntry[]; revision: Revision }> {
    this.#mustWork()
    const entries = this.#keys.withPrefix(prefix).map((key) => this.#kept.get(key)!.entry)
    return { entries, revision: this.#revision }
  }

  /** The store keeps the values' bytes: the caller gives them away. */
  async transact(guards: readonly [Guard, ...Guard[]], writes: readonly MetaWrite[]): Promise<TransactionResult> {
    checkWrites(writes)
    return this.#enqueue(leasesOf(writes), (draft) => draft.transact(guards, writes))
  }

  async compareAndSwapMany(
    fence: readonly Guard[],
    items: readonly CasItem[],
  ): Promise<readonly TransactionResult[] | 'fenced'> {
    for (const item of items) checkWrites(item.writes)
    const parts = [items.slice(0, groupEntriesMax)]
    for (let from = groupEntriesMax; from < items.length; from += groupEntriesMax) {
      parts.push(items.slice(from, from + groupEntriesMax))
    }
    const settled = await Promise.allSettled(
      parts.map(async (part) =>
        this.#enqueue(
          part.flatMap((item) => leasesOf(item.writes)),
          (draft) => draft.transactMany(fence, part),
        ),
      ),
    )
    return outcomeOfParts(settled)
  }

  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void } {
    this.#mustWork()
    return this.#history.watch(prefix, from, handler)
  }

  async lease(ttlMs: Millis): Promise<EmbeddedLease> {
    this.#mustWork()
    const lease = new EmbeddedLease(String(++this.#leaseCount), ttlMs, this.#clock, (ended) => this.#release(ended))
    this.#leases.set(lease.id, lease)
    return lease
  }

  /** For one more broker of this process: its leases run out, and its watches end, when it closes its connection. */
  connect(): MetaStore {
    return new Connection(this)
  }

  /** Lets what waits be committed. Leases are not revoked: their keys are gone at the next start. */
  async close(): Promise<void> {
    while (this.#committing !== null) await this.#committing
    if (this.#over !== null) return
    this.#end(new Error('the metadata store is closed'))
    await this.#journal.close()
  }

  #enqueue<T>(leases: readonly Lease[], decide: (draft: CommitDraft) => T): Promise<T> {
    this.#mustWork()
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        leases,
        decide(draft) {
          const result = decide(draft)
          return () => resolve(result)
        },
        fail: reject,
      })
      this.#committing ??= this.#commitAll()
    })
  }

  async #commitAll(): Promise<void> {
    // What this turn of the event loop still brings belongs to the same group.
    await Promise.resolve()
    while (this.#waiting.length > 0 && this.#over === null) await this.#commit()
    this.#committing = null
  }

  async #commit(): Promise<void> {
    const committed = {
      get: (key: string) => this.#kept.get(key)?.entry,
      keysWithPrefix: (prefix: string) => this.#keys.withPrefix(prefix),
    }
    const draft = new CommitDraft(committed, this.#revision)
    const group: Waiting[] = []
    try {
      const answers: (() => void)[] = []
      for (const waiting of this.#waiting) {
        if (draft.journal.length >= groupEntriesMax) break
        group.push(waiting)
        if (waiting.leases.every((lease) => this.#leases.has(lease.id))) answers.push(waiting.decide(draft))
        else waiting.fail(new Error('the lease is over'))
      }
      this.#waiting = this.#waiting.slice(group.length)
      if (draft.journal.length > 0) {
        try {
          await this.#journal.append(draft.journal)
        } catch (error) {
          if (!(error instanceof JournalFull)) throw error
          for (const waiting of group) waiting.fail(new StoreFull(error.message, { cause: error }))
          return
        }
        this.#apply(draft)
      }
      for (const answer of answers) answer()
      await this.#snapshotWhenLarge()
    } catch (error) {
      this.#fail(error, group)
    }
  }

  #apply(draft: CommitDraft): void {
    const added: string[] = []
    const removed = new Set<string>()
    for (const [key, { entry, leaseId }] of draft.changed) {
      if (entry === null) {
        if (this.#kept.delete(key)) removed.add(key)
      } else {
        if (!this.#kept.has(key)) added.push(key)
        this.#kept.set(key, { entry, leaseId })
      }
    }
    this.#keys.update(added, removed)
    this.#revision = draft.revision
    this.#history.add(draft.revisions)
  }

  async #snapshotWhenLarge(): Promise<void> {
    const grownBytes = this.#journal.sizeBytes - this.#journal.snapshotBytes
    if (grownBytes < Math.max(this.#snapshotAfterBytes, this.#journal.snapshotBytes, this.#noSnapshotBelowBytes)) return
    try {
      await this.#journal.replace(this.#revision, this.#journalEntries())
      this.#noSnapshotBelowBytes = 0
    } catch (error) {
      // The journal stays as it is, and grows on for a while before the next try.
      if (!(error instanceof JournalFull)) throw error
      this.#noSnapshotBelowBytes = grownBytes + this.#snapshotAfterBytes / 4
    }
  }

  *#journalEntries(): Generator<JournalEntry> {
    for (const { entry, leaseId } of this.#kept.values()) yield { ...entry, leased: leaseId !== null }
  }

  /** When there is no room to write it down it rejects, and the keys go when there is. */
  async #release(lease: EmbeddedLease): Promise<void> {
    this.#leases.delete(lease.id)
    if (this.#over !== null) return
    try {
      await this.#deleteKeysOf(lease)
    } catch (error) {
      if (error instanceof StoreFull) {
        this.#clock.setTimer(releaseRetryMs, () => void this.#release(lease).catch(() => {}))
      }
      throw error
    }
  }

  async #deleteKeysOf(lease: EmbeddedLease): Promise<void> {
    await this.#enqueue([], (draft) => {
      const bound: string[] = []
      for (const [key, kept] of this.#kept) {
        if (draft.leaseOf(key, kept.leaseId) === lease.id) bound.push(key)
      }
      for (const [key, drafted] of draft.changed) {
        if (drafted.leaseId === lease.id && !this.#kept.has(key)) bound.push(key)
      }
      draft.deleteKeys(bound)
    })
  }

  async #deleteAll(keys: readonly string[]): Promise<void> {
    await this.#enqueue([], (draft) => draft.deleteKeys(keys))
  }

  #mustWork(): void {
    if (this.#over !== null) throw this.#over
  }

  /** What was being written may be found at the next start, or not. */
  #fail(cause: unknown, group: readonly Waiting[]): void {
    const fault = new Error('the metadata store has failed; the broker must stop', { cause })
    this.#end(fault)
    for (const waiting of group) waiting.fail(new UnknownOutcome(fault.message, { cause }))
    for (const waiting of this.#waiting) waiting.fail(fault)
    this.#waiting = []
    // The disk has failed already; nothing can be done about a second fault.
    this.#journal.close().catch(() => {})
    this.#reportFailure(fault)
  }

  #end(reason: Error): void {
    this.#over = reason
    this.#history.clear()
    for (const lease of this.#leases.values()) lease.lose()
    this.#leases.clear()
  }
}

/** One broker's own way to the store. */
class Connection implements MetaStore {
  readonly #store: EmbeddedMetaStore
  readonly #leases = new Set<EmbeddedLease>()
  readonly #watches = new Set<{ close(): void }>()
  #closed = false

  constructor(store: EmbeddedMetaStore) {
    this.#store = store
  }

  async get(key: string): Promise<{ entry: MetaEntry | null; revision: Revision }> {
    return this.#open().get(key)
  }

  async list(prefix: string): Promise<{ entries: readonly MetaEntry[]; revision: Revision }> {
    return this.#open().list(prefix)
  }

  async transact(guards: readonly [Guard, ...Guard[]], writes: readonly MetaWrite[]): Promise<TransactionResult> {
    return this.#open().transact(guards, writes)
  }

  async compareAndSwapMany(
    fence: readonly Guard[],
    items: readonly CasItem[],
  ): Promise<readonly TransactionResult[] | 'fenced'> {
    return this.#open().compareAndSwapMany(fence, items)
  }

  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void } {
    const watch = this.#open().watch(prefix, from, handler)
    this.#watches.add(watch)
    return {
      close: () => {
        this.#watches.delete(watch)
        watch.close()
      },
    }
  }

  async lease(ttlMs: Millis): Promise<Lease> {
    const lease = await this.#open().lease(ttlMs)
    this.#leases.add(lease)
    return lease
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const watch of this.#watches) watch.close()
    for (const lease of this.#leases) lease.abandon()
  }

  #open(): EmbeddedMetaStore {
    if (this.#closed) throw new Error('this connection to the metadata store is closed')
    return this.#store
  }
}

function leasesOf(writes: readonly MetaWrite[]): Lease[] {
  return writes.flatMap((write) => (write.kind === 'put' && write.lease !== undefined ? [write.lease] : []))
}
