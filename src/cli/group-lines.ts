// Groups for people: a list of them, and one of them with all there is to say.

import { shortId, spanWords } from '../coordinators/groups/history/happening-words.ts'
import { historyLines, type HistoryOptions } from './group-history-lines.ts'
import { type GroupMember, nameOfMember } from './group-members.ts'
import type { GroupReport, ListedGroup, ReportedPartition } from './group-report.ts'
import { counted, numberText, partitionsText, topicsText } from './group-words.ts'
import { type Column, table, wrapped } from './table.ts'

/** Of members and of partitions, unless all are asked for. */
const rowsMax = 50
/** Of neighbouring partitions of one topic that one member reads, unless all are asked for. */
const runsMax = 20

/** `width`: characters the terminal has room for in a line. */
export function listLines(groups: readonly ListedGroup[], width = Infinity): string[] {
  if (groups.length === 0) return ['no groups']
  return table(
    [
      { title: 'GROUP', text: ({ groupId }) => groupId },
      { title: 'PROTOCOL', text: ({ type }) => type },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'MEMBERS', number: true, text: ({ members }) => (members === null ? '-' : numberText(members)) },
      { title: 'LAG', number: true, text: ({ lag }) => (lag === null ? '-' : numberText(lag)) },
      { title: 'TOPICS', text: ({ topics }) => topicsText(topics) },
    ],
    groups,
    { width },
  )
}

export interface DescribeOptions extends HistoryOptions {
  /** All members and partitions, however many. */
  readonly full: boolean
}

export function describeLines(report: GroupReport, options: DescribeOptions): string[] {
  const { groupId, type, state, epoch, assignor, members, coordinator } = report
  const about = [
    `${type} protocol`,
    state,
    counted(members.length, 'member'),
    ...(epoch === null ? [] : [`epoch ${epoch}`]),
    ...(assignor === null ? [] : [`assigned by ${assignor}`]),
  ]
  return [
    ...wrapped(`group ${groupId}: ${about.join(', ')}`, options.width, '  '),
    `coordinated by broker ${coordinator.brokerId} (${coordinator.address})`,
    ...membersLines(report, options),
    ...partitionLines(report, options),
    ...historyLines(report.history, options),
  ]
}

const memberColumns = (type: string, runs: number): readonly Column<GroupMember>[] => [
  { title: 'MEMBER', text: (member) => shortIdOf(member) },
  { title: 'CLIENT', text: ({ clientId }) => clientId },
  { title: 'HOST', text: ({ host }) => host },
  { title: 'INSTANCE', text: ({ instanceId }) => instanceId ?? '' },
  { title: 'PROTOCOL', text: ({ protocol }) => (protocol === type ? '' : protocol) },
  { title: 'READS', text: (member) => readsText(member, runs) },
]

function membersLines({ type, members }: GroupReport, { full, width }: DescribeOptions): string[] {
  if (members.length === 0) return []
  const shown = full ? members : members.slice(0, rowsMax)
  const more = members.length - shown.length
  return [
    '',
    ...table(memberColumns(type, full ? Infinity : runsMax), shown, { width }),
    ...(more === 0 ? [] : [`and ${counted(more, 'member')} more (--full shows all)`]),
  ]
}

function readsText({ assigned, awaited }: GroupMember, runs: number): string {
  if (assigned === null) return 'its own affair: no protocol of consumers'
  const has = assigned.length === 0 ? 'nothing' : partitionsText(assigned, runs)
  return awaited.length === 0 ? has : `${has} (waits for ${partitionsText(awaited, runs)})`
}

/** Enough to tell members apart; the whole id is in --json. */
const shortIdOf = ({ memberId, clientId, instanceId }: GroupMember): string =>
  shortId({ clientId, groupInstanceId: instanceId }, memberId)

function partitionLines({ partitions, members, lag, behindMs }: GroupReport, options: DescribeOptions): string[] {
  if (partitions.length === 0) return ['', 'it has committed no offsets']
  const readers = readerNames(members)
  const columns: readonly Column<ReportedPartition>[] = [
    { title: 'PARTITION', text: ({ topic, partition }) => `${topic}-${partition}` },
    { title: 'COMMITTED', number: true, text: ({ committed }) => (committed === null ? '-' : numberText(committed)) },
    { title: 'END', number: true, text: ({ end }) => (end === null ? '?' : numberText(end)) },
    { title: 'LAG', number: true, text: (row) => (row.lag === null ? '-' : numberText(row.lag)) },
    { title: 'BEHIND', number: true, text: (row) => (row.behindMs === null ? '-' : behindText(row.behindMs)) },
    { title: 'MISSED', number: true, text: ({ missed }) => (missed === 0 ? '' : numberText(missed)) },
    { title: 'READ BY', text: ({ owner }) => (owner === null ? '' : (readers.get(owner) ?? owner)) },
  ]
  const shown = options.full ? partitions : farthestBehind(partitions)
  const more = partitions.length - shown.length
  const missed = partitions.reduce((sum, each) => sum + each.missed, 0)
  const oldest = behindMs === null || lag === 0 ? '' : `, the oldest of them has been there for ${spanWords(behindMs)}`
  return [
    '',
    ...table(columns, shown, { width: options.width }),
    ...(more === 0 ? [] : [`and ${counted(more, 'partition')} more, none farther behind (--full shows all)`]),
    lag === 0 ? 'nothing is unread' : `${counted(lag, 'record')} not read${oldest}`,
    ...(missed === 0 ? [] : [`${counted(missed, 'record')} were deleted before the group had read them`]),
  ]
}

/** By member id; with a part of the id where several members have one name. */
function readerNames(members: readonly GroupMember[]): ReadonlyMap<string, string> {
  const named = Map.groupBy(members, nameOfMember)
  return new Map(
    members.map((member) => {
      const name = nameOfMember(member)
      return [member.memberId, named.get(name)!.length === 1 ? name : `${name} ${shortIdOf(member)}`]
    }),
  )
}

/** Those nobody can read come first, then those that are behind in time, then in records. They keep their order. */
function farthestBehind(partitions: readonly ReportedPartition[]): readonly ReportedPartition[] {
  if (partitions.length <= rowsMax) return partitions
  const ranks = ({ end, behindMs, lag }: ReportedPartition): readonly number[] => [
    end === null ? 1 : 0,
    behindMs ?? 0,
    lag ?? 0,
  ]
  const worst = partitions.toSorted((a, b) => {
    const [ofA, ofB] = [ranks(a), ranks(b)]
    return ofB.map((rank, at) => rank - ofA[at]!).find((difference) => difference !== 0) ?? 0
  })
  const chosen = new Set(worst.slice(0, rowsMax))
  return partitions.filter((each) => chosen.has(each))
}

/** In seconds for as long as they say something, so that rows can be compared at a glance. */
const behindText = (ms: number): string => (ms < 7_200_000 ? `${numberText(Math.round(ms / 1000))} s` : spanWords(ms))
