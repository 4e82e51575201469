// An internal topic as its coordinator needs it: made of the topics' admin, the cluster's image and the partitions held here.

import type { ClusterView } from '../cluster/image.ts'
import type { Membership } from '../cluster/membership.ts'
import type { TopicAdmin } from '../cluster/topic-admin.ts'
import {
  AppendsDropped,
  type CoordinatorAppended,
  type CoordinatorPartition,
  type CoordinatorTopic,
} from '../coordinators/coordinator-partition.ts'
import { errorName } from '../protocol/error-code.ts'
import { type Partition, PartitionLost } from '../replication/partition.ts'
import type { ReplicaSet } from '../replication/replica-set.ts'

/** Whether this broker may act for the cluster: `Membership` says. */
export type Standing = Pick<Membership, 'valid' | 'subscribe'>

export function coordinatorTopic(
  name: string,
  { cluster, topics, membership }: { cluster: ClusterView; topics: TopicAdmin; membership: Pick<Standing, 'valid'> },
): CoordinatorTopic {
  return {
    serves: () => membership.valid(),
    partitionCount: () => cluster.image.topicsByName.get(name)?.partitions.length ?? null,
    async ensure() {
      const topic = await topics.ensure(name)
      if ('error' in topic) throw new Error(`${name}: ${errorName(topic.error)}: ${topic.message}`)
      return topic.partitions.length
    },
    leaderOf: (index) => cluster.image.topicsByName.get(name)?.partitions[index]?.leader ?? -1,
  }
}

/** What a coordinator is told of the partitions of its topic. */
export interface Coordinator {
  elected(index: number, partition: CoordinatorPartition): Promise<void>
  resigned(index: number): void
}

/**
 * Tells the coordinator of each leadership of a partition of `name` that begins or ends here, and of none while the broker has no place in
 * the cluster: what it led until then it may not speak for. Call it before the first image is applied.
 */
export function followLeaderships(
  { replicas, membership, name }: { replicas: ReplicaSet; membership: Standing; name: string },
  coordinator: Coordinator,
): void {
  /** Leader epochs the coordinator knows, by partition. */
  const led = new Map<number, number>()
  let fenced = false
  const follow = (partition: Partition): void => {
    if (partition.topic !== name) return
    const { index, leaderEpoch } = partition
    if (!partition.isLeading || fenced) {
      if (led.delete(index)) coordinator.resigned(index)
      return
    }
    if (led.get(index) === leaderEpoch) return
    led.set(index, leaderEpoch)
    void coordinator.elected(index, coordinatorPartition(partition, membership))
  }
  replicas.onPartition(follow)
  membership.subscribe((standing) => {
    fenced = standing === 'fenced'
    for (const partition of replicas.all()) follow(partition)
  })
}

/** The leadership may be another's by now, or the lease is renewed in a moment and the leadership goes on as if nothing had been. */
const refused: CoordinatorAppended = { ok: false, refusal: 'leaseLapsed' }

function coordinatorPartition(partition: Partition, membership: Pick<Standing, 'valid'>): CoordinatorPartition {
  const { leaderEpoch } = partition
  return {
    leaderEpoch,
    get logStartOffset() {
      return partition.logStartOffset
    },
    get highWatermark() {
      return partition.highWatermark
    },
    get batchBytesMax() {
      const { batchRules, log } = partition.settings
      return Math.min(batchRules.maxMessageBytes, log.segmentBytes)
    },
    append: (batch) => (membership.valid() ? partition.append(batch, 'coordinator') : refused),
    committed: (end) => partition.committed(end).catch(inTheCoordinatorsWords),
    // To the end of the log: a new leader's high watermark is behind what it must know (a record there can only become committed).
    read: (from, maxBytes) => partition.read(from, maxBytes, partition.logEndOffset, true),
  }
}

function inTheCoordinatorsWords(error: unknown): never {
  if (error instanceof PartitionLost && error.reason === 'diskFull') {
    throw new AppendsDropped(error.message, { cause: error })
  }
  throw error
}
