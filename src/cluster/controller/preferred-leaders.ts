// Leaderships drift: brokers come and go, and those that stay lead more than their part. From time to time they go back to the preferred
// leaders, the first of the replicas, broker by broker, where too many are elsewhere.

import type { PartitionDocument } from '../documents.ts'
import type { ClusterImage, PartitionImage } from '../image.ts'
import { changedPartition } from '../partition-change.ts'
import { type Brokers, isActive } from './attended-partition.ts'

/** Brokers of whose preferred partitions more than `percentage` have another leader, or none. */
export function imbalancedBrokers(image: Pick<ClusterImage, 'topicsById'>, percentage: number): ReadonlySet<number> {
  const counts = new Map<number, { preferred: number; elsewhere: number }>()
  for (const { partitions } of image.topicsById.values()) {
    for (const { replicas, leader } of partitions) {
      const id = replicas[0]!
      let count = counts.get(id)
      if (count === undefined) counts.set(id, (count = { preferred: 0, elsewhere: 0 }))
      count.preferred++
      if (leader !== id) count.elsewhere++
    }
  }
  const imbalanced = new Set<number>()
  for (const [id, { preferred, elsewhere }] of counts) {
    if (elsewhere * 100 > preferred * percentage) imbalanced.add(id)
  }
  return imbalanced
}

/** The partition led by its preferred leader, or null when it is, or cannot be, or is being reassigned. */
export function ledByPreferred(
  partition: PartitionImage,
  { brokers, imbalanced }: { brokers: Brokers; imbalanced: ReadonlySet<number> },
): PartitionDocument | null {
  const { replicas, leader, isr, failed, adding, removing } = partition
  const preferred = replicas[0]!
  if (leader === preferred || !imbalanced.has(preferred) || adding.length > 0 || removing.length > 0) return null
  if (!isr.includes(preferred) || failed.includes(preferred) || !isActive(brokers, preferred)) return null
  return changedPartition(partition, { election: 'preferred', mayLead: (id) => isActive(brokers, id) })
}
