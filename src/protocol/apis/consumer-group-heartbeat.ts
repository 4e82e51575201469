// Versions. 1: subscription by regular expression; the member makes up its own id (KIP-1082).

import { api, array, errorCode, int32, nullable, since, string, struct, uuid, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

/**
 * A member of a KIP-848 group says what it wants and owns, and is told what to own. Joining, leaving and rebalancing
 * are heartbeats too.
 */
export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: nullable(string),
    rackId: nullable(string),
    rebalanceTimeoutMs: withDefault(int32, -1),
    subscribedTopicNames: nullable(array(string)),
    subscribedTopicRegex: since(1, nullable(string)),
    serverAssignor: nullable(string),
    topicPartitions: nullable(array(topicPartitions)),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: nullable(string),
    memberId: nullable(string),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: nullable(assignment),
  },
})

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof consumerGroupHeartbeat>
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeat>
