// What happened to a group, and why, in words a person can be told. Groups say it as they decide; nothing depends on it.

import type { Millis } from '../../../io/clock.ts'
import type { GroupEffect } from '../group-event.ts'

export interface NotedMember {
  readonly memberId: string
  /** KIP-345. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  /** As Kafka shows it: `/127.0.0.1`. */
  readonly clientHost: string
}

/** The newest of the offsets a group had committed for the partitions of one member. */
export interface LastCommit {
  /** `orders-3` */
  readonly partition: string
  readonly offset: number
  /** Wall time. */
  readonly at: Millis
}

/** What is told of a member that is no longer one. */
export interface Farewell {
  readonly member: NotedMember
  /** Partitions it had, as `topic-0`; left out where the machine cannot tell. */
  readonly owned?: readonly string[]
  /** Added by the shard, which knows what was committed: a machine leaves it out. Null: nothing was. */
  readonly lastCommit?: LastCommit | null
}

/** How many partitions a topic had, and has; 0: there was none of that name, or is none any more. Null: nobody remembers. */
export interface TopicCount {
  readonly topic: string
  readonly before: number | null
  readonly after: number
}

/** What a member was too slow with. */
export type OverduePhase = 'join' | 'sync' | 'revocation'

export type Happening =
  /** Told by the shard: this broker has read the group from the log, and knows of nothing that happened before. */
  | { readonly kind: 'coordinatorStarted'; readonly state: string }
  | { readonly kind: 'memberJoined'; readonly member: NotedMember }
  /** KIP-345: a static member came back under a new id. */
  | { readonly kind: 'memberReplaced'; readonly member: NotedMember; readonly oldMemberId: string }
  /** `reason`: what the client said (KIP-800). */
  | ({ readonly kind: 'memberLeft'; readonly reason: string | null } & Farewell)
  /** Removed: no heartbeat for as long as its session may last. */
  | ({ readonly kind: 'memberSilent'; readonly silentMs: Millis } & Farewell)
  /** Removed: its connection closed (development and tests). */
  | ({ readonly kind: 'memberDisconnected' } & Farewell)
  /** Removed. */
  | ({ readonly kind: 'memberOverdue'; readonly phase: OverduePhase; readonly afterMs: Millis } & Farewell)
  /** Topics the member reads now, or its regular expression. */
  | {
      readonly kind: 'subscriptionChanged'
      readonly member: NotedMember
      readonly topics: readonly string[]
      readonly regex: string | null
    }
  /** Topics the group reads came, went or grew; `counts`: how, which the shard adds unless the machine can tell better. */
  | { readonly kind: 'topicsChanged'; readonly topics: readonly string[]; readonly counts?: readonly TopicCount[] }
  /**
   * Told in the step that decides on it, beside the happening that caused it; once more when it begins anew before it has ended.
   * `member`, `reason`: who asked for it, and why in the client's own words (KIP-800), when one did.
   */
  | { readonly kind: 'rebalanceStarted'; readonly reason: string | null; readonly member?: NotedMember | null }
  /** All have their assignment, told before this; or nobody is left. `epoch`: generation or group epoch. */
  | {
      readonly kind: 'rebalanceEnded'
      readonly epoch: number
      readonly members: number
      readonly protocol: string | null
      readonly durationMs: Millis
    }
  /** Partitions as `topic-0`. */
  | {
      readonly kind: 'assignmentChanged'
      readonly member: NotedMember
      readonly gained: readonly string[]
      readonly lost: readonly string[]
    }
  /** Committed by somebody who is no member. */
  | { readonly kind: 'offsetsSet'; readonly clientId: string; readonly partitions: number }
  | {
      readonly kind: 'offsetsDeleted'
      readonly partitions: number
      readonly reason: 'asked' | 'expired' | 'topicDeleted'
    }
  /** KIP-848: from one protocol to the other. */
  | { readonly kind: 'converted'; readonly to: 'classic' | 'consumer' }
  | { readonly kind: 'groupDeleted'; readonly reason: 'asked' | 'expired' }

export interface GroupNote {
  readonly groupId: string
  readonly what: Happening
}

export function noted(groupId: string, what: Happening): GroupEffect {
  return { kind: 'note', note: { groupId, what } }
}
