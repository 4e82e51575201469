// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3:
// TOPIC_DELETION_DISABLED may be answered (KIP-322). 4: flexible. 5: error message; THROTTLING_QUOTA_EXCEEDED may be
// answered (KIP-599). 6: by id or by name (KIP-516).

import {
  api,
  array,
  errorCode,
  ignorable,
  int32,
  nullable,
  nullableSince,
  since,
  string,
  struct,
  until,
  uuid,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const deleteTopicState = struct({
  name: nullable(string),
  topicId: uuid,
})

const deletableTopicResult = struct({
  name: nullableSince(6, string),
  topicId: since(6, ignorable(uuid)),
  errorCode,
  errorMessage: since(5, ignorable(nullable(string))),
})

/** Deletes topics. */
export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: {
    topics: since(6, array(deleteTopicState)),
    topicNames: until(5, ignorable(array(string))),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    responses: array(deletableTopicResult),
  },
})

export type DeleteTopicsRequest = RequestOf<typeof deleteTopics>
export type DeleteTopicsResponse = ResponseOf<typeof deleteTopics>
