import { api, array, errorCode, int32, nullable, string, struct, uuid } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

/** A member of a share group says what it wants, and is told what to read (KIP-932). Version 0 was an early access. */
export const shareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexibleSince: 1,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    rackId: nullable(string),
    subscribedTopicNames: nullable(array(string)),
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

export type ShareGroupHeartbeatRequest = RequestOf<typeof shareGroupHeartbeat>
export type ShareGroupHeartbeatResponse = ResponseOf<typeof shareGroupHeartbeat>
