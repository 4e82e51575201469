// What a state machine may ask for, and what it must be able to do. A machine decides; the runtime does.

import type { Millis } from '../io/clock.ts'

declare const responseOfReply: unique symbol

/** Names one waiting request. The type says what it waits for; `waiting-requests.ts` gives them out. */
export type ReplyTo<Response> = number & { readonly [responseOfReply]?: Response }

export type Effect<Event, Entry, Note = never> =
  /** Written to the log, then applied. Committed before any later reply leaves. */
  | { readonly kind: 'append'; readonly records: readonly Entry[] }
  | { readonly kind: 'reply'; readonly replyTo: ReplyTo<unknown>; readonly response: unknown }
  /** `event` comes back after this long, unless the timer is cancelled or set again: the same key replaces. */
  | { readonly kind: 'setTimer'; readonly key: string; readonly afterMs: Millis; readonly event: Event }
  | { readonly kind: 'cancelTimer'; readonly key: string }
  /** What happened and why, for whoever watches. Told at once, kept by no log. */
  | { readonly kind: 'note'; readonly note: Note }

/** A reply whose response is what the request waits for. */
export function reply<Response>(replyTo: ReplyTo<Response>, response: Response): Effect<never, never> {
  return { kind: 'reply', replyTo, response }
}

/** Log records that belong to no transaction carry this producer id. */
export const noTransaction = -1

/**
 * A pure state machine over one internal partition: no await, no clock, no randomness, no I/O. The same events give the same
 * effects, and the same records give the same state.
 */
export interface CoordinatorMachine<Event, Entry, Note = never> {
  /** Decides. May change what a restart can forget (who is waiting), never what the log remembers. `now`: wall time. */
  step(event: Event, now: Millis): readonly Effect<Event, Entry, Note>[]
  /**
   * The only place durable state changes: live after an append, and again for each record when the log is replayed.
   * `producerId`: the open transaction the record belongs to, or `noTransaction`.
   */
  apply(entry: Entry, producerId: number): void
  /** A transaction marker: what was applied under `producerId` now counts, or never happened. */
  transactionEnded(producerId: number, committed: boolean): void
  /** The whole log has been applied; events follow. */
  loaded(now: Millis): readonly Effect<Event, Entry, Note>[]
}

/** One record's bytes; a null value is a tombstone. */
export interface KeyValue {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

export interface EntryCodec<Entry> {
  encode(entry: Entry): KeyValue
  /** Null for a record of a kind this coordinator does not know: a newer version's, skipped as Kafka does. Throws on damage. */
  decode(record: KeyValue): Entry | null
}
