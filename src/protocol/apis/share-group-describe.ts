import { api, array, bool, errorCode, int32, nullable, string, struct, uuid, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const topicPartitions = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

const member = struct({
  memberId: string,
  rackId: nullable(string),
  memberEpoch: int32,
  clientId: string,
  clientHost: string,
  subscribedTopicNames: array(string),
  assignment,
})

const describedGroup = struct({
  errorCode,
  errorMessage: nullable(string),
  groupId: string,
  groupState: string,
  groupEpoch: int32,
  assignmentEpoch: int32,
  assignorName: string,
  members: array(member),
  authorizedOperations: withDefault(int32, -0x8000_0000),
})

/** State, members and assignments of share groups (KIP-932). Version 0 was an early access. */
export const shareGroupDescribe = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [1, 1],
  flexibleSince: 1,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: array(describedGroup),
  },
})

export type ShareGroupDescribeRequest = RequestOf<typeof shareGroupDescribe>
export type ShareGroupDescribeResponse = ResponseOf<typeof shareGroupDescribe>
