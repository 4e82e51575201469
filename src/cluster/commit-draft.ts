// One group of transactions being decided: the committed entries, and over them what the transactions before this one in the group
// have changed. Nothing of it is visible to anyone until the journal has it.

import { invariant } from '../lib/invariant.ts'
import type { JournalEntry } from './journal.ts'
import type { CasItem, Guard, MetaEntry, MetaEvent, MetaWrite, Revision, TransactionResult } from './meta-store.ts'

/** What the draft sees below itself. */
export interface CommittedEntries {
  get(key: string): MetaEntry | undefined
  keysWithPrefix(prefix: string): readonly string[]
}

/** The events of one revision, as history keeps them. */
export interface CommittedRevision {
  readonly revision: Revision
  readonly events: readonly MetaEvent[]
}

/** What a put binds its key to; `leaseId` null: to nothing. */
export interface DraftedEntry {
  readonly entry: MetaEntry | null
  readonly leaseId: string | null
}

/** A transaction that writes one key twice is a bug; etcd refuses it too. */
export function checkWrites(writes: readonly MetaWrite[]): void {
  const keys = new Set<string>()
  for (const write of writes) {
    if (write.kind === 'deletePrefix') continue
    invariant(!keys.has(write.key), `a transaction writes the key '${write.key}' twice`)
    keys.add(write.key)
  }
  for (const write of writes) {
    if (write.kind !== 'deletePrefix') continue
    for (const key of keys) {
      invariant(!key.startsWith(write.prefix), `a transaction writes the key '${key}' and deletes its prefix`)
    }
  }
}

export class CommitDraft {
  readonly #committed: CommittedEntries
  /** State after the draft, by key. */
  readonly changed = new Map<string, DraftedEntry>()
  readonly revisions: CommittedRevision[] = []
  readonly journal: JournalEntry[] = []
  #revision: Revision

  constructor(committed: CommittedEntries, revision: Revision) {
    this.#committed = committed
    this.#revision = revision
  }

  get revision(): Revision {
    return this.#revision
  }

  /** All writes when every guard holds, else none. A transaction that changes nothing takes no revision. */
  transact(guards: readonly Guard[], writes: readonly MetaWrite[]): TransactionResult {
    if (!this.holds(guards)) {
      return { ok: false, revision: this.#revision, current: guards.map((guard) => this.#get(guard.key)) }
    }
    this.#write(writes)
    return { ok: true, revision: this.#revision }
  }

  transactMany(fence: readonly Guard[], items: readonly CasItem[]): readonly TransactionResult[] | 'fenced' {
    if (!this.holds(fence)) return 'fenced'
    return items.map((item) => this.transact(item.guards, item.writes))
  }

  holds(guards: readonly Guard[]): boolean {
    return guards.every((guard) => {
      const entry = this.#get(guard.key)
      return 'modRevision' in guard
        ? (entry?.modRevision ?? 0) === guard.modRevision
        : (entry?.createRevision ?? 0) === guard.createRevision
    })
  }

  /** Deletes what is bound to the lease, in one revision. */
  deleteKeys(keys: Iterable<string>): void {
    this.#write([...keys].map((key) => ({ kind: 'delete', key })))
  }

  leaseOf(key: string, committed: string | null): string | null {
    const drafted = this.changed.get(key)
    return drafted === undefined ? committed : drafted.leaseId
  }

  #get(key: string): MetaEntry | null {
    const drafted = this.changed.get(key)
    return drafted === undefined ? (this.#committed.get(key) ?? null) : drafted.entry
  }

  #write(writes: readonly MetaWrite[]): void {
    const revision = this.#revision + 1
    const events: MetaEvent[] = []
    for (const write of writes) {
      if (write.kind === 'put') {
        events.push(this.#put(write.key, write.value, write.lease?.id ?? null, revision))
        continue
      }
      const keys = write.kind === 'delete' ? [write.key] : this.#keysWithPrefix(write.prefix)
      for (const key of keys) {
        const event = this.#delete(key, revision)
        if (event !== null) events.push(event)
      }
    }
    if (events.length === 0) return
    this.#revision = revision
    this.revisions.push({ revision, events })
  }

  #put(key: string, value: Uint8Array, leaseId: string | null, revision: Revision): MetaEvent {
    const createRevision = this.#get(key)?.createRevision ?? revision
    const entry: MetaEntry = { key, value, createRevision, modRevision: revision }
    this.changed.set(key, { entry, leaseId })
    this.journal.push({ ...entry, leased: leaseId !== null })
    return { kind: 'put', entry }
  }

  #delete(key: string, revision: Revision): MetaEvent | null {
    const entry = this.#get(key)
    if (entry === null) return null
    this.changed.set(key, { entry: null, leaseId: null })
    this.journal.push({ key, value: null, createRevision: entry.createRevision, modRevision: revision, leased: false })
    return { kind: 'delete', entry }
  }

  #keysWithPrefix(prefix: string): string[] {
    const keys = new Set(this.#committed.keysWithPrefix(prefix))
    for (const [key, { entry }] of this.changed) {
      if (!key.startsWith(prefix)) continue
      if (entry === null) keys.delete(key)
      else keys.add(key)
    }
    return [...keys].sort()
  }
}
