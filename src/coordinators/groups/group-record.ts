// What the group coordinator remembers, as the records of __consumer_offsets that this broker reads and writes.

import type { ConsumerGroupRecord } from './consumer/consumer-group-record.ts'

/** A member as the log knows it: with the one protocol that was chosen. */
export interface MemberRecord {
  readonly memberId: string
  /** KIP-345. */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}

/** The last generation of a classic group that got its assignments, or became empty. */
export interface GroupGeneration {
  /** Empty when no member ever joined. */
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  /** Wall milliseconds, -1 when unknown (records before version 2). */
  readonly currentStateTimestamp: number
  readonly members: readonly MemberRecord[]
}

export interface CommittedOffset {
  readonly offset: number
  /** -1 when the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Wall milliseconds. */
  readonly commitTimestamp: number
  /** Wall milliseconds; -1 unless the client asked for a retention of its own (OffsetCommit 2 to 4). */
  readonly expireTimestamp: number
  /** base64url; the zero uuid unless the client committed by topic id (OffsetCommit 10). */
  readonly topicId: string
}

export type GroupRecord =
  | ConsumerGroupRecord
  | { readonly kind: 'generation'; readonly groupId: string; readonly value: GroupGeneration }
  | { readonly kind: 'groupDeleted'; readonly groupId: string }
  | {
      readonly kind: 'offset'
      readonly groupId: string
      readonly topic: string
      readonly partition: number
      readonly value: CommittedOffset
    }
  | { readonly kind: 'offsetDeleted'; readonly groupId: string; readonly topic: string; readonly partition: number }
