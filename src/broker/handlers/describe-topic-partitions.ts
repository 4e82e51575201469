// DescribeTopicPartitions (KIP-966): as Metadata, in pages. Topics come in order of name, and an answer that is full names the place to
// go on from. Eligible leader replicas are always none: leaders come from the ISR.

import type { ClusterImage, TopicImage } from '../../cluster/image.ts'
import { isInternalTopic } from '../../cluster/internal-topics.ts'
import { topicNameProblem } from '../../cluster/topic-rules.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type {
  describeTopicPartitions,
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/apis/describe-topic-partitions.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import { operationsNotAsked, topicOperations } from './authorized-operations.ts'
import { availabilityOf } from './partition-availability.ts'

type Needs = 'cluster' | 'settings' | 'endpointFor'
type Context = RequestContext & Pick<Services, Needs>
type ResponseTopic = DescribeTopicPartitionsResponse['topics'][number]
type Cursor = DescribeTopicPartitionsResponse['nextCursor']

export const handleDescribeTopicPartitions: Handler<typeof describeTopicPartitions, Needs> = (context, request) => {
  const { cursor } = request
  const { image } = context.cluster
  const all = request.topics.length === 0
  const names = namesFrom(all ? image.topicsByName.keys() : request.topics.map(({ name }) => name), cursor)
  if (cursor !== null) {
    const malformed = cursor.partitionIndex < 0 || (!all && names[0] !== cursor.topicName)
    if (malformed)
      return respond(
        request.topics.map(({ name }) => ({
          ...refused(name, ErrorCode.INVALID_REQUEST),
          topicAuthorizedOperations: operationsNotAsked,
        })),
        null,
      )
  }
  return page(context, request, names, all)
}

/** Without duplicates, in order, from the cursor's topic on. */
function namesFrom(names: Iterable<string>, cursor: Cursor): string[] {
  const from = cursor?.topicName ?? ''
  return [...new Set(names)].filter((name) => name >= from).sort((a, b) => (a < b ? -1 : 1))
}

function page(
  context: Context,
  { cursor, responsePartitionLimit }: DescribeTopicPartitionsRequest,
  names: readonly string[],
  all: boolean,
): DescribeTopicPartitionsResponse {
  const { image } = context.cluster
  const reachable = reachableBrokers(context, image)
  const topics: ResponseTopic[] = []
  // At least one, whatever the client says: otherwise no page would ever bring it further.
  let room = Math.max(1, Math.min(responsePartitionLimit, context.settings.maxRequestPartitionSizeLimit))
  for (const name of names) {
    const topic = image.topicsByName.get(name)
    if (topic === undefined) {
      if (!all) topics.push(refused(name, topicNameProblem(name)?.error ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
      continue
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0
    if (room <= 0) return respond(topics, { topicName: name, partitionIndex: from })
    const to = Math.min(topic.partitions.length, from + room)
    const described = describeTopic(topic, from, to, reachable)
    topics.push(described)
    room -= described.partitions.length
    if (to < topic.partitions.length) return respond(topics, { topicName: name, partitionIndex: to })
  }
  return respond(topics, null)
}

function reachableBrokers({ connection, endpointFor }: Context, image: ClusterImage): ReadonlySet<number> {
  return new Set([...image.brokers.keys()].filter((id) => endpointFor(id, connection) !== null))
}

function describeTopic(topic: TopicImage, from: number, to: number, reachable: ReadonlySet<number>): ResponseTopic {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.slice(from, to).map((partition) => {
      const { errorCode, leaderId, offlineReplicas } = availabilityOf(partition, reachable)
      return {
        errorCode,
        partitionIndex: partition.index,
        leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: partition.replicas,
        isrNodes: partition.isr,
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        offlineReplicas,
      }
    }),
    topicAuthorizedOperations: topicOperations,
  }
}

function refused(name: string, errorCode: ErrorCode): ResponseTopic {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: topicOperations,
  }
}

function respond(topics: readonly ResponseTopic[], nextCursor: Cursor): DescribeTopicPartitionsResponse {
  return { throttleTimeMs: 0, topics, nextCursor }
}
