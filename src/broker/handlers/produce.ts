// Produce: checks each partition's batch in Kafka's order (KafkaApis.handleProduceRequest, ReplicaManager.appendRecords) and appends
// it, all before the first await, so that batches of one connection keep their order. Only then does it wait, as `acks` asks.
//
// Transactions are not served: InitProducerId refuses a transactional id, and a transactional batch gets INVALID_TXN_STATE, as from
// a broker that knows of no such transaction.

import { isTransactional, producerEpochOf, producerIdOf, batchHeaderBytes } from '../../records/batch.ts'
import { formRefusal } from '../../records/batch-header-rules.ts'
import { type BatchRefusal, type RecordError, validateBatch } from '../../records/validate-batch.ts'
import type { ProduceRequest, ProduceResponse, produce } from '../../protocol/apis/produce.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Partition } from '../../replication/partition.ts'
import type { AppendRefusal } from '../../storage/partition-log.ts'
import { CloseConnection, type Handler, type RequestContext } from '../handler.ts'
import {
  currentLeader,
  type LeaderIdAndEpoch,
  NodeEndpoints,
  servedPartition,
  unknownLeader,
} from '../served-partition.ts'
import type { Services } from '../services.ts'
import { WaitingProduce } from '../waiting-produces.ts'

type Needs = 'clock' | 'cluster' | 'replicas' | 'settings' | 'endpointFor'
type Context = RequestContext & Pick<Services, Needs>
type TopicRequest = ProduceRequest['topicData'][number]
type PartitionRequest = TopicRequest['partitionData'][number]
type TopicResponse = ProduceResponse['responses'][number]
type PartitionResponse = TopicResponse['partitionResponses'][number]

/** Who may write to internal topics: Kafka's admin tools call themselves so. */
const internalWriter = '__admin_client'

/** First version whose clients know zstd (KIP-110). */
const zstdSince = 7

/** With acks=0 nobody waits for the disk; from here on the connection does, so that memory stays bounded. */
const queuedBytesMax = 16 * 1024 * 1024

const codeOfBatch = {
  invalidRecord: ErrorCode.INVALID_RECORD,
  corruptMessage: ErrorCode.CORRUPT_MESSAGE,
  messageTooLarge: ErrorCode.MESSAGE_TOO_LARGE,
  invalidTimestamp: ErrorCode.INVALID_TIMESTAMP,
  unsupportedCompressionType: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
} satisfies Record<BatchRefusal, ErrorCode>

const codeOfAppend = {
  recordListTooLarge: ErrorCode.RECORD_LIST_TOO_LARGE,
  invalidProducerEpoch: ErrorCode.INVALID_PRODUCER_EPOCH,
  outOfOrderSequence: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  invalidTxnState: ErrorCode.INVALID_TXN_STATE,
  diskFull: ErrorCode.KAFKA_STORAGE_ERROR,
  // Not one that producers try again: the operator has to act.
  budgetExceeded: ErrorCode.POLICY_VIOLATION,
  offline: ErrorCode.KAFKA_STORAGE_ERROR,
} satisfies Record<AppendRefusal, ErrorCode>

/** Errors that Kafka answers without a log start offset, though the partition is there (ReplicaManager.appendToLocalLog). */
const hidesLogStart: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

const wordsOfAppend: { readonly [Refusal in AppendRefusal]?: string } = {
  diskFull: 'the disk of the broker is full',
  budgetExceeded: 'the disk budget of the broker is used up, and disk.budget.policy of this topic is refuse',
}

const noBytes = new Uint8Array(0)
const noRecordErrors: readonly [] = []
const noEndpoints: readonly [] = []

export const handleProduce: Handler<typeof produce, Needs> = (context, request) => {
  const waiting = new WaitingProduce()
  const refusal = transactionRefusal(request)
  const topics = oncePerPartition(request.topicData)
  const responses = topics.map((topic) => produceToTopic(context, request, topic, refusal, waiting))

  if (request.acks === 0) return answerToNobody(context, responses, waiting)
  const response: ProduceResponse = { responses, throttleTimeMs: 0, nodeEndpoints: noEndpoints }
  if (!waiting.isPending) return withLeaders(context, response)
  const timeoutMs = request.acks === -1 ? request.timeoutMs : null
  return waiting.done(context.clock, timeoutMs).then(() => withLeaders(context, response))
}

/**
 * Kafka sorts a request by partitions: of a partition that is there twice the last batch counts, and a topic without partitions is
 * not answered (KafkaApis.handleProduceRequest).
 */
function oncePerPartition(topicData: readonly TopicRequest[]): readonly TopicRequest[] {
  if (topicData.length === 1 && topicData[0]!.partitionData.length === 1) return topicData
  const topics = new Map<string, { topic: TopicRequest; partitions: Map<number, PartitionRequest> }>()
  for (const topic of topicData) {
    const key = `${topic.topicId}:${topic.name}`
    for (const partition of topic.partitionData) {
      let merged = topics.get(key)
      if (merged === undefined) topics.set(key, (merged = { topic, partitions: new Map() }))
      merged.partitions.set(partition.index, partition)
    }
  }
  return [...topics.values()].map(({ topic, partitions }) => ({ ...topic, partitionData: [...partitions.values()] }))
}

function produceToTopic(
  context: Context,
  request: ProduceRequest,
  topic: TopicRequest,
  refusal: ErrorCode | null,
  waiting: WaitingProduce,
): TopicResponse {
  const usesIds = context.apiVersion >= 13
  const name = usesIds ? context.cluster.image.topicsById.get(topic.topicId)?.name : topic.name
  const partitionResponses = topic.partitionData.map(({ index, records }): PartitionResponse => {
    if (refusal !== null) return refused(index, refusal)
    if (name === undefined) return refused(index, ErrorCode.UNKNOWN_TOPIC_ID)
    return produceToPartition(context, request, name, index, wholeOf(records), waiting)
  })
  return { name: topic.name, topicId: topic.topicId, partitionResponses }
}

function produceToPartition(
  context: Context,
  { acks }: ProduceRequest,
  topic: string,
  index: number,
  bytes: Uint8Array,
  waiting: WaitingProduce,
): PartitionResponse {
  const image = context.cluster.image.topicsByName.get(topic)
  if (image?.partitions[index] === undefined) return refused(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const malformed = formRefusal(bytes, context.apiVersion >= zstdSince)
  if (malformed !== undefined) return refused(index, codeOfBatch[malformed.refusal], malformed.message)
  if (acks < -1 || acks > 1) return refused(index, ErrorCode.INVALID_REQUIRED_ACKS)
  if (image.internal && context.clientId !== internalWriter) return refused(index, ErrorCode.INVALID_TOPIC_EXCEPTION)
  const partition = servedPartition(context, topic, index, -1)
  if (typeof partition === 'number') return refused(index, partition)
  if (acks === -1 && !partition.hasEnoughReplicas) return refused(index, ErrorCode.NOT_ENOUGH_REPLICAS)
  // Another broker may lead by now. With acks=all the followers would notice, and never confirm.
  if (acks !== -1 && !partition.mayAnswerAlone) return refused(index, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  return append(context, acks, partition, bytes, waiting)
}

function append(
  { clock, apiVersion, settings }: Context,
  acks: number,
  partition: Partition,
  bytes: Uint8Array,
  waiting: WaitingProduce,
): PartitionResponse {
  const { index, logStartOffset } = partition
  const rules = partition.settings.batchRules
  rules.now = clock.now()
  rules.zstdAllowed = apiVersion >= zstdSince
  const checked = validateBatch(bytes, rules)
  if (!checked.ok) {
    return refused(index, codeOfBatch[checked.refusal], checked.message, checked.recordErrors, logStartOffset)
  }
  if (checked.info.isTransactional) {
    return refused(
      index,
      ErrorCode.INVALID_TXN_STATE,
      'this broker does not serve transactions',
      undefined,
      logStartOffset,
    )
  }
  // A request that timed out no longer counts against the memory of requests, but its batch waits on. A log that alone holds as much as
  // all requests may is on a disk that hangs.
  if (settings.queuedMaxRequestBytes >= 0 && partition.queuedBytes > settings.queuedMaxRequestBytes) {
    return refused(index, ErrorCode.REQUEST_TIMED_OUT, 'the disk does not keep up', undefined, logStartOffset)
  }
  const appended = partition.append(checked.bytes ?? bytes, 'client')
  if (!appended.ok) {
    const { refusal } = appended
    return refused(index, codeOfAppend[refusal], wordsOfAppend[refusal] ?? null, undefined, logStartOffset)
  }

  const answer = {
    index,
    errorCode: ErrorCode.NONE as ErrorCode,
    baseOffset: appended.baseOffset,
    logAppendTimeMs: appended.logAppendTimeMs,
    logStartOffset,
    recordErrors: noRecordErrors,
    errorMessage: null,
    currentLeader: unknownLeader,
  }
  const end = appended.lastOffset + 1
  if (acks === -1) waiting.committed(partition, end, answer)
  // The only replica makes a record visible with its confirmation, in Kafka as here: who produces with acks=1 and then asks for the
  // latest offset counts on it. What is visible is durable, so the confirmation waits for that. With more replicas it may be visible
  // only when they have it, and acks=1 does not wait for them.
  else if (acks === 1 && partition.image.replicas.length === 1) waiting.visible(partition, end, answer)
  else if (acks === 1 || partition.queuedBytes > queuedBytesMax) waiting.written(partition, end, answer)
  return answer
}

/** acks=0: no response; after any error the connection ends, the one way to tell such a producer. */
function answerToNobody(
  context: Context,
  responses: readonly TopicResponse[],
  waiting: WaitingProduce,
): null | Promise<null> {
  throwOnError(responses)
  if (!waiting.isPending) return null
  return waiting.done(context.clock, null).then(() => {
    throwOnError(responses)
    return null
  })
}

function throwOnError(responses: readonly TopicResponse[]): void {
  for (const { name, topicId, partitionResponses } of responses) {
    for (const { index, errorCode } of partitionResponses) {
      if (errorCode === ErrorCode.NONE) continue
      throw new CloseConnection(
        `produce with acks=0 to partition ${index} of ${name || topicId} failed with error ${errorCode}`,
      )
    }
  }
}

/** From v10 an answer that says "not the leader" also says who is (KIP-951). */
function withLeaders(context: Context, response: ProduceResponse): ProduceResponse {
  if (context.apiVersion < 10 || !response.responses.some(hasLostLeader)) return response
  const endpoints = new NodeEndpoints(context, context.connection)
  const responses = response.responses.map((topic) => {
    const name = topic.name || context.cluster.image.topicsById.get(topic.topicId)?.name || ''
    const partitionResponses = topic.partitionResponses.map((partition) => {
      if (partition.errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER) return partition
      const leader: LeaderIdAndEpoch = currentLeader(context.cluster.image, name, partition.index)
      endpoints.add(leader.leaderId)
      return { ...partition, currentLeader: leader }
    })
    return { ...topic, partitionResponses }
  })
  return { ...response, responses, nodeEndpoints: endpoints.endpoints }
}

function hasLostLeader({ partitionResponses }: TopicResponse): boolean {
  return partitionResponses.some(({ errorCode }) => errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER)
}

/** What refuses the whole request: transactional batches without a transactional id, or of more than one producer. */
function transactionRefusal(request: ProduceRequest): ErrorCode | null {
  let first: Uint8Array | null = null
  for (const { partitionData } of request.topicData) {
    for (const { records } of partitionData) {
      const bytes = records?.[0]
      if (bytes === undefined || bytes.length < batchHeaderBytes || !isTransactional(bytes)) continue
      if (request.transactionalId === null) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      first ??= bytes
      if (producerIdOf(bytes) !== producerIdOf(first) || producerEpochOf(bytes) !== producerEpochOf(first)) {
        return ErrorCode.INVALID_PRODUCER_ID_MAPPING
      }
    }
  }
  return null
}

function refused(
  index: number,
  errorCode: ErrorCode,
  errorMessage: string | null = null,
  recordErrors?: readonly RecordError[],
  logStartOffset = -1,
): PartitionResponse {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: hidesLogStart.has(errorCode) ? -1 : logStartOffset,
    recordErrors:
      recordErrors?.map(({ index, message }) => ({ batchIndex: index, batchIndexErrorMessage: message })) ??
      noRecordErrors,
    errorMessage,
    currentLeader: unknownLeader,
  }
}

/** A request decoded from the wire has one chunk. */
function wholeOf(records: readonly Uint8Array[] | null): Uint8Array {
  if (records === null || records.length === 0) return noBytes
  return records.length === 1 ? records[0]! : Buffer.concat(records)
}
