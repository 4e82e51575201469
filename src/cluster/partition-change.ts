// One change of a partition: what it shall be goes in, the next document comes out. The rules are Kafka's (PartitionChangeBuilder):
// a reassignment ends as soon as its target is in sync, a leader stays as long as it may, and the leader epoch grows whenever the
// leader changes or a replica is taken away, so that nobody who acted on the old state goes on.

import type { PartitionDocument } from './documents.ts'
import type { PartitionImage } from './image.ts'
import { partitionDocument } from './partition-image.ts'

/**
 * `online`: keep the leader if it may lead, else the first replica in sync. `preferred`: the first replica if it is in sync, else as
 * `online`. `unclean`: as `online`, and when no replica in sync lives, any that does; what only the others had is lost.
 */
export type Election = 'online' | 'preferred' | 'unclean'

export interface PartitionTarget {
  /** May lead: it lives, is not about to leave, and has the log. */
  readonly mayLead: (brokerId: number) => boolean
  readonly election?: Election
  /** Everything below: as it is, when absent. */
  readonly replicas?: readonly number[]
  readonly adding?: readonly number[]
  readonly removing?: readonly number[]
  readonly failed?: readonly number[]
  /** An empty one leaves the ISR as it is: its last members are those that have everything. */
  readonly isr?: readonly number[]
}

export type PartitionState = Omit<PartitionImage, 'index' | 'revision'>

/** Null when nothing changes. */
export function changedPartition(partition: PartitionState, target: PartitionTarget): PartitionDocument | null {
  const wantedIsr = target.isr ?? partition.isr
  const { replicas, isr, adding, removing } = completedReassignment({
    replicas: target.replicas ?? partition.replicas,
    isr: wantedIsr.length === 0 ? partition.isr : wantedIsr,
    adding: target.adding ?? partition.adding,
    removing: target.removing ?? partition.removing,
  })
  const failed = (target.failed ?? partition.failed).filter((id) => replicas.includes(id))
  const mayLead = (id: number) => target.mayLead(id) && !failed.includes(id)
  const elected = elect(partition.leader, { replicas, isr, election: target.election ?? 'online', mayLead })
  const nextIsr = elected.unclean ? [elected.leader] : isr
  const replicaGone = partition.replicas.some((id) => !replicas.includes(id))
  const newEpoch = elected.leader !== partition.leader || replicaGone
  const unchanged =
    !newEpoch &&
    sameIds(replicas, partition.replicas) &&
    sameIds(nextIsr, partition.isr) &&
    sameIds(adding, partition.adding) &&
    sameIds(removing, partition.removing) &&
    sameIds(failed, partition.failed)
  if (unchanged) return null
  return partitionDocument({
    replicas,
    isr: nextIsr,
    leader: elected.leader,
    leaderEpoch: partition.leaderEpoch + (newEpoch ? 1 : 0),
    partitionEpoch: partition.partitionEpoch + 1,
    adding,
    removing,
    failed,
  })
}

type Assignment = Pick<PartitionState, 'replicas' | 'isr' | 'adding' | 'removing'>

/** As given, or without what a reassignment removes once all that it leads to is in sync (PartitionReassignmentReplicas). */
function completedReassignment(assignment: Assignment): Assignment {
  const { replicas, isr, adding, removing } = assignment
  if (adding.length === 0 && removing.length === 0) return assignment
  const targetReplicas = replicas.filter((id) => !removing.includes(id))
  const targetIsr = isr.filter((id) => !removing.includes(id))
  if (targetReplicas.length === 0 || !targetReplicas.every((id) => targetIsr.includes(id))) return assignment
  return { replicas: targetReplicas, isr: targetIsr, adding: [], removing: [] }
}

interface Candidates {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly election: Election
  readonly mayLead: (brokerId: number) => boolean
}

function elect(leader: number, { replicas, isr, election, mayLead }: Candidates): { leader: number; unclean: boolean } {
  const clean = (id: number) => isr.includes(id) && mayLead(id)
  const preferred = replicas[0]
  if (election === 'preferred' && preferred !== undefined && clean(preferred)) {
    return { leader: preferred, unclean: false }
  }
  if (replicas.includes(leader) && clean(leader)) return { leader, unclean: false }
  const next = replicas.find(clean)
  if (next !== undefined) return { leader: next, unclean: false }
  const any = election === 'unclean' ? replicas.find(mayLead) : undefined
  return any === undefined ? { leader: -1, unclean: false } : { leader: any, unclean: true }
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i])
}
