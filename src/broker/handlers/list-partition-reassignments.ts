// ListPartitionReassignments (KIP-455): what is on its way. Partitions that are not, or are not there, are left out, as in Kafka.

import type { PartitionImage, TopicImage } from '../../cluster/image.ts'
import type {
  listPartitionReassignments,
  ListPartitionReassignmentsResponse,
} from '../../protocol/apis/list-partition-reassignments.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'

type OngoingTopic = ListPartitionReassignmentsResponse['topics'][number]

export const handleListPartitionReassignments: Handler<typeof listPartitionReassignments, 'cluster'> = (
  { cluster },
  request,
) => {
  const { topicsByName } = cluster.image
  const ongoing: OngoingTopic[] = []
  const list = (topic: TopicImage, partitions: readonly PartitionImage[]) => {
    const moving = partitions.filter(({ adding, removing }) => adding.length > 0 || removing.length > 0)
    if (moving.length > 0) ongoing.push({ name: topic.name, partitions: moving.map(describe) })
  }
  if (request.topics === null) {
    for (const topic of topicsByName.values()) list(topic, topic.partitions)
  } else {
    for (const { name, partitionIndexes } of request.topics) {
      const topic = topicsByName.get(name)
      if (topic === undefined) continue
      list(
        topic,
        partitionIndexes.flatMap((index) => topic.partitions[index] ?? []),
      )
    }
  }
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics: ongoing }
}

function describe({ index, replicas, adding, removing }: PartitionImage): OngoingTopic['partitions'][number] {
  return { partitionIndex: index, replicas, addingReplicas: adding, removingReplicas: removing }
}
