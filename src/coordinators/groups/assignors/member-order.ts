// The order in which members are served: static ones first by instance id, so that a restarted member stands where it stood (KIP-345).

import type { AssignorMember } from './assignor.ts'

export function inMemberOrder(members: readonly AssignorMember[]): AssignorMember[] {
  return [...members].sort((a, b) => {
    if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId)
    if (a.instanceId !== null) return -1
    if (b.instanceId !== null) return 1
    return compareText(a.memberId, b.memberId)
  })
}

/** By UTF-16 units, as Java compares. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
