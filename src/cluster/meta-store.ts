// The few small things a cluster must agree on, as keys with revisions: guarded writes only, watches, leases.
// One interface, several keepers: a file of this process, etcd, a simulated one. There is no blind put:
// a write whose answer was lost may still apply later, and only a guard makes that harmless.

/** Grows with every change of the store; etcd's revision where etcd keeps it. Exact below 2^53. */
export type Revision = number

export interface MetaEntry {
  readonly key: string
  readonly value: Uint8Array
  readonly createRevision: Revision
  readonly modRevision: Revision
}

/** `modRevision`: the key is as we saw it (0 = it must not exist). `createRevision`: the same incarnation, whatever its value. */
export type Guard =
  | { readonly key: string; readonly modRevision: Revision }
  | { readonly key: string; readonly createRevision: Revision }

export type MetaWrite =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: Lease }
  | { readonly kind: 'delete'; readonly key: string }
  /** Deletes every key with this prefix. */
  | { readonly kind: 'deletePrefix'; readonly prefix: string }

export type TransactionResult =
  | { readonly ok: true; readonly revision: Revision }
  /** Nothing was written; `current` is the state of the guarded keys, in the guards' order. */
  | { readonly ok: false; readonly revision: Revision; readonly current: readonly (MetaEntry | null)[] }

/** One of many independent guarded writes; `guards[0]` is the item's own key. */
export interface CasItem {
  readonly guards: readonly [Guard, ...Guard[]]
  readonly writes: readonly MetaWrite[]
}

export interface MetaEvent {
  readonly kind: 'put' | 'delete'
  /** For a delete: the last state before it. */
  readonly entry: MetaEntry
}

/** `forgotten`: history is gone (compacted). `replaced`: another store answers, or an older state of this one: nothing that was read holds. */
export type ResetCause = 'forgotten' | 'replaced'

export interface WatchHandler {
  /** Whole revisions only, in order, no repeats. */
  events(batch: readonly MetaEvent[], revision: Revision): void
  /** The watch is over: list again. */
  reset(cause: ResetCause): void
  /** No proof of freshness since `sinceMs` (monotonic). Told again and again for as long as that is so. */
  stale(sinceMs: number): void
}

/** The write may or may not have applied, now or later: read again before deciding anything. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome'
}

/** There was no room to write the change down: nothing has changed. It may be tried again. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'
}

/** The store could not be asked. Nothing was written, and nothing will be by this call. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/**
 * Every method rejects with `StoreUnavailable` when the store cannot be asked, and those that write with `UnknownOutcome` when
 * its answer was lost. The revision of a read may be beyond everything a watch will tell of: wait for revisions of writes only.
 */
export interface MetaStore {
  get(key: string): Promise<{ readonly entry: MetaEntry | null; readonly revision: Revision }>
  /** All keys with the prefix, in key order, at one revision. */
  list(prefix: string): Promise<{ readonly entries: readonly MetaEntry[]; readonly revision: Revision }>
  /** All writes or none; visible and answered only when durable. */
  transact(guards: readonly [Guard, ...Guard[]], writes: readonly MetaWrite[]): Promise<TransactionResult>
  /**
   * Many independent compare-and-swaps behind one fence, whose keys none of them writes; `fenced` when the fence no longer holds: then
   * nothing was written. They are not one transaction: after `UnknownOutcome` some may have been written, and others not.
   */
  compareAndSwapMany(
    fence: readonly Guard[],
    items: readonly CasItem[],
  ): Promise<readonly TransactionResult[] | 'fenced'>
  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void }
  lease(ttlMs: number): Promise<Lease>
  close(): Promise<void>
}

export interface Lease {
  readonly id: string
  /**
   * Whether it certainly holds now. Checked at each use, never remembered: it ends by the clock, and may hold again once the
   * store has answered.
   */
  valid(): boolean
  /** Resolves when the lease is certainly over, unless it was revoked. */
  readonly lost: Promise<void>
  /** Deletes the keys that are bound to it. */
  revoke(): Promise<void>
}
