// Groups for people: a list of them, and one of them with all there is to say.

import { shortId, spanWords } from '../coordinators/groups/history/happening-words.ts'
import type { GroupMember } from './group-members.ts'
import type { GroupReport, ListedGroup, ReportedHistory, ReportedPartition } from './group-report.ts'
import {
  type Column,
  counted,
  momentText,
  numberText,
  partitionsText,
  table,
  topicsText,
  wrapped,
} from './group-words.ts'

const widthMax = 110
/** Members told of one rebalance whose partitions changed. */
const changesShown = 10

export function listLines(groups: readonly ListedGroup[]): string[] {
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
  )
}

export interface DescribeOptions {
  readonly nowMs: number
  /** Rebalances shown. */
  readonly last: number
  /** All happenings too. */
  readonly happenings: boolean
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
    `group ${groupId}: ${about.join(', ')}`,
    `coordinated by broker ${coordinator.brokerId} (${coordinator.address})`,
    ...membersLines(members),
    ...partitionLines(report),
    ...historyLines(report.history, options),
  ]
}

const columnsOfMembers: readonly Column<GroupMember>[] = [
  { title: 'MEMBER', text: (member) => shortIdOf(member) },
  { title: 'CLIENT', text: ({ clientId }) => clientId },
  { title: 'HOST', text: ({ host }) => host },
  { title: 'INSTANCE', text: ({ instanceId }) => instanceId ?? '' },
  { title: 'READS', text: (member) => readsText(member) },
]

function membersLines(members: readonly GroupMember[]): string[] {
  return members.length === 0 ? [] : ['', ...table(columnsOfMembers, members)]
}

function readsText({ assigned, awaited }: GroupMember): string {
  if (assigned === null) return 'its own affair: no protocol of consumers'
  const has = assigned.length === 0 ? 'nothing' : partitionsText(assigned)
  return awaited.length === 0 ? has : `${has} (waits for ${partitionsText(awaited)})`
}

/** Enough to tell members apart; the whole id is in --json. */
const shortIdOf = ({ memberId, clientId, instanceId }: GroupMember): string =>
  shortId({ clientId, groupInstanceId: instanceId }, memberId)

function partitionLines({ partitions, members, lag, behindMs }: GroupReport): string[] {
  if (partitions.length === 0) return ['', 'it has committed no offsets']
  const owners = new Map(
    members.map((member) => [member.memberId, `${member.instanceId ?? member.clientId} ${shortIdOf(member)}`]),
  )
  const columns: readonly Column<ReportedPartition>[] = [
    { title: 'PARTITION', text: ({ topic, partition }) => `${topic}-${partition}` },
    { title: 'COMMITTED', number: true, text: ({ committed }) => (committed === null ? '-' : numberText(committed)) },
    { title: 'END', number: true, text: ({ end }) => (end === null ? '?' : numberText(end)) },
    { title: 'LAG', number: true, text: (row) => (row.lag === null ? '-' : numberText(row.lag)) },
    { title: 'BEHIND', number: true, text: (row) => (row.behindMs === null ? '-' : behindText(row.behindMs)) },
    { title: 'MISSED', number: true, text: ({ missed }) => (missed === 0 ? '' : numberText(missed)) },
    { title: 'READ BY', text: ({ owner }) => (owner === null ? '' : (owners.get(owner) ?? owner)) },
  ]
  const missed = partitions.reduce((sum, each) => sum + each.missed, 0)
  const oldest = behindMs === null || lag === 0 ? '' : `, the oldest of them has been there for ${spanWords(behindMs)}`
  return [
    '',
    ...table(columns, partitions),
    lag === 0 ? 'nothing is unread' : `${counted(lag, 'record')} not read${oldest}`,
    ...(missed === 0 ? [] : [`${counted(missed, 'record')} were deleted before the group had read them`]),
  ]
}

/** In seconds for as long as they say something, so that rows can be compared at a glance. */
const behindText = (ms: number): string => (ms < 7_200_000 ? `${numberText(Math.round(ms / 1000))} s` : spanWords(ms))

function historyLines(history: ReportedHistory | null, { nowMs, last, happenings }: DescribeOptions): string[] {
  if (history === null) return ['', 'this broker keeps no history of its groups']
  const rebalances = history.rebalances.slice(-last)
  const lines =
    rebalances.length === 0
      ? ['', 'no rebalance is remembered: the coordinator remembers what happened since it became one']
      : [
          '',
          'last rebalances, the newest first:',
          ...rebalances.toReversed().flatMap((each) => rebalanceLines(each, nowMs)),
        ]
  if (!happenings) return lines
  return [
    ...lines,
    '',
    'what happened, the newest first:',
    ...history.happenings.toReversed().flatMap((each) => {
      const again =
        each.times > 1 ? ` (${numberText(each.times)} times until ${momentText(each.lastTimeMs, nowMs)})` : ''
      return wrapped(`  ${momentText(each.timeMs, nowMs)}  ${each.words}${again}`, widthMax, '    ')
    }),
  ]
}

type ReportedRebalance = ReportedHistory['rebalances'][number]

function rebalanceLines(rebalance: ReportedRebalance, nowMs: number): string[] {
  const { startTimeMs, causes, moreCauses, changes, moreChanges } = rebalance
  const [cause = 'nobody said why', ...further] = causes
  const more = changes.length - changesShown + moreChanges
  return [
    `  ${momentText(startTimeMs, nowMs)}  ${courseWords(rebalance)}`,
    ...wrapped(`    because ${cause}`, widthMax, '      '),
    ...further.flatMap((each) => wrapped(`    and ${each}`, widthMax, '      ')),
    ...(moreCauses > 0 ? [`    and ${counted(moreCauses, 'thing')} more`] : []),
    ...changes
      .slice(0, changesShown)
      .flatMap((change) => wrapped(`      ${changeWords(change)}`, widthMax, '        ')),
    ...(more > 0 ? [`      and the partitions of ${counted(more, 'member')} more changed`] : []),
  ]
}

function courseWords({ outcome, durationMs, epoch, protocol, membersBefore, membersAfter }: ReportedRebalance): string {
  if (outcome === 'running') return 'is still going on'
  if (outcome === 'interrupted') return 'was cut short: the coordinator moved or began anew'
  if (membersAfter === 0) return `nobody is left: epoch ${epoch}`
  const before = membersBefore < 0 ? '' : `${numberText(membersBefore)} -> `
  const assignor = protocol === null || protocol === '' ? '' : `, ${protocol}`
  return `took ${spanWords(durationMs)}: members ${before}${numberText(membersAfter)}, epoch ${epoch}${assignor}`
}

function changeWords({ member, gained, lost }: ReportedRebalance['changes'][number]): string {
  const parts = [
    ...(gained.names.length > 0 ? [`+ ${namesText(gained)}`] : []),
    ...(lost.names.length > 0 ? [`- ${namesText(lost)}`] : []),
  ]
  return `${member.groupInstanceId ?? member.clientId} ${shortId(member, member.memberId)}: ${parts.length === 0 ? 'as before' : parts.join('  ')}`
}

function namesText({ names, more }: { readonly names: readonly string[]; readonly more: number }): string {
  const partitions = names.map((name) => {
    const dash = name.lastIndexOf('-')
    return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
  })
  return more === 0 ? partitionsText(partitions) : `${partitionsText(partitions)} and ${more} more`
}
