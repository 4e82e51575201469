// What the controller does to a partition that nobody asked for: the dead and the leaving go out of the ISR, somebody in sync leads,
// and a reassignment that has what it waits for ends. The rule looks at the state and not at what happened, so it may be asked
// at any time and as often as one likes: where all is well it answers null.

import type { PartitionDocument } from '../documents.ts'
import type { BrokerImage, PartitionImage } from '../image.ts'
import { changedPartition } from '../partition-change.ts'

export type Brokers = ReadonlyMap<number, BrokerImage>

/** Lives and is not about to leave: may lead and be in sync. */
export function isActive(brokers: Brokers, id: number): boolean {
  return brokers.get(id)?.leaving === false
}

/**
 * The partition as it should be, or null when it is. `unclean`: whether a replica that is not in sync may lead when no other can
 * (unclean.leader.election.enable).
 *
 * Members of the ISR that are not active leave it as long as one is left; when none is active, those that live stay, and when none
 * lives, all: whichever comes back first has everything.
 * [1,2,3], 1 dead, 2 leaving: [3]. [1,2], 1 dead, 2 leaving: [2], who leads until it goes. [1,2], both dead: [1,2], no leader.
 */
export function attendedPartition(
  partition: PartitionImage,
  { brokers, unclean }: { brokers: Brokers; unclean: boolean },
): PartitionDocument | null {
  if (isSound(partition, brokers)) return null
  const { failed } = partition
  const has = (id: number) => !failed.includes(id)
  const active = partition.isr.filter((id) => isActive(brokers, id) && has(id))
  const isr = active.length > 0 ? active : partition.isr.filter((id) => brokers.has(id) && has(id))
  return changedPartition(partition, {
    isr,
    election: unclean ? 'unclean' : 'online',
    // Where nobody else is in sync, those who are about to leave lead to their end.
    mayLead: (id) => isActive(brokers, id) || (active.length === 0 && isr.includes(id)),
  })
}

/** The quick answer for nearly all partitions of nearly all passes. */
function isSound({ isr, leader, adding, removing, failed }: PartitionImage, brokers: Brokers): boolean {
  if (adding.length > 0 || removing.length > 0 || failed.length > 0 || !isr.includes(leader)) return false
  for (const id of isr) if (!isActive(brokers, id)) return false
  return true
}
