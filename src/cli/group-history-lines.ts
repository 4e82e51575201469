// Rebalances and happenings of a group for people, the newest first.

import { shortId, spanWords } from '../coordinators/groups/history/happening-words.ts'
import type { ReportedHistory } from './group-report.ts'
import { counted, momentText, numberText, partitionsText } from './group-words.ts'
import { wrapped } from './table.ts'

/** Sentences are broken there, in wider terminals too. */
const widthMax = 110
/** Members told of one rebalance whose partitions changed. */
const changesShown = 10

export interface HistoryOptions {
  readonly nowMs: number
  /** Rebalances shown. */
  readonly last: number
  /** All happenings too. */
  readonly happenings: boolean
  /** Characters the terminal has room for in a line. */
  readonly width: number
}

export function historyLines(history: ReportedHistory | null, options: HistoryOptions): string[] {
  if (history === null) return ['', 'this broker keeps no history of its groups']
  const width = Math.min(options.width, widthMax)
  return [
    ...rebalancesLines(history.rebalances, options, width),
    ...(options.happenings ? happeningsLines(history.happenings, options, width) : []),
  ]
}

function rebalancesLines(
  rebalances: ReportedHistory['rebalances'],
  { last, nowMs }: HistoryOptions,
  width: number,
): string[] {
  if (last === 0) return []
  if (rebalances.length === 0) {
    return [
      '',
      ...wrapped(
        'no rebalance is remembered: the coordinator remembers what happened since it became one',
        width,
        '  ',
      ),
    ]
  }
  const newest = rebalances.slice(-last).toReversed()
  return ['', 'last rebalances, the newest first:', ...newest.flatMap((each) => rebalanceLines(each, nowMs, width))]
}

function happeningsLines(
  happenings: ReportedHistory['happenings'],
  { nowMs }: HistoryOptions,
  width: number,
): string[] {
  return [
    '',
    'what happened, the newest first:',
    ...happenings.toReversed().flatMap((each) => {
      const again =
        each.times > 1 ? ` (${numberText(each.times)} times until ${momentText(each.lastTimeMs, nowMs)})` : ''
      return wrapped(`  ${momentText(each.timeMs, nowMs)}  ${each.words}${again}`, width, '    ')
    }),
  ]
}

type ReportedRebalance = ReportedHistory['rebalances'][number]

function rebalanceLines(rebalance: ReportedRebalance, nowMs: number, width: number): string[] {
  const { startTimeMs, causes, moreCauses, changes, moreChanges } = rebalance
  const [cause = 'nobody said why', ...further] = causes
  const more = changes.length - changesShown + moreChanges
  return [
    `  ${momentText(startTimeMs, nowMs)}  ${courseWords(rebalance)}`,
    ...wrapped(`    because ${cause}`, width, '      '),
    ...further.flatMap((each) => wrapped(`    and ${each}`, width, '      ')),
    ...(moreCauses > 0 ? [`    and ${numberText(moreCauses)} more`] : []),
    ...changes.slice(0, changesShown).flatMap((change) => wrapped(`      ${changeWords(change)}`, width, '        ')),
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
