// What a classic group waits for: each member's sign of life, and the end of the phase that its rebalance is in.

import type { Millis } from '../../../io/clock.ts'
import type { GroupEffect } from '../group-event.ts'

/** From now on the member may be silent for `afterMs`. */
export function sessionTimer(groupId: string, memberId: string, afterMs: Millis): GroupEffect {
  const event = { kind: 'sessionExpired', groupId, memberId } as const
  return { kind: 'setTimer', key: sessionKey(groupId, memberId), afterMs, event }
}

export function cancelSession(groupId: string, memberId: string): GroupEffect {
  return { kind: 'cancelTimer', key: sessionKey(groupId, memberId) }
}

/** How long an empty group waits for members to come; `remainingMs`: by how much that may still be extended. */
export function initialDelayTimer(groupId: string, delayMs: Millis, remainingMs: Millis): GroupEffect {
  const event = { kind: 'initialDelayOver', groupId, delayMs, remainingMs } as const
  return { kind: 'setTimer', key: phaseKey(groupId, 'join'), afterMs: delayMs, event }
}

/** How long members may take to rejoin. */
export function joinTimer(groupId: string, afterMs: Millis): GroupEffect {
  return { kind: 'setTimer', key: phaseKey(groupId, 'join'), afterMs, event: { kind: 'joinPhaseOver', groupId } }
}

/** How long the members of a generation may take to sync. */
export function syncTimer(groupId: string, afterMs: Millis, generation: number): GroupEffect {
  const event = { kind: 'syncOverdue', groupId, generation } as const
  return { kind: 'setTimer', key: phaseKey(groupId, 'sync'), afterMs, event }
}

export function cancelPhase(groupId: string, phase: 'join' | 'sync'): GroupEffect {
  return { kind: 'cancelTimer', key: phaseKey(groupId, phase) }
}

function phaseKey(groupId: string, phase: 'join' | 'sync'): string {
  return `${phase}/${groupId}`
}

/** Ids may hold any character: the length keeps `a` + `b/c` apart from `a/b` + `c`. */
function sessionKey(groupId: string, memberId: string): string {
  return `session/${groupId.length}/${groupId}/${memberId}`
}
