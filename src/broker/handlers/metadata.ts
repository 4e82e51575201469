// Metadata: which brokers there are, which topics, who leads their partitions. v1: null, not the empty list, asks for all topics.
// v4: the client says whether topics may be created (KIP-204). v8: authorized operations (KIP-430). v10: topic ids (KIP-516),
// v12 asks by them. v13: an error for the whole answer (KIP-1102), which is never needed here.
//
// A topic that is created because someone asked for it is answered finished, with its leaders. Kafka answers
// UNKNOWN_TOPIC_OR_PARTITION at first and lets the client ask again, which every client does as well.

import type { ClusterImage, PartitionImage, TopicImage } from '../../cluster/image.ts'
import { isInternalTopic } from '../../cluster/internal-topics.ts'
import { topicNameProblem } from '../../cluster/topic-rules.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { metadata, MetadataRequest, MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import { clusterOperations, operationsNotAsked, topicOperations } from './authorized-operations.ts'
import { availabilityOf } from './partition-availability.ts'
import { within } from './time-limit.ts'

type Needs = 'cluster' | 'topics' | 'settings' | 'endpointFor' | 'clock'
type Context = RequestContext & Pick<Services, Needs>
type ResponseBroker = MetadataResponse['brokers'][number]
type ResponseTopic = MetadataResponse['topics'][number]
type ResponsePartition = ResponseTopic['partitions'][number]

/** How long an answer waits for topics that it creates; then the client asks again. */
const creationLimitMs = 15_000

export const handleMetadata: Handler<typeof metadata, Needs> = (context, request) => {
  const found: TopicAnswer[] = []
  const missing = new Set<string>()
  const { image } = context.cluster
  const wanted = wantedTopics(context, request)
  if (wanted === null) {
    for (const topic of image.topicsByName.values()) found.push(topic)
  } else if (wanted === 'malformed') {
    return refusedWhole(context, request)
  } else {
    for (const id of wanted.ids) {
      found.push(image.topicsById.get(id) ?? refusedTopic(null, id, ErrorCode.UNKNOWN_TOPIC_ID))
    }
    for (const name of wanted.names) {
      const topic = image.topicsByName.get(name)
      if (topic !== undefined) found.push(topic)
      else missing.add(name)
    }
  }
  if (missing.size === 0) return respond(context, request, found)
  if (request.allowAutoTopicCreation && context.settings.autoCreateTopicsEnable) {
    return createAll(context, missing).then((created) => respond(context, request, [...found, ...created]))
  }
  for (const name of missing) found.push(unknownTopic(name))
  return respond(context, request, found)
}

/** A topic as it is, or an answer without one. */
type TopicAnswer = TopicImage | ResponseTopic

interface WantedTopics {
  readonly ids: ReadonlySet<string>
  readonly names: ReadonlySet<string>
}

/** Null: all of them. As in Kafka, names do not count beside ids. */
function wantedTopics({ apiVersion }: RequestContext, { topics }: MetadataRequest): WantedTopics | null | 'malformed' {
  if (topics === null || (apiVersion === 0 && topics.length === 0)) return null
  const ids = new Set<string>()
  const names = new Set<string>()
  for (const { name, topicId } of topics) {
    if (apiVersion < 12 && (name === null || topicId !== ZERO_UUID)) return 'malformed'
    if (topicId !== ZERO_UUID) ids.add(topicId)
    else if (name !== null) names.add(name)
    else return 'malformed'
  }
  return { ids, names: ids.size > 0 ? new Set() : names }
}

function createAll({ topics, clock }: Context, names: ReadonlySet<string>): Promise<TopicAnswer[]> {
  return Promise.all(
    [...names].map(async (name) => {
      const topic = await within(clock, creationLimitMs, topics.ensure(name))
      if (topic === null) return refusedTopic(name, ZERO_UUID, ErrorCode.LEADER_NOT_AVAILABLE)
      if (!('ok' in topic)) return topic
      // Where this broker cannot create it now, another may have: the client looks again.
      const error = topic.error === ErrorCode.NOT_CONTROLLER ? ErrorCode.LEADER_NOT_AVAILABLE : topic.error
      return refusedTopic(name, ZERO_UUID, error)
    }),
  )
}

function respond(context: Context, request: MetadataRequest, answers: readonly TopicAnswer[]): MetadataResponse {
  const { image } = context.cluster
  const brokers = reachableBrokers(context, image)
  const topicOf = describer(context, image, new Set(brokers.map(({ nodeId }) => nodeId)))
  const operations = request.includeTopicAuthorizedOperations ? topicOperations : operationsNotAsked
  return {
    throttleTimeMs: 0,
    brokers,
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    topics: answers.map((answer) => {
      const topic = 'errorCode' in answer ? answer : topicOf(answer)
      return operations === operationsNotAsked ? topic : { ...topic, topicAuthorizedOperations: operations }
    }),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations : operationsNotAsked,
    errorCode: ErrorCode.NONE,
  }
}

/** Kafka tells a client that asks the impossible nothing of the cluster. Below v12 a name has no form for null. */
function refusedWhole({ apiVersion }: Context, { topics }: MetadataRequest): MetadataResponse {
  return {
    throttleTimeMs: 0,
    brokers: [],
    clusterId: null,
    controllerId: -1,
    topics: (topics ?? []).map(({ name, topicId }) =>
      refusedTopic(apiVersion < 12 ? (name ?? '') : name, topicId, ErrorCode.INVALID_REQUEST),
    ),
    clusterAuthorizedOperations: operationsNotAsked,
    errorCode: ErrorCode.INVALID_REQUEST,
  }
}

function reachableBrokers({ connection, endpointFor }: Context, image: ClusterImage): ResponseBroker[] {
  const brokers: ResponseBroker[] = []
  for (const { id, rack } of image.brokers.values()) {
    const endpoint = endpointFor(id, connection)
    if (endpoint !== null) brokers.push({ nodeId: id, host: endpoint.host, port: endpoint.port, rack })
  }
  return brokers
}

type Described = WeakMap<TopicImage, ResponseTopic>

/** Answers per topic, as long as neither the topic nor the set of brokers changes; by listener. */
const cache = new WeakMap<ClusterImage['brokers'], Map<string, Described>>()

function describer(
  { apiVersion, connection }: Context,
  image: ClusterImage,
  reachable: ReadonlySet<number>,
): (topic: TopicImage) => ResponseTopic {
  if (apiVersion === 0) return (topic) => describeTopic(topic, (partition) => oldestPartition(partition, reachable))
  let byListener = cache.get(image.brokers)
  if (byListener === undefined) cache.set(image.brokers, (byListener = new Map()))
  let described = byListener.get(connection.listener)
  if (described === undefined) byListener.set(connection.listener, (described = new WeakMap()))
  return (topic) => {
    let answer = described.get(topic)
    if (answer === undefined) {
      answer = describeTopic(topic, (partition) => describePartition(partition, reachable))
      described.set(topic, answer)
    }
    return answer
  }
}

function describeTopic(topic: TopicImage, describe: (partition: PartitionImage) => ResponsePartition): ResponseTopic {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.map(describe),
    topicAuthorizedOperations: operationsNotAsked,
  }
}

function describePartition(partition: PartitionImage, reachable: ReadonlySet<number>): ResponsePartition {
  const { errorCode, leaderId, offlineReplicas } = availabilityOf(partition, reachable)
  return {
    errorCode,
    partitionIndex: partition.index,
    leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    offlineReplicas,
  }
}

/** v0 clients cannot bear brokers that the answer does not list: what is not reachable is left out, and said. */
function oldestPartition(partition: PartitionImage, reachable: ReadonlySet<number>): ResponsePartition {
  const described = describePartition(partition, reachable)
  if (described.offlineReplicas.length === 0) return described
  const isReachable = (id: number) => reachable.has(id)
  return {
    ...described,
    errorCode: described.errorCode === ErrorCode.NONE ? ErrorCode.REPLICA_NOT_AVAILABLE : described.errorCode,
    replicaNodes: described.replicaNodes.filter(isReachable),
    isrNodes: described.isrNodes.filter(isReachable),
  }
}

function unknownTopic(name: string): ResponseTopic {
  const badName = topicNameProblem(name)
  return refusedTopic(name, ZERO_UUID, badName === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : badName.error)
}

function refusedTopic(name: string | null, topicId: string, errorCode: ErrorCode): ResponseTopic {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: operationsNotAsked,
  }
}
