// A group's history as DescribeGroupHistory tells it.

import type { DescribeGroupHistoryResponse } from '../../../protocol/apis/describe-group-history.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { GroupHistory } from './group-history.ts'

export type DescribedHistory = DescribeGroupHistoryResponse['groups'][number]

/** `known`: whether the coordinator has the group. One that is no more may have a history, one that is may have none. */
export function describedHistory(groupId: string, history: GroupHistory | undefined, known: boolean): DescribedHistory {
  if (history === undefined) return historyRefused(groupId, known ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND)
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    rebalances: history.rebalances.map(({ startedAt, durationMs, epoch, membersBefore, membersAfter, ...rest }) => ({
      startTimeMs: startedAt,
      durationMs: durationMs ?? -1,
      epoch: epoch ?? -1,
      membersBefore: membersBefore ?? -1,
      membersAfter: membersAfter ?? -1,
      ...rest,
    })),
    happenings: history.happenings.map(({ at, lastAt, times, kind, member, words }) => ({
      timeMs: at,
      lastTimeMs: lastAt,
      times,
      kind,
      member,
      words,
    })),
  }
}

export function historyRefused(groupId: string, errorCode: ErrorCode): DescribedHistory {
  return { errorCode, groupId, rebalances: [], happenings: [] }
}
