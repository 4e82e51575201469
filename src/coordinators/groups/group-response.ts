// The responses of the group APIs that say nothing but an error, or nothing but success.

import type { HeartbeatResponse } from '../../protocol/apis/heartbeat.ts'
import type { JoinGroupResponse } from '../../protocol/apis/join-group.ts'
import type { LeaveGroupResponse } from '../../protocol/apis/leave-group.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/apis/offset-commit.ts'
import type { SyncGroupResponse } from '../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { noBytes } from './classic/classic-member.ts'
import type { DescribedGroup, FetchedGroup, FetchedGroupOffsets } from './group-event.ts'

export const unknownMemberId = ''
export const noOffset = -1
export const noLeaderEpoch = -1
/** What DescribeGroups says when nobody asked which operations are allowed. */
export const operationsNotAsked = -0x8000_0000

export function joinRefused(memberId: string, errorCode: ErrorCode): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function syncRefused(errorCode: ErrorCode): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: noBytes }
}

export function heartbeatAnswer(errorCode: ErrorCode): HeartbeatResponse {
  return { throttleTimeMs: 0, errorCode }
}

export function leaveRefused(errorCode: ErrorCode): LeaveGroupResponse {
  return { throttleTimeMs: 0, errorCode, members: [] }
}

/** The same answer for every partition. */
export function commitAnswer(topics: OffsetCommitRequest['topics'], errorCode: ErrorCode): OffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

export function unknownOffset(
  partitionIndex: number,
  errorCode: ErrorCode = ErrorCode.NONE,
): FetchedGroupOffsets['topics'][number]['partitions'][number] {
  return { partitionIndex, committedOffset: noOffset, committedLeaderEpoch: noLeaderEpoch, metadata: '', errorCode }
}

/** Version 1 has no error of the whole group: each partition carries it. */
export function fetchRefused(group: FetchedGroup, errorCode: ErrorCode, apiVersion: number): FetchedGroupOffsets {
  if (apiVersion >= 2) return { groupId: group.groupId, topics: [], errorCode }
  const topics = (group.topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((index) => unknownOffset(index, errorCode)),
  }))
  return { groupId: group.groupId, topics, errorCode }
}

export function describeRefused(
  groupId: string,
  errorCode: ErrorCode,
  groupState = '',
  errorMessage: string | null = null,
): DescribedGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState,
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: operationsNotAsked,
  }
}
