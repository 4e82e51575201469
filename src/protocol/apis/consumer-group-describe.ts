// Versions. 1: which protocol a member speaks (KIP-1099).

import {
  api,
  array,
  bool,
  errorCode,
  ignorable,
  int32,
  int8,
  nullable,
  since,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema/index.ts'
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
  instanceId: nullable(string),
  rackId: nullable(string),
  memberEpoch: int32,
  clientId: string,
  clientHost: string,
  subscribedTopicNames: array(string),
  subscribedTopicRegex: nullable(string),
  assignment,
  targetAssignment: assignment,
  memberType: since(1, ignorable(withDefault(int8, -1))),
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

/** State, members and assignments of KIP-848 groups. */
export const consumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: array(describedGroup),
  },
})

export type ConsumerGroupDescribeRequest = RequestOf<typeof consumerGroupDescribe>
export type ConsumerGroupDescribeResponse = ResponseOf<typeof consumerGroupDescribe>
