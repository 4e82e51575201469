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

/** What a member was too slow with. */
export type OverduePhase = 'join' | 'sync' | 'revocation'

export type Happening =
  | { readonly kind: 'memberJoined'; readonly member: NotedMember }
  /** KIP-345: a static member came back under a new id. */
  | { readonly kind: 'memberReplaced'; readonly member: NotedMember; readonly oldMemberId: string }
  /** `reason`: what the client said (KIP-800). */
  | { readonly kind: 'memberLeft'; readonly member: NotedMember; readonly reason: string | null }
  /** Removed: no heartbeat for as long as its session may last. */
  | { readonly kind: 'memberSilent'; readonly member: NotedMember; readonly silentMs: Millis }
  /** Removed: its connection closed (development and tests). */
  | { readonly kind: 'memberDisconnected'; readonly member: NotedMember }
  | {
      readonly kind: 'memberOverdue'
      readonly member: NotedMember
      readonly phase: OverduePhase
      readonly afterMs: Millis
    }
  /** Topics the member reads now, or its regular expression. */
  | {
      readonly kind: 'subscriptionChanged'
      readonly member: NotedMember
      readonly topics: readonly string[]
      readonly regex: string | null
    }
  /** Topics the group reads came, went or grew. */
  | { readonly kind: 'topicsChanged'; readonly topics: readonly string[] }
  /** `reason`: the client's own (KIP-800), when one asked for it. */
  | { readonly kind: 'rebalanceStarted'; readonly reason: string | null }
  /** All have their assignment. `epoch`: generation or group epoch. */
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
