// Numbers, times and lists as `odradek group` prints them.

import type { TopicPartition } from './group-cluster.ts'

/** `1,240` */
export const numberText = (count: number): string => count.toLocaleString('en')

/** `1,240 records` */
export const counted = (count: number, what: string): string => `${numberText(count)} ${what}${count === 1 ? '' : 's'}`

const two = (value: number): string => String(value).padStart(2, '0')

const dateText = (date: Date): string => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`

const timeText = (date: Date): string => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`

/** `09:12:05` on the day of `nowMs`, else `2026-07-24 09:12:05`; in the time zone of whoever reads it. */
export function momentText(ms: number, nowMs: number): string {
  const date = new Date(ms)
  return dateText(date) === dateText(new Date(nowMs)) ? timeText(date) : `${dateText(date)} ${timeText(date)}`
}

/** `09:12 to 09:31`: to the minute, or to the second where that is the same; with dates unless both are of today. */
export function rangeText(fromMs: number, toMs: number, nowMs: number): string {
  const from = new Date(fromMs)
  const to = new Date(toMs)
  const today = dateText(new Date(nowMs))
  const oneMinute = dateText(from) === dateText(to) && timeText(from).slice(0, 5) === timeText(to).slice(0, 5)
  const timeOf = (date: Date): string => (oneMinute ? timeText(date) : timeText(date).slice(0, 5))
  const fromDay = dateText(from) === today && dateText(to) === today ? '' : `${dateText(from)} `
  if (oneMinute && timeText(from) === timeText(to)) return `${fromDay}${timeOf(from)}`
  const toDay = dateText(to) === dateText(from) ? '' : `${dateText(to)} `
  return `${fromDay}${timeOf(from)} to ${toDay}${timeOf(to)}`
}

/** `0-2, 5` */
export function numbersText(numbers: readonly number[]): string {
  const runs: [number, number][] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] + 1 === number) last[1] = number
    else runs.push([number, number])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

/** `orders 0-2, 5; payments 0` */
export function partitionsText(partitions: readonly TopicPartition[]): string {
  const topics = Map.groupBy(partitions, ({ topic }) => topic)
  return Array.from(topics, ([topic, of]) => `${topic} ${numbersText(of.map(({ partition }) => partition))}`).join('; ')
}

/** `orders, payments +3` */
export function topicsText(topics: readonly string[], max = 3): string {
  const shown = topics.slice(0, max).join(', ')
  return topics.length > max ? `${shown} +${topics.length - max}` : shown
}

export interface Column<Row> {
  readonly title: string
  /** Numbers are aligned to the right. */
  readonly number?: boolean
  readonly text: (row: Row) => string
}

/** Columns in which no row has anything to say are left out. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], indent = ''): string[] {
  const filled = columns.filter(({ text }) => rows.some((row) => text(row) !== ''))
  const cells = rows.map((row) => filled.map(({ text }) => text(row)))
  const widths = filled.map(({ title }, at) => Math.max(title.length, ...cells.map((row) => row[at]!.length)))
  return [filled.map(({ title }) => title), ...cells].map((row) => {
    const padded = row.map((cell, at) =>
      filled[at]!.number === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!),
    )
    return `${indent}${padded.join('  ').trimEnd()}`
  })
}

/** Lines of at most `width` characters, broken at spaces; those after the first begin with `indent`. A longer word stays whole. */
export function wrapped(text: string, width: number, indent: string): string[] {
  const [first, ...words] = text.trimStart().split(' ')
  const lines: string[] = []
  let line = text.slice(0, text.length - text.trimStart().length) + first!
  for (const word of words) {
    if (line.length + 1 + word.length <= width) {
      line += ` ${word}`
    } else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line]
}
