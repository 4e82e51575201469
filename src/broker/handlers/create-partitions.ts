// CreatePartitions. Versions differ in their form alone. An answer without error means that the new partitions have leaders.

import type {
  createPartitions,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../protocol/apis/create-partitions.ts'
import type { GrownTopic } from '../../cluster/topic-growth.ts'
import { refuse, type TopicRefusal } from '../../cluster/topic-rules.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { within } from './time-limit.ts'

type Result = CreatePartitionsResponse['results'][number]

const timedOut = refuse(ErrorCode.REQUEST_TIMED_OUT, 'The partitions are not ready yet; they may still be created.')

export const handleCreatePartitions: Handler<typeof createPartitions, 'topicGrowth' | 'clock'> = async (
  { topicGrowth, clock },
  { topics, timeoutMs, validateOnly },
) => {
  const grown = await within(clock, timeoutMs, topicGrowth.grow(topics.map(grownTopic), { validateOnly }))
  // Kafka answers once for a name, however often it was asked for.
  const results = new Map<string, Result>()
  for (const [i, { name }] of topics.entries()) {
    if (!results.has(name)) results.set(name, resultOf(name, grown === null ? timedOut : grown[i]!))
  }
  return { throttleTimeMs: 0, results: [...results.values()] }
}

function grownTopic({ name, count, assignments }: CreatePartitionsRequest['topics'][number]): GrownTopic {
  return { name, count, assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null }
}

function resultOf(name: string, refusal: TopicRefusal | null): Result {
  // In Kafka a topic that is not there has no words.
  const words = refusal?.error === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ? null : refusal?.message
  return { name, errorCode: refusal?.error ?? ErrorCode.NONE, errorMessage: words ?? null }
}
