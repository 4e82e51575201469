// What the coordinator needs of any group, of whichever protocol. The events of one protocol are its machine's own affair.

import type { Millis } from '../../io/clock.ts'
import type { ErrorCode } from '../../protocol/error-code.ts'
import type { CommitEvent, GroupEffect } from './group-event.ts'
import type { CommittedOffset, GroupRecord } from './group-record.ts'

export interface Group {
  readonly groupId: string
  /** As ListGroups names it (KIP-848). */
  readonly type: 'classic' | 'consumer'
  /** As ListGroups and DescribeGroups name it. */
  readonly state: string
  /** Null before the first member, and for a group that only commits offsets. */
  readonly protocolType: string | null
  /** Nobody is in it, and nobody is about to be. */
  readonly deserted: boolean
  /** The log has been read; what members sent meanwhile was heard by nobody. */
  loaded(now: Millis): GroupEffect[]
  /** NONE when the sender may commit offsets for this group. */
  checkCommit(event: CommitEvent): ErrorCode
  /** A commit was accepted: a sign of life. */
  committed(event: CommitEvent, now: Millis): GroupEffect[]
  /** NONE when the sender may read this group's offsets. `memberEpoch` < 0: it does not say who it is (OffsetFetch 9). */
  checkFetch(memberId: string | null, memberEpoch: number): ErrorCode
  /** Whether a member reads the topic now: its offsets are neither deleted nor expired. */
  isSubscribedTo(topic: string): boolean
  /** Whether an offset of a topic nobody reads is no longer needed (KIP-186, KIP-211). */
  isExpired(topic: string, offset: CommittedOffset, retentionMs: Millis, now: Millis): boolean
  /** Records that take it out of the log, all of its own. */
  tombstones(): GroupRecord[]
}
