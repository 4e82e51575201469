// Versions. 2: throttle time. 3: a throttled answer comes at once and the client waits (KIP-219). 4: -1 partitions or
// replicas: the default of the broker (KIP-464). 5: flexible; what was created, with its configuration (KIP-525). 6:
// THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599). 7: topic id (KIP-516).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int16,
  int32,
  int8,
  since,
  string,
  struct,
  tagged,
  uuid,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const creatableTopic = struct({
  name: string,
  numPartitions: int32,
  replicationFactor: int16,
  assignments: array(struct({ partitionIndex: int32, brokerIds: array(int32) })),
  configs: array(struct({ name: string, value: emptyOrNull(string) })),
})

const creatableTopicConfigs = struct({
  name: string,
  value: emptyOrNull(string),
  readOnly: bool,
  configSource: withDefault(int8, -1),
  isSensitive: bool,
})

const creatableTopicResult = struct({
  name: string,
  topicId: since(7, ignorable(uuid)),
  errorCode,
  errorMessage: emptyOrNull(string),
  topicConfigErrorCode: since(5, ignorable(tagged(0, errorCode))),
  numPartitions: since(5, ignorable(withDefault(int32, -1))),
  replicationFactor: since(5, ignorable(withDefault(int16, -1))),
  configs: since(5, ignorable(emptyOrNull(array(creatableTopicConfigs)))),
})

/** Creates topics. */
export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: {
    topics: array(creatableTopic),
    timeoutMs: withDefault(int32, 60000),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    topics: array(creatableTopicResult),
  },
})

export type CreateTopicsRequest = RequestOf<typeof createTopics>
export type CreateTopicsResponse = ResponseOf<typeof createTopics>
