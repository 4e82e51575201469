// What `odradek group list` and `odradek group describe` make of a cluster's answers.

import type { DescribeGroupHistoryResponse } from '../protocol/apis/describe-group-history.ts'
import { nameOf, type TopicPartition } from './group-cluster.ts'
import { type GroupMember, type GroupState, nameOfMember } from './group-members.ts'
import { type Committed, inOrder } from './group-offsets.ts'

export interface ListedGroup {
  readonly groupId: string
  /** `classic`, `consumer`, `share`, `streams`. */
  readonly type: string
  readonly state: string
  /** Null for groups of other kinds than a consumer's. */
  readonly members: number | null
  /** Those it has committed offsets for. */
  readonly topics: readonly string[]
  /** Records that are there and not read, of all partitions it has committed an offset for; null when that cannot be told. */
  readonly lag: number | null
}

export interface ReportedPartition extends TopicPartition {
  /** Null when nothing is. */
  readonly committed: number | null
  /** Null when the partition has no leader, or is no more. */
  readonly end: number | null
  /** Null without a committed offset or an end. */
  readonly lag: number | null
  /** How long the oldest of the records that are not read has been there. 0 without lag; null when it cannot be told. */
  readonly behindMs: number | null
  /** Records that were deleted before the group had read them. */
  readonly missed: number
  /** Its member's id; null when nobody reads it. */
  readonly owner: string | null
}

export type ReportedHistory = Pick<DescribeGroupHistoryResponse['groups'][number], 'rebalances' | 'happenings'>

export interface GroupReport extends Omit<GroupState, 'members'> {
  readonly coordinator: { readonly brokerId: number; readonly address: string }
  readonly members: readonly GroupMember[]
  readonly partitions: readonly ReportedPartition[]
  /** Of partitions with a committed offset. */
  readonly lag: number
  /** Of the partition that is farthest behind in time; null when none can be told. */
  readonly behindMs: number | null
  /** Null: this broker keeps none. */
  readonly history: ReportedHistory | null
}

export interface GroupAnswers {
  readonly state: GroupState
  readonly coordinator: GroupReport['coordinator']
  readonly committed: readonly Committed[]
  /** By name of the partition. */
  readonly bounds: ReadonlyMap<string, { readonly start: number; readonly end: number }>
  /** When the first record that is not read was written, by name of the partition. */
  readonly unreadSince: ReadonlyMap<string, number>
  readonly history: ReportedHistory | null
  readonly nowMs: number
}

/** All partitions of interest: those with a committed offset, and those a member reads. */
export function partitionsOfInterest(state: GroupState, committed: readonly Committed[]): TopicPartition[] {
  const all = new Map<string, TopicPartition>()
  for (const { topic, partition } of [...committed, ...state.members.flatMap(({ assigned }) => assigned ?? [])]) {
    all.set(nameOf({ topic, partition }), { topic, partition })
  }
  return [...all.values()].toSorted(inOrder)
}

export function reportOf(answers: GroupAnswers): GroupReport {
  const { state, coordinator, committed, history } = answers
  const offsets = new Map(committed.map((each) => [nameOf(each), each.offset]))
  const owners = new Map(
    state.members.flatMap(({ memberId, assigned }) => (assigned ?? []).map((each) => [nameOf(each), memberId])),
  )
  const partitions = partitionsOfInterest(state, committed).map((place) => {
    const name = nameOf(place)
    return reportedPartition(place, offsets.get(name) ?? null, owners.get(name) ?? null, answers)
  })
  const told = partitions.flatMap(({ behindMs }) => (behindMs === null ? [] : [behindMs]))
  return {
    ...state,
    members: state.members.toSorted(byName),
    coordinator,
    partitions,
    lag: partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
    behindMs: told.length === 0 ? null : Math.max(...told),
    history,
  }
}

function reportedPartition(
  place: TopicPartition,
  committed: number | null,
  owner: string | null,
  { bounds, unreadSince, nowMs }: GroupAnswers,
): ReportedPartition {
  const name = nameOf(place)
  const bound = bounds.get(name)
  const at = { ...place, committed, owner }
  if (committed === null || bound === undefined) {
    return { ...at, end: bound?.end ?? null, lag: null, behindMs: null, missed: 0 }
  }
  const lag = Math.max(0, bound.end - committed)
  const since = unreadSince.get(name)
  const behindMs = since === undefined ? null : Math.max(0, nowMs - since)
  const missed = Math.max(0, Math.min(bound.start, bound.end) - committed)
  return { ...at, end: bound.end, lag, behindMs: lag === 0 ? 0 : behindMs, missed }
}

/** As people count: `worker-2` before `worker-10`. */
const collator = new Intl.Collator('en', { numeric: true })

const byName = (a: GroupMember, b: GroupMember): number =>
  collator.compare(nameOfMember(a), nameOfMember(b)) || (a.memberId < b.memberId ? -1 : 1)
