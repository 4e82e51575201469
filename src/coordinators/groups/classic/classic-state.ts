// What a classic group knows, in one place for the files that hold its rules (classic-group.ts has their table).
// The log remembers the members of the last generation and the fields down to `since`; a restart forgets everything else.

import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { GroupEffect } from '../group-event.ts'
import type { GroupSettings } from '../group-settings.ts'
import type { ClassicMember } from './classic-member.ts'
import { ClassicRoster } from './classic-roster.ts'
import { sessionTimer } from './classic-timers.ts'

export type ClassicPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

export class ClassicState {
  readonly groupId: string
  readonly settings: GroupSettings
  readonly roster = new ClassicRoster()
  phase: ClassicPhase = 'Empty'
  generation = 0
  /** Null before the first member, and for a group that only commits offsets. */
  protocolType: string | null = null
  protocol: string | null = null
  /** Wall time at which the log's generation began, or -1. */
  since: Millis = -1
  /** Members that were given an id and have yet to join with it, by id, with the connection they were heard on (KIP-394). */
  readonly pendingJoins = new Map<string, number>()
  /** Members of this generation that have yet to sync. */
  readonly pendingSyncs = new Set<string>()
  /** The rebalance under way began empty: it ends when its delay is over, so that more members can come. */
  initial = false
  /** Members came since the initial delay was last extended. */
  moreMembersCame = false
  /** Wall time at which the rebalance under way began; null when there is none. */
  rebalancingSince: Millis | null = null
  /** Wall time at which members were last asked to join, or to sync. */
  phaseSince: Millis = 0
  /** Wall time of the event being decided. */
  now: Millis = 0

  constructor(groupId: string, settings: GroupSettings) {
    this.groupId = groupId
    this.settings = settings
  }

  /** The member, if it is who it says it is. */
  authentic(memberId: string, groupInstanceId: string | null): ClassicMember | ErrorCode {
    if (groupInstanceId !== null) {
      const holder = this.roster.byInstance(groupInstanceId)
      if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (holder.memberId !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.roster.get(memberId) ?? ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** Nobody is missing who is in the group or about to be. */
  allJoined(): boolean {
    return this.roster.waitingToJoin === this.roster.size && this.pendingJoins.size === 0
  }

  /** The member was heard: from now on it may be silent for its session timeout, or for `afterMs`. */
  heard(member: ClassicMember, afterMs: Millis = member.sessionTimeoutMs): GroupEffect {
    member.heardAt = this.now
    return sessionTimer(this.groupId, member.memberId, afterMs)
  }
}
