// How a member gets from what it has to what the target gives it, without a partition ever having two owners (KIP-848).
//
//   state       | waits for                          | on its next heartbeat
//   ------------+------------------------------------+---------------------------------------------------------------
//   stable      | nothing, or a newer target         | reconciled to it; if only its subscription changed: loses what
//               |                                    | it no longer reads
//   unrevoked   | the client, to give up partitions  | still owns one: stays, in its epoch; else reconciled
//   unreleased  | others, to give up partitions      | reconciled: gets those that are free by now
//   unknown     | (written by a newer version)       | fenced, unless it owns nothing: then reconciled from the start
//
// Reconciled: partitions not in the target are revoked first (unrevoked, epoch kept). With none left to revoke the member takes the
// target's epoch and all its partitions that are free: stable, or unreleased while others still have some.

import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { containsAny, has, type MemberPartitions, noPartitions, type OwnedPartitions } from './member-partitions.ts'

export interface Reconciliation {
  readonly targetEpoch: number
  readonly target: AssignedPartitions
  /** Ids of the topics it reads, those that exist. */
  readonly readTopicIds: ReadonlySet<string>
  /** It reads other topics since this heartbeat. */
  readonly subscriptionChanged: boolean
  /** What the client says it has; null when it did not say. */
  readonly owned: OwnedPartitions | null
  /** Whether any member has the partition, or has yet to give it up. */
  isOwned(topicId: string, partition: number): boolean
}

/** The member as it is to be; the same object when nothing changes; null when it must be fenced. */
export function reconcile(member: ConsumerMember, to: Reconciliation): ConsumerMember | null {
  switch (member.state) {
    case 'stable':
      if (member.memberEpoch !== to.targetEpoch) return moveOn(member, member.memberEpoch, to)
      return to.subscriptionChanged ? withoutUnread(member, to) : member
    case 'unrevoked':
      if (!containsAny(member.partitionsPendingRevocation, to.owned)) return moveOn(member, member.memberEpoch, to)
      return to.subscriptionChanged ? withoutUnread(member, to) : member
    case 'unreleased':
      return moveOn(member, member.memberEpoch, to)
    case 'unknown':
      return to.owned !== null && to.owned.length === 0 ? moveOn(member, to.targetEpoch, to) : null
  }
}

/** `epoch`: the member's own while it has something to revoke. */
function moveOn(member: ConsumerMember, epoch: number, to: Reconciliation): ConsumerMember {
  const { assigned, revoked, free, unreleased } = compared(member, to)
  if (revoked.size > 0 && containsAny(revoked, to.owned)) return revoking(member, epoch, assigned, revoked)
  for (const [topicId, partitions] of free) {
    assigned.set(
      topicId,
      new Map([...(assigned.get(topicId) ?? []), ...partitions.map((p) => [p, to.targetEpoch] as const)]),
    )
  }
  return {
    ...member,
    state: unreleased ? 'unreleased' : 'stable',
    memberEpoch: to.targetEpoch,
    previousMemberEpoch: member.memberEpoch,
    assignedPartitions: assigned,
    partitionsPendingRevocation: noPartitions,
  }
}

function revoking(
  member: ConsumerMember,
  epoch: number,
  assignedPartitions: MemberPartitions,
  partitionsPendingRevocation: MemberPartitions,
): ConsumerMember {
  return {
    ...member,
    state: 'unrevoked',
    memberEpoch: epoch,
    previousMemberEpoch: member.memberEpoch,
    assignedPartitions,
    partitionsPendingRevocation,
  }
}

/** What it has and keeps, what it has and must give up, and what it lacks: free, or with somebody else yet. */
function compared(member: ConsumerMember, to: Reconciliation) {
  const { target, readTopicIds } = to
  const assigned = new Map<string, ReadonlyMap<number, number>>()
  const revoked = new Map<string, ReadonlyMap<number, number>>()
  const free = new Map<string, number[]>()
  let unreleased = false
  for (const topicId of new Set([...target.keys(), ...member.assignedPartitions.keys()])) {
    const current = member.assignedPartitions.get(topicId) ?? new Map<number, number>()
    const wanted = new Set(readTopicIds.has(topicId) ? target.get(topicId) : [])
    const kept = [...current].filter(([partition]) => wanted.has(partition))
    const gone = [...current].filter(([partition]) => !wanted.has(partition))
    const missing: number[] = []
    for (const partition of wanted) {
      if (current.has(partition)) continue
      // What it has just given up itself is free.
      const taken = to.isOwned(topicId, partition) && !has(member.partitionsPendingRevocation, topicId, partition)
      if (taken) unreleased = true
      else missing.push(partition)
    }
    if (kept.length > 0) assigned.set(topicId, new Map(kept))
    if (gone.length > 0) revoked.set(topicId, new Map(gone))
    if (missing.length > 0) free.set(topicId, missing)
  }
  return { assigned, revoked, free, unreleased }
}

/** Takes away the topics it no longer reads, and leaves the rest as it is. */
function withoutUnread(member: ConsumerMember, { readTopicIds, owned }: Reconciliation): ConsumerMember {
  const { assignedPartitions, memberEpoch } = member
  const unread = [...assignedPartitions].filter(([topicId]) => !readTopicIds.has(topicId))
  if (unread.length === 0) return member
  const assigned = new Map([...assignedPartitions].filter(([topicId]) => readTopicIds.has(topicId)))
  const revoked = new Map(member.partitionsPendingRevocation)
  for (const [topicId, epochs] of unread) revoked.set(topicId, new Map([...(revoked.get(topicId) ?? []), ...epochs]))
  if (containsAny(revoked, owned)) return revoking(member, memberEpoch, assigned, revoked)
  return { ...member, previousMemberEpoch: memberEpoch, assignedPartitions: assigned }
}
