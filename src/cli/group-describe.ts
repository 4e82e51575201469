// `odradek group describe`: one group, as its coordinator and the leaders of its partitions tell it.

import { systemClock } from '../io/clock.ts'
import { describeGroupHistory } from '../protocol/apis/describe-group-history.ts'
import { type GroupCluster, GroupRefused, nameOf } from './group-cluster.ts'
import { describeLines } from './group-lines.ts'
import { stateOf } from './group-members.ts'
import { committedOf, logBounds, recordTimes } from './group-offsets.ts'
import { type GroupReport, partitionsOfInterest, type ReportedHistory, reportOf } from './group-report.ts'
import { terminalWidth } from './table.ts'

export interface GroupDescribeOptions {
  readonly last: number
  readonly happenings?: boolean
  readonly full?: boolean
  readonly json?: boolean
}

export async function describeGroup(
  cluster: GroupCluster,
  groupId: string,
  { last, happenings = false, full = false, json = false }: GroupDescribeOptions,
): Promise<void> {
  const report = await gather(cluster, groupId)
  const options = { nowMs: systemClock.now(), last, happenings, full, width: terminalWidth() }
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${describeLines(report, options).join('\n')}\n`)
}

async function gather(cluster: GroupCluster, groupId: string): Promise<GroupReport> {
  const state = await stateOf(cluster, groupId)
  if (state === null)
    throw new GroupRefused(`there is no group '${groupId}' (odradek group list shows those there are)`)
  const brokerId = await cluster.coordinatorOf(groupId)
  const committed = await committedOf(cluster, groupId)
  const bounds = await logBounds(cluster, partitionsOfInterest(state, committed))
  const unread = committed.flatMap((each) => {
    const bound = bounds.get(nameOf(each))
    if (bound === undefined || each.offset >= bound.end) return []
    return [{ ...each, offset: Math.max(each.offset, bound.start) }]
  })
  const [unreadSince, history] = await Promise.all([recordTimes(cluster, unread), historyOf(cluster, groupId)])
  const coordinator = { brokerId, address: cluster.addressOf(brokerId) }
  return reportOf({ state, coordinator, committed, bounds, unreadSince, history, nowMs: systemClock.now() })
}

/** Null from a broker that is none of ours. */
async function historyOf(cluster: GroupCluster, groupId: string): Promise<ReportedHistory | null> {
  const answer = await cluster.askCoordinatorUnnamed(
    groupId,
    describeGroupHistory,
    { groups: [groupId] },
    ({ groups }) => groups[0]!.errorCode,
  )
  const group = answer?.groups[0]
  return group === undefined ? null : { rebalances: group.rebalances, happenings: group.happenings }
}
