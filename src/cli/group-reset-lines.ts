// What a reset would do, in words: a line for each topic, and a row for each partition that moves.

import { nameOf } from './group-cluster.ts'
import type { Move, OffsetRange, ResetPlan } from './group-reset-plan.ts'
import { counted, numberText, rangeText } from './group-words.ts'
import { type Column, table } from './table.ts'

/** When the first and the last record of a range were written, by name of the partition; left out where that cannot be told. */
export interface RangeTimes {
  readonly first: ReadonlyMap<string, number>
  readonly last: ReadonlyMap<string, number>
}

export interface PlanTimes {
  readonly reReads: RangeTimes
  readonly skips: RangeTimes
}

const rowsMax = 40

export function planLines(plan: ResetPlan, times: PlanTimes, nowMs: number): string[] {
  const { moves, unchanged, leftAlone } = plan
  const topics = Map.groupBy(moves, ({ topic }) => topic)
  const shown = moves.slice(0, rowsMax)
  return [
    ...Array.from(topics, ([topic, ofTopic]) => topicLine(topic, ofTopic, times, nowMs)),
    ...(moves.length === 0 ? [] : ['', ...table(columns, shown, { indent: '  ' })]),
    ...(moves.length > rowsMax
      ? [`  and ${counted(moves.length - rowsMax, 'partition')} more (--json lists them all)`]
      : []),
    ...(unchanged.length === 0 ? [] : ['', `${counted(unchanged.length, 'partition')} already there`]),
    ...(leftAlone.length === 0 ? [] : ['', 'left alone:']),
    ...leftAlone.map(({ why, ...place }) => `  ${nameOf(place)}: ${why}`),
  ]
}

/** `orders: re-reads 1,240 records, 09:12 to 09:31; skips 0` */
function topicLine(topic: string, moves: readonly Move[], times: PlanTimes, nowMs: number): string {
  const begun = moves.filter(({ from }) => from === null).length
  const taken = moves.filter(({ to }) => to === null).length
  const moved = moves.length - begun - taken
  const parts = [
    ...(moved === 0
      ? []
      : [
          `re-reads ${recordsText(moves, ({ reReads }) => reReads, times.reReads, nowMs)}`,
          `skips ${recordsText(moves, ({ skips }) => skips, times.skips, nowMs)}`,
        ]),
    ...(begun === 0
      ? []
      : [`${counted(begun, 'partition')} without an offset ${begun === 1 ? 'gets one' : 'get one'}`]),
    ...(taken === 0
      ? []
      : [`${counted(taken, 'partition')} ${taken === 1 ? 'loses its' : 'lose their'} offset, as before`]),
  ]
  return `${topic}: ${parts.join('; ')}`
}

function recordsText(
  moves: readonly Move[],
  rangeOf: (move: Move) => OffsetRange | null,
  { first, last }: RangeTimes,
  nowMs: number,
): string {
  const ranges = moves.flatMap((move) => rangeOf(move) ?? [])
  const count = ranges.reduce((sum, { from, to }) => sum + to - from, 0)
  if (count === 0) return '0'
  const names = moves.filter((move) => rangeOf(move) !== null).map(nameOf)
  const known = (byName: ReadonlyMap<string, number>): number[] => names.flatMap((name) => byName.get(name) ?? [])
  const [begins, ends] = [known(first), known(last)]
  if (begins.length === 0 || ends.length === 0) return counted(count, 'record')
  const from = Math.min(...begins)
  return `${counted(count, 'record')}, ${rangeText(from, Math.max(from, ...ends), nowMs)}`
}

const columns: readonly Column<Move>[] = [
  { title: 'PARTITION', text: (move) => nameOf(move) },
  { title: 'FROM', number: true, text: ({ from }) => (from === null ? '-' : numberText(from)) },
  { title: 'TO', number: true, text: ({ to }) => (to === null ? '-' : numberText(to)) },
  {
    title: 'RE-READS',
    number: true,
    text: ({ reReads }) => numberText(reReads === null ? 0 : reReads.to - reReads.from),
  },
  { title: 'SKIPS', number: true, text: ({ skips }) => numberText(skips === null ? 0 : skips.to - skips.from) },
  { title: '', text: ({ meant, to }) => (meant === null || to === null ? '' : clampedText(meant, to)) },
]

const clampedText = (meant: number, to: number): string =>
  `${numberText(meant)} is ${meant < to ? 'before the first' : 'after the last'} record`
