// OffsetCommit, OffsetFetch and OffsetDelete as they arrive, in whatever version. What names topics and partitions that do not exist is
// answered here; about the others the group decides, in the machine of its partition.

import { ZERO_UUID } from '../../../lib/uuid.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../../protocol/apis/offset-commit.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../../protocol/apis/offset-delete.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { ReplyTo } from '../../effect.ts'
import type { FetchedGroup, FetchedGroupOffsets, GroupEvent, Sender } from '../group-event.ts'
import { commitAnswer, fetchRefused } from '../group-response.ts'
import {
  checkCommittedTopic,
  checkDeletedTopic,
  refusedFirst,
  resolveFetchedTopic,
  withTopicIds,
} from '../group-topics.ts'
import type { TopicsView } from '../topics-view.ts'
import { offsetDeleteRefused } from './deletion.ts'

/** One request: who sends it, and the way to the machine of a group. */
export interface OffsetRequestContext {
  readonly sender: Sender
  readonly topics: TopicsView
  readonly submit: <Response>(
    groupId: string,
    event: (replyTo: ReplyTo<Response>) => GroupEvent,
    refusal: (code: ErrorCode) => Response,
  ) => Promise<Response>
}

export async function requestCommit(
  { sender, topics: known, submit }: OffsetRequestContext,
  request: OffsetCommitRequest,
): Promise<OffsetCommitResponse> {
  const { groupId } = request
  const checked = request.topics.map((topic) => checkCommittedTopic(known, topic, sender.apiVersion))
  const topics = checked.flatMap(({ topic }) => (topic === null ? [] : [topic]))
  const answer =
    topics.length === 0
      ? commitAnswer([], ErrorCode.NONE)
      : await submit(
          groupId,
          (replyTo: ReplyTo<OffsetCommitResponse>) => {
            return { kind: 'commitOffsets', groupId, replyTo, sender, request: { ...request, topics } }
          },
          (code) => commitAnswer(topics, code),
        )
  let next = 0
  return {
    throttleTimeMs: 0,
    topics: refusedFirst(
      request.topics.map(({ name, topicId }, index) => {
        const { topic, exists, refused } = checked[index]!
        const answered = topic === null ? [] : answer.topics[next++]!.partitions
        return { names: { name, topicId }, exists, refused, answered }
      }),
    ),
  }
}

/** Before version 8 a request names one group, and its error is the answer's. */
export async function requestFetch(
  context: OffsetRequestContext,
  request: OffsetFetchRequest,
): Promise<OffsetFetchResponse> {
  const { requireStable } = request
  if (context.sender.apiVersion >= 8) {
    const groups = await Promise.all(request.groups.map((group) => fetchGroup(context, group, requireStable)))
    return { throttleTimeMs: 0, topics: [], errorCode: ErrorCode.NONE, groups }
  }
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
  const group = { groupId: request.groupId, memberId: null, memberEpoch: -1, topics }
  const fetched = await fetchGroup(context, group, requireStable)
  return { throttleTimeMs: 0, topics: fetched.topics, errorCode: fetched.errorCode, groups: [] }
}

async function fetchGroup(
  { sender, topics: known, submit }: OffsetRequestContext,
  group: FetchedGroup,
  requireStable: boolean,
): Promise<FetchedGroupOffsets> {
  const { groupId, memberId, memberEpoch } = group
  const { apiVersion } = sender
  const resolved = group.topics?.map((topic) => resolveFetchedTopic(known, topic, apiVersion)) ?? null
  const topics = resolved?.flatMap((each) => ('topic' in each ? [each.topic] : [])) ?? null
  const fetched = await submit(
    groupId,
    (replyTo: ReplyTo<FetchedGroupOffsets>) => {
      return { kind: 'fetchOffsets', groupId, replyTo, memberId, memberEpoch, topics, requireStable }
    },
    (code) => fetchRefused(group, codeOfFetchRefusal(code), apiVersion),
  )
  if (fetched.errorCode !== ErrorCode.NONE) return fetched
  if (resolved === null) return withTopicIds(known, fetched, apiVersion)
  const refused = resolved.flatMap((each) => ('refused' in each ? [each.refused] : []))
  return { ...fetched, topics: [...fetched.topics, ...refused] }
}

/** Consumers before 3.9 give up on a coordinator that is not available; they look for it anew when it is another one. */
function codeOfFetchRefusal(code: ErrorCode): ErrorCode {
  return code === ErrorCode.COORDINATOR_NOT_AVAILABLE ? ErrorCode.NOT_COORDINATOR : code
}

/** An error of the group is all that is answered. */
export async function requestDeletion(
  { topics: known, submit }: OffsetRequestContext,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteResponse> {
  const { groupId } = request
  if (groupId === '') return offsetDeleteRefused(ErrorCode.INVALID_GROUP_ID)
  const checked = request.topics.map((topic) => checkDeletedTopic(known, topic))
  const topics = checked.flatMap(({ topic }) => (topic === null ? [] : [topic]))
  const answer = await submit(
    groupId,
    (replyTo: ReplyTo<OffsetDeleteResponse>) => ({ kind: 'deleteOffsets', groupId, replyTo, topics }),
    offsetDeleteRefused,
  )
  if (answer.errorCode !== ErrorCode.NONE) return answer
  let next = 0
  const answers = request.topics.map(({ name }, index) => {
    const { topic, exists, refused } = checked[index]!
    return { names: { name }, exists, refused, answered: topic === null ? [] : answer.topics[next++]!.partitions }
  })
  return { ...answer, topics: refusedFirst(answers) }
}
