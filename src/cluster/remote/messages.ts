// What a broker's process and the process that keeps the metadata say to each other. Both are of one installation: nothing here
// needs to be understood by another version.

import type { Millis } from '../../io/clock.ts'
import type { Guard, MetaEvent, Revision } from '../meta-store.ts'

/** A `MetaWrite` whose lease is named by its id. */
export type WriteMessage =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly leaseId: string | null }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'deletePrefix'; readonly prefix: string }

export interface CasItemMessage {
  readonly guards: readonly [Guard, ...Guard[]]
  readonly writes: readonly WriteMessage[]
}

/** Each is answered, once. */
export type Call =
  | { readonly method: 'get'; readonly key: string }
  | { readonly method: 'list'; readonly prefix: string }
  | {
      readonly method: 'transact'
      readonly guards: readonly [Guard, ...Guard[]]
      readonly writes: readonly WriteMessage[]
    }
  | {
      readonly method: 'compareAndSwapMany'
      readonly fence: readonly Guard[]
      readonly items: readonly CasItemMessage[]
    }
  /** Answers the lease's id. */
  | { readonly method: 'lease'; readonly ttlMs: Millis }
  /** Answers whether the lease still exists, and holds for its whole time again. */
  | { readonly method: 'renew'; readonly leaseId: string }
  | { readonly method: 'revoke'; readonly leaseId: string }

export type ToKeeper =
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  | { readonly kind: 'watch'; readonly watchId: number; readonly prefix: string; readonly from: Revision }
  | { readonly kind: 'unwatch'; readonly watchId: number }
  /** So many events have arrived: the keeper bounds what is on its way. */
  | { readonly kind: 'heard'; readonly watchId: number; readonly events: number }

/** `unknown`: the write may have applied. `full`: nothing was written, for want of room. */
export type Failure = 'unknown' | 'full' | 'other'

export type ToBroker =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure; readonly message: string }
  | {
      readonly kind: 'events'
      readonly watchId: number
      readonly batch: readonly MetaEvent[]
      readonly revision: Revision
    }
  /** The watch is over. */
  | { readonly kind: 'reset'; readonly watchId: number }
  | { readonly kind: 'leaseLost'; readonly leaseId: string }
