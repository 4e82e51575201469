// An internal topic as its coordinator needs it: made of the topics' admin, the cluster's image and the partitions held here.

import type { ClusterView } from '../cluster/image.ts'
import type { TopicAdmin } from '../cluster/topic-admin.ts'
import {
  AppendsDropped,
  type CoordinatorPartition,
  type CoordinatorTopic,
} from '../coordinators/coordinator-partition.ts'
import { errorName } from '../protocol/error-code.ts'
import { type Partition, PartitionLost } from '../replication/partition.ts'
import type { ReplicaSet } from '../replication/replica-set.ts'

export function coordinatorTopic(name: string, cluster: ClusterView, topics: TopicAdmin): CoordinatorTopic {
  return {
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

/** Tells the coordinator of each leadership of a partition of `name` that begins or ends here. Call it before the first image is applied. */
export function followLeaderships(replicas: ReplicaSet, name: string, coordinator: Coordinator): void {
  /** Leader epochs the coordinator knows, by partition. */
  const led = new Map<number, number>()
  replicas.onPartition((partition) => {
    if (partition.topic !== name) return
    const { index, leaderEpoch } = partition
    if (!partition.isLeading) {
      if (led.delete(index)) coordinator.resigned(index)
      return
    }
    if (led.get(index) === leaderEpoch) return
    led.set(index, leaderEpoch)
    void coordinator.elected(index, coordinatorPartition(partition))
  })
}

function coordinatorPartition(partition: Partition): CoordinatorPartition {
  const { leaderEpoch } = partition
  return {
    leaderEpoch,
    get logStartOffset() {
      return partition.logStartOffset
    },
    get highWatermark() {
      return partition.highWatermark
    },
    append: (batch) => partition.append(batch, 'coordinator'),
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
