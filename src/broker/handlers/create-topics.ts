// CreateTopics. v5: the answer tells what was created, configs included (KIP-525). v7: the topic id (KIP-516).
// An answer without error means that every partition has a leader and takes records.

import type { NewTopic, TopicCreation } from '../../cluster/topic-admin.ts'
import type { BrokerSettings } from '../../cluster/settings/broker-settings.ts'
import { describeTopicConfigs } from '../../cluster/settings/described-configs.ts'
import { refuse } from '../../cluster/topic-rules.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { createTopics, CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/apis/create-topics.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { configSourceCode } from './config-entries.ts'
import { within } from './time-limit.ts'

type RequestTopic = CreateTopicsRequest['topics'][number]
type ResponseTopic = CreateTopicsResponse['topics'][number]

const timedOut = refuse(ErrorCode.REQUEST_TIMED_OUT, 'The topic is not ready yet; it may still be created.')
/** Kafka keeps its own metadata under this name (ControllerApis.createTopics). */
const metadataTopic = '__cluster_metadata'
const metadataTopicRefused = refuse(
  ErrorCode.INVALID_REQUEST,
  `Creation of internal topic ${metadataTopic} is prohibited.`,
)

export const handleCreateTopics: Handler<typeof createTopics, 'topics' | 'settings' | 'clock'> = async (
  { topics, settings, clock },
  request,
) => {
  const wanted = request.topics.filter(({ name }) => name !== metadataTopic)
  const created = await within(
    clock,
    request.timeoutMs,
    topics.create(wanted.map(newTopic), { validateOnly: request.validateOnly }),
  )
  const answers = firstOfEachName(wanted, created)
  if (wanted.length < request.topics.length) answers.set(metadataTopic, metadataTopicRefused)
  return {
    throttleTimeMs: 0,
    topics: [...answers].map(([name, creation]) => answerOf(name, creation, settings)),
  }
}

/** Kafka answers once for a name, however often it was asked for. */
function firstOfEachName(
  wanted: readonly RequestTopic[],
  created: readonly TopicCreation[] | null,
): Map<string, TopicCreation> {
  const answers = new Map<string, TopicCreation>()
  for (const [i, { name }] of wanted.entries()) {
    if (!answers.has(name)) answers.set(name, created?.[i] ?? timedOut)
  }
  return answers
}

function newTopic({ name, numPartitions, replicationFactor, assignments, configs }: RequestTopic): NewTopic {
  return {
    name,
    partitions: numPartitions,
    replicationFactor,
    assignments,
    configs: new Map(configs.map((config) => [config.name, config.value])),
  }
}

function answerOf(name: string, creation: TopicCreation, settings: BrokerSettings): ResponseTopic {
  if (!creation.ok) {
    return {
      name,
      topicId: ZERO_UUID,
      errorCode: creation.error,
      errorMessage: creation.message,
      topicConfigErrorCode: ErrorCode.NONE,
      numPartitions: -1,
      replicationFactor: -1,
      configs: [],
    }
  }
  return {
    name,
    topicId: creation.id ?? ZERO_UUID,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: creation.partitions,
    replicationFactor: creation.replicationFactor,
    configs: describeTopicConfigs(creation.configs, settings).map(({ name, value, source, readOnly }) => ({
      name,
      value,
      readOnly,
      configSource: configSourceCode[source],
      isSensitive: false,
    })),
  }
}
