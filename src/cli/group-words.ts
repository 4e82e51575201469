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

/** `0-2, 5`, and of more than `runsMax` runs `0-2, 5 and 12 more`. */
export function numbersText(numbers: readonly number[], runsMax = Infinity): string {
  const runs: [number, number][] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] + 1 === number) last[1] = number
    else runs.push([number, number])
  }
  const shown = runs.slice(0, runsMax)
  const more = runs.slice(shown.length).reduce((sum, [from, to]) => sum + to - from + 1, 0)
  const text = shown.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
  return more === 0 ? text : `${text} and ${numberText(more)} more`
}

/** `orders 0-2, 5; payments 0`: of each topic `runsMax` runs. */
export function partitionsText(partitions: readonly TopicPartition[], runsMax = Infinity): string {
  const topics = Map.groupBy(partitions, ({ topic }) => topic)
  return Array.from(topics, ([topic, of]) => {
    const numbers = of.map(({ partition }) => partition)
    return `${topic} ${numbersText(numbers, runsMax)}`
  }).join('; ')
}

/** `orders, payments +3` */
export function topicsText(topics: readonly string[], max = 3): string {
  const shown = topics.slice(0, max).join(', ')
  return topics.length > max ? `${shown} +${topics.length - max}` : shown
}
