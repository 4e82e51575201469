// What a KIP-848 group waits for: each member's sign of life, members that have partitions to give up, and regular expressions.

import type { Millis } from '../../../io/clock.ts'
import type { GroupEffect } from '../group-event.ts'

/** From now on the member may be silent for `silentMs`. */
export function sessionTimer(groupId: string, memberId: string, silentMs: Millis): GroupEffect {
  const event = { kind: 'consumerSessionExpired', groupId, memberId, silentMs } as const
  return { kind: 'setTimer', key: memberKey('session', groupId, memberId), afterMs: silentMs, event }
}

/** How long the member may take to give up what it must, in its epoch. */
export function revocationTimer(
  groupId: string,
  {
    memberId,
    memberEpoch,
    rebalanceTimeoutMs: afterMs,
  }: { memberId: string; memberEpoch: number; rebalanceTimeoutMs: Millis },
): GroupEffect {
  const event = { kind: 'revocationOverdue', groupId, memberId, memberEpoch, afterMs } as const
  return { kind: 'setTimer', key: memberKey('revocation', groupId, memberId), afterMs, event }
}

export function cancelRevocation(groupId: string, memberId: string): GroupEffect {
  return { kind: 'cancelTimer', key: memberKey('revocation', groupId, memberId) }
}

/** How long a classic member that was told to rejoin may take to do so. */
export function joinTimer(groupId: string, memberId: string, afterMs: Millis): GroupEffect {
  const event = { kind: 'classicOverdue', groupId, memberId, phase: 'join', afterMs } as const
  return { kind: 'setTimer', key: memberKey('join', groupId, memberId), afterMs, event }
}

/** How long a classic member that has joined may take to sync. */
export function syncTimer(groupId: string, memberId: string, afterMs: Millis): GroupEffect {
  const event = { kind: 'classicOverdue', groupId, memberId, phase: 'sync', afterMs } as const
  return { kind: 'setTimer', key: memberKey('sync', groupId, memberId), afterMs, event }
}

export function cancelJoin(groupId: string, memberId: string): GroupEffect {
  return { kind: 'cancelTimer', key: memberKey('join', groupId, memberId) }
}

export function cancelSync(groupId: string, memberId: string): GroupEffect {
  return { kind: 'cancelTimer', key: memberKey('sync', groupId, memberId) }
}

/** The member is gone. */
export function cancelTimers(groupId: string, memberId: string): GroupEffect[] {
  return [
    { kind: 'cancelTimer', key: memberKey('session', groupId, memberId) },
    cancelRevocation(groupId, memberId),
    cancelJoin(groupId, memberId),
    cancelSync(groupId, memberId),
  ]
}

/** At once, but after what is being decided. */
export function regexTimer(groupId: string): GroupEffect {
  return { kind: 'setTimer', key: `consumer-regex/${groupId}`, afterMs: 0, event: { kind: 'regexRefresh', groupId } }
}

/** Ids may hold any character: the length keeps `a` + `b/c` apart from `a/b` + `c`. */
function memberKey(what: 'session' | 'revocation' | 'join' | 'sync', groupId: string, memberId: string): string {
  return `consumer-${what}/${groupId.length}/${groupId}/${memberId}`
}
