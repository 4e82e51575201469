// Answers to ConsumerGroupHeartbeat, and what is wrong with a request that no group need see.

import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { joiningEpoch, leavingEpoch, leavingForNowEpoch } from './consumer-member.ts'

/** Why a request is refused: a code, and Kafka's words for it. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string | null
}

/** KIP-1082: from this version on clients make up their own member ids. */
const ownMemberIdSince = 1

export function heartbeatRefused({ code, message }: Refusal): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode: code,
    errorMessage: message,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}

/** Null when the request makes sense. The order of the checks is Kafka's. */
export function heartbeatProblem(
  request: ConsumerGroupHeartbeatRequest,
  apiVersion: number,
  assignors: readonly string[],
): Refusal | null {
  const { memberEpoch, serverAssignor } = request
  const invalid = (message: string): Refusal => ({ code: ErrorCode.INVALID_REQUEST, message })
  const needsMemberId = apiVersion >= ownMemberIdSince || memberEpoch > joiningEpoch || memberEpoch === leavingEpoch
  if (needsMemberId && isBlank(request.memberId)) return invalid("MemberId can't be empty.")
  if (isBlank(request.groupId)) return invalid("GroupId can't be empty.")
  if (isBlank(request.instanceId)) return invalid("InstanceId can't be empty.")
  if (isBlank(request.rackId)) return invalid("RackId can't be empty.")
  if (memberEpoch === joiningEpoch) {
    if (request.rebalanceTimeoutMs === -1) return invalid('RebalanceTimeoutMs must be provided in first request.')
    if (request.topicPartitions === null || request.topicPartitions.length > 0) {
      return invalid('TopicPartitions must be empty when (re-)joining.')
    }
    if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
      return invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
    }
  } else if (memberEpoch === leavingForNowEpoch) {
    if (request.instanceId === null) return invalid("InstanceId can't be null.")
  } else if (memberEpoch < leavingForNowEpoch) {
    return invalid('MemberEpoch is invalid.')
  }
  if (serverAssignor === null || assignors.includes(serverAssignor)) return null
  const message = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`
  return { code: ErrorCode.UNSUPPORTED_ASSIGNOR, message }
}

function isBlank(text: string | null): boolean {
  return text !== null && text.trim() === ''
}
