// When a cluster without faults has come to rest.

import type { PartitionImage, TopicImage } from '../src/cluster/image.ts'
import type { SimulatedWorld } from './world.ts'

/** What is still missing, in words; null when the cluster has settled. `quiet`: nobody writes, so all replicas have come to the same end. */
export function whatIsUnsettled(
  world: SimulatedWorld,
  { quiet = false }: { readonly quiet?: boolean } = {},
): string | null {
  const { image } = world
  for (const { host, id, state, inside } of world.machines) {
    if (state !== 'up' || inside === null) return `${host} is ${state}`
    if (!image.brokers.has(id)) return `${host} is not registered`
    if (!inside.valid()) return `${host} is fenced`
    if (inside.image.revision < image.revision && inside.image.topicsById.size !== image.topicsById.size)
      return `${host} is behind`
  }
  if (image.controllerId === -1) return 'there is no controller'
  for (const topic of image.topicsById.values()) {
    for (const partition of topic.partitions) {
      const missing = whatIsMissing(world, topic, partition, quiet)
      if (missing !== null) return `${topic.name}-${partition.index}: ${missing}`
    }
  }
  return null
}

function whatIsMissing(
  world: SimulatedWorld,
  topic: TopicImage,
  { index, leader, leaderEpoch, isr, replicas, adding, removing, failed }: PartitionImage,
  quiet: boolean,
): string | null {
  if (leader === -1) return `no leader, ISR ${isr.join()}`
  if (isr.length < replicas.length) return `ISR ${isr.join()} of ${replicas.join()}`
  if (adding.length + removing.length > 0) return 'its reassignment is under way'
  if (failed.length > 0) return `failed at ${failed.join()}`
  const leading = world.machine(leader).inside?.replicas.findById(topic.id, index)
  if (leading?.isLeading !== true || leading.leaderEpoch !== leaderEpoch) return `${leader} does not lead yet`
  if (!quiet) return null
  const end = leading.logEndOffset
  for (const id of replicas) {
    const partition = world.machine(id).inside?.replicas.findById(topic.id, index)
    if (partition === undefined) return `${id} has no replica`
    if (partition.logEndOffset !== end) return `${id} ends at ${partition.logEndOffset}, the leader at ${end}`
    if (partition.highWatermark !== end)
      return `${id} has the high watermark ${partition.highWatermark}, the end is ${end}`
  }
  return null
}
