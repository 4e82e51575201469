// `odradek group list`: every group of every broker.

import { listGroups } from '../protocol/apis/list-groups.ts'
import { ErrorCode, errorName } from '../protocol/error-code.ts'
import { type GroupCluster, nameOf } from './group-cluster.ts'
import { listLines } from './group-lines.ts'
import { statesOf } from './group-members.ts'
import { type Committed, committedBy, logEnds } from './group-offsets.ts'
import type { ListedGroup } from './group-report.ts'
import { isUndoGroup } from './group-undo.ts'
import { terminalWidth } from './table.ts'

export interface GroupListOptions {
  readonly all?: boolean
  readonly json?: boolean
}

export async function listGroupsOf(
  cluster: GroupCluster,
  { all = false, json = false }: GroupListOptions,
): Promise<void> {
  const found = await Promise.all(cluster.brokerIds.map((brokerId) => groupsOf(cluster, brokerId, all)))
  const drafts = found.flat()
  const places = new Map(drafts.flatMap(({ committed }) => committed.map((each) => [nameOf(each), each])))
  const ends = await logEnds(cluster, [...places.values()])
  const groups = drafts
    .map(({ committed, ...group }): ListedGroup => ({
      ...group,
      topics: [...new Set(committed.map(({ topic }) => topic))].toSorted(),
      lag: lagOf(committed, ends),
    }))
    .toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
  process.stdout.write(json ? `${JSON.stringify({ groups })}\n` : `${listLines(groups, terminalWidth()).join('\n')}\n`)
}

type Draft = Omit<ListedGroup, 'topics' | 'lag'> & { readonly committed: readonly Committed[] }

async function groupsOf(cluster: GroupCluster, brokerId: number, all: boolean): Promise<Draft[]> {
  const { errorCode, groups } = await cluster.ask(brokerId, listGroups, {})
  if (errorCode !== ErrorCode.NONE) {
    throw new Error(
      `broker ${brokerId} (${cluster.addressOf(brokerId)}) cannot list its groups: ${errorName(errorCode)}`,
    )
  }
  const shown = groups.filter(({ groupId }) => all || !isUndoGroup(groupId))
  const names = shown.filter(isOfConsumers).map(({ groupId }) => groupId)
  const [states, committed] = await Promise.all([
    statesOf(cluster, brokerId, names),
    committedBy(cluster, brokerId, names),
  ])
  return shown.map(({ groupId, groupState, groupType }) => ({
    groupId,
    type: groupType === '' ? 'classic' : groupType.toLowerCase(),
    state: states.get(groupId)?.state ?? groupState,
    members: states.get(groupId)?.members.length ?? null,
    committed: committed.get(groupId) ?? [],
  }))
}

/** Share groups and groups of streams keep their offsets elsewhere. */
const isOfConsumers = ({ groupType }: { readonly groupType: string }): boolean =>
  ['', 'classic', 'consumer'].includes(groupType.toLowerCase())

function lagOf(committed: readonly Committed[], ends: ReadonlyMap<string, number>): number | null {
  const lags = committed.flatMap((each) => {
    const end = ends.get(nameOf(each))
    return end === undefined ? [] : [Math.max(0, end - each.offset)]
  })
  return lags.length === 0 ? null : lags.reduce((sum, lag) => sum + lag, 0)
}
