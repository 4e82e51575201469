// DeleteTopics, by name; since v6 also by id (KIP-516). v5 brought error messages. Once answered, no client finds the topic any more;
// its files follow in their own time.

import type { ClusterImage } from '../../cluster/image.ts'
import { refuse, type TopicRefusal } from '../../cluster/topic-rules.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { deleteTopics, DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/apis/delete-topics.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import { within } from './time-limit.ts'

type Context = RequestContext & Pick<Services, 'cluster' | 'topics' | 'settings' | 'clock'>
type Answer = DeleteTopicsResponse['responses'][number]

interface Target {
  readonly name: string | null
  readonly topicId: string
}

const timedOut = refuse(ErrorCode.REQUEST_TIMED_OUT, 'The topic may still be deleted.')

export const handleDeleteTopics: Handler<typeof deleteTopics, 'cluster' | 'topics' | 'settings' | 'clock'> = async (
  context,
  request,
) => {
  const targets = targetsOf(context, request)
  const wanted = new Map<string, Wanted>()
  for (const [i, target] of targets.entries()) {
    const key = keyOf(context.cluster.image, target, i)
    const known = wanted.get(key)
    wanted.set(key, { target: both(known?.target, target), times: (known?.times ?? 0) + 1 })
  }
  const responses = await Promise.all(
    [...wanted.values()].map(async ({ target, times }): Promise<Answer> => {
      if (!context.settings.deleteTopicEnable) return answer(target, deletionDisabled(context))
      return times === 1 ? deleteOne(context, target, request.timeoutMs) : answer(target, duplicate(target))
    }),
  )
  return { throttleTimeMs: 0, responses }
}

function targetsOf({ apiVersion }: RequestContext, request: DeleteTopicsRequest): readonly Target[] {
  if (apiVersion >= 6) return request.topics
  return request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
}

async function deleteOne(context: Context, target: Target, timeoutMs: number): Promise<Answer> {
  const found = find(context.cluster.image, target)
  if (typeof found !== 'string') return answer(target, found)
  const deleted = (await within(context.clock, timeoutMs, context.topics.delete(found))) ?? timedOut
  if (deleted.ok) return answer({ name: deleted.name, topicId: deleted.id }, null)
  // Someone else was faster: in the words of the request.
  return answer(target, deleted.error === ErrorCode.UNKNOWN_TOPIC_ID ? unknown(target) : deleted)
}

/** The topic's id. */
function find(image: ClusterImage, target: Target): string | TopicRefusal {
  const { name, topicId } = target
  if (name !== null && topicId !== ZERO_UUID) {
    return refuse(ErrorCode.INVALID_REQUEST, 'You may not specify both topic name and topic id.')
  }
  if (name === null && topicId === ZERO_UUID) {
    return refuse(ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.')
  }
  const topic = name === null ? image.topicsById.get(topicId) : image.topicsByName.get(name)
  return topic?.id ?? unknown(target)
}

function unknown({ name }: Target): TopicRefusal {
  return name === null
    ? refuse(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
    : refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
}

interface Wanted {
  readonly target: Target
  readonly times: number
}

/** The same for targets that mean the same topic, by id or by name: Kafka answers once for them. A target that names nothing, or both, is like no other. */
function keyOf(image: ClusterImage, { name, topicId }: Target, index: number): string {
  if ((name === null) === (topicId === ZERO_UUID)) return `target ${index}`
  return name === null ? `id ${topicId}` : `id ${image.topicsByName.get(name)?.id ?? `of ${name}`}`
}

/** By which of name and id a topic was asked for, in all. */
function both(one: Target | undefined, other: Target): Target {
  if (one === undefined) return other
  return { name: one.name ?? other.name, topicId: one.topicId === ZERO_UUID ? other.topicId : one.topicId }
}

function duplicate({ name }: Target): TopicRefusal {
  return refuse(ErrorCode.INVALID_REQUEST, name === null ? 'Duplicate topic id.' : 'Duplicate topic name.')
}

/** v3 brought the error's own code. */
function deletionDisabled({ apiVersion }: RequestContext): TopicRefusal {
  const code = apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED
  return refuse(code, 'Topic deletion is disabled.')
}

function answer({ name, topicId }: Target, refusal: TopicRefusal | null): Answer {
  return {
    name,
    topicId,
    errorCode: refusal?.error ?? ErrorCode.NONE,
    errorMessage: refusal?.message ?? null,
  }
}
