import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumerGroupHeartbeatRequest } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { heartbeatProblem } from './heartbeat-answer.ts'

const { INVALID_REQUEST, UNSUPPORTED_ASSIGNOR } = ErrorCode

const joining: ConsumerGroupHeartbeatRequest = {
  groupId: 'g',
  memberId: 'm',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 60_000,
  subscribedTopicNames: ['t'],
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: [],
}
const some = [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [0] }]

interface Case {
  readonly name: string
  readonly version?: number
  readonly request: Partial<ConsumerGroupHeartbeatRequest>
  readonly code?: number
  readonly message?: string
}

const cases: readonly Case[] = [
  { name: 'a join with all it needs', request: {} },
  { name: 'a join by regular expression', request: { subscribedTopicNames: null, subscribedTopicRegex: '' } },
  { name: 'a join without an id, in version 0', version: 0, request: { memberId: '' } },
  { name: 'a join without an id, in version 1', request: { memberId: '' }, message: "MemberId can't be empty." },
  {
    name: 'a heartbeat with nothing new',
    request: { memberEpoch: 3, rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null },
  },
  {
    name: 'a heartbeat without an id, in version 0',
    version: 0,
    request: { memberId: '', memberEpoch: 1 },
    message: "MemberId can't be empty.",
  },
  {
    name: 'a leave without an id',
    version: 0,
    request: { memberId: ' ', memberEpoch: -1 },
    message: "MemberId can't be empty.",
  },
  { name: 'no group', request: { groupId: ' ' }, message: "GroupId can't be empty." },
  { name: 'an empty instance id', request: { instanceId: '' }, message: "InstanceId can't be empty." },
  { name: 'an empty rack', request: { rackId: '' }, message: "RackId can't be empty." },
  {
    name: 'a join without rebalance timeout',
    request: { rebalanceTimeoutMs: -1 },
    message: 'RebalanceTimeoutMs must be provided in first request.',
  },
  {
    name: 'a join that does not say what it owns',
    request: { topicPartitions: null },
    message: 'TopicPartitions must be empty when (re-)joining.',
  },
  {
    name: 'a join that owns something',
    request: { topicPartitions: some },
    message: 'TopicPartitions must be empty when (re-)joining.',
  },
  {
    name: 'a join without subscription',
    request: { subscribedTopicNames: null },
    message: 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
  },
  { name: 'leaving for now, of a dynamic member', request: { memberEpoch: -2 }, message: "InstanceId can't be null." },
  { name: 'leaving for now, of a static member', request: { memberEpoch: -2, instanceId: 'i' } },
  { name: 'an epoch there is not', request: { memberEpoch: -3 }, message: 'MemberEpoch is invalid.' },
  { name: 'an assignor the broker has', request: { serverAssignor: 'range' } },
  {
    name: 'an assignor the broker does not have',
    request: { serverAssignor: 'sticky' },
    code: UNSUPPORTED_ASSIGNOR,
    message: 'ServerAssignor sticky is not supported. Supported assignors: uniform, range.',
  },
]

for (const { name, version = 1, request, code = INVALID_REQUEST, message } of cases) {
  test(`a heartbeat is ${message === undefined ? 'let through' : 'refused'}: ${name}`, () => {
    const problem = heartbeatProblem({ ...joining, ...request }, version, ['uniform', 'range'])
    assert.deepEqual(problem, message === undefined ? null : { code, message })
  })
}
