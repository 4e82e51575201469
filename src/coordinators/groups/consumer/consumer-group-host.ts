// What a consumer group lends to the files that hold the rules of its classic members and of its end.

import type { Millis } from '../../../io/clock.ts'
import type { GroupEffect } from '../group-event.ts'
import type { GroupRecord } from '../group-record.ts'
import type { Happening, NotedMember } from '../history/group-note.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import type { ConsumerMember } from './consumer-member.ts'
import type { Refusal } from './heartbeat-answer.ts'
import type { OwnedPartitions } from './member-partitions.ts'

/** The member a request is of, and the one whose place it takes (KIP-345). */
export interface FoundMember {
  readonly member: ConsumerMember
  readonly replaces: ConsumerMember | null
}

/** The member as it is to be, and what that takes: records and notes, no answer and no session. */
export interface Followed {
  readonly member: ConsumerMember
  readonly effects: readonly GroupEffect[]
}

/** What members of both protocols share. */
export interface ConsumerGroupHost {
  readonly groupId: string
  readonly group: ConsumerGroupState
  readonly context: ConsumerGroupContext
  /** The member is as `described` from now on, and takes its next step towards the target. */
  follow(found: FoundMember, described: ConsumerMember, owned: OwnedPartitions, now: Millis): Followed | Refusal
  remove(members: readonly ConsumerMember[], now: Millis, what: (member: NotedMember) => Happening): GroupEffect[]
  /** Where the member was last heard: it may be gone when that connection closes. */
  heard(memberId: string, connectionId: number): void
  /** Records that take the group out of the log. */
  tombstones(): readonly GroupRecord[]
}
