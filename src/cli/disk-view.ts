// The report of a data folder's disk use, for a person to read.

import { rateStepMs } from '../storage/disk/append-rates.ts'
import type { DiskReport, NextRemoval, TopicUse } from '../storage/disk/disk-report.ts'
import { forecast } from '../storage/disk/forecast.ts'
import { type Column, table } from './table.ts'

export interface ViewOptions {
  readonly folder: string
  readonly nowMs: number
  /** Null: it cannot be told. */
  readonly running: boolean | null
  /** Rows of what goes next. */
  readonly nextMax: number
}

export function diskView(report: DiskReport, options: ViewOptions): string[] {
  const { limits, usedBytes, internalBytes, volume } = report
  const bound = limits === null ? 'no budget is set' : `of a budget of ${bytesText(limits.limitBytes)}`
  const lines = [`${options.folder}: ${bytesText(usedBytes)} used, ${bound}`, `  ${ageLine(report, options)}`]
  const ordinaryBytes = usedBytes - internalBytes
  if (limits === null) {
    lines.push(`  topics    ${bytesText(ordinaryBytes)}`, `  internal  ${bytesText(internalBytes)}`)
  } else {
    const begins = `the oldest records go from ${bytesText(limits.startBytes)} on`
    lines.push(
      `  topics    ${bytesText(ordinaryBytes)}; ${begins}, appends are refused at ${bytesText(limits.hardBytes)}`,
      `  reserved  ${bytesText(limits.reservedBytes)}, of which ${bytesText(internalBytes)} are used: metadata, offsets, transactions, the spare file`,
    )
  }
  if (volume !== null) {
    lines.push(`  volume    ${bytesText(volume.freeBytes)} free of ${bytesText(volume.totalBytes)}`)
  }
  lines.push(`Forecast: ${forecastText(report)}`, '')
  lines.push(...table(topicColumns(options.nowMs), report.topics))
  if (report.smallerTopics > 0) lines.push(`and ${report.smallerTopics} smaller topics`)
  const next = report.next.slice(0, options.nextMax)
  if (limits !== null && next.length > 0) {
    lines.push('', 'What goes next when the budget is used up:', ...table(nextColumns(options.nowMs), next))
  }
  return lines
}

export function forecastText(report: DiskReport): string {
  const rate = Math.max(report.rate.minute, report.rate.hour)
  const atThisRate = `at this rate (${bytesText(rate)}/s)`
  const found = forecast(report)
  switch (found.kind) {
    case 'still':
      return 'nothing is appended'
    case 'fills':
      return `the ${found.what} is full in ${durationText(found.inMs)} ${atThisRate}`
    case 'turnsOver':
      return `the budget is full; ${atThisRate} records live for ${durationText(found.lifeMs)}`
    case 'full':
      return found.what === 'volume'
        ? 'the volume is full: producers are refused until there is room'
        : 'the budget is full, and nothing that is there may be deleted: producers are refused'
  }
}

function ageLine({ writtenAtMs }: DiskReport, { nowMs, running }: ViewOptions): string {
  const ageMs = Math.max(0, nowMs - writtenAtMs)
  const age = `as of ${durationText(ageMs)} ago`
  if (running === null) return age
  if (!running) return `${age}; no broker is running`
  // A broker writes a report when there is something new to say.
  return ageMs > 3 * rateStepMs
    ? `${age}, nothing has changed since; a broker is running`
    : `${age}; a broker is running`
}

function topicColumns(nowMs: number): readonly Column<TopicUse>[] {
  return [
    { title: 'TOPIC', text: ({ topic }) => topic },
    { title: 'SIZE', number: true, text: ({ bytes }) => bytesText(bytes) },
    { title: 'PARTITIONS', number: true, text: ({ partitions }) => String(partitions) },
    { title: 'SEGMENTS', number: true, text: ({ segments }) => String(segments) },
    {
      title: 'OLDEST',
      number: true,
      text: ({ oldestRecordMs }) => (oldestRecordMs === null ? '-' : durationText(Math.max(0, nowMs - oldestRecordMs))),
    },
    { title: 'WEIGHT', number: true, text: ({ weight }) => String(weight) },
    { title: 'POLICY', text: ({ policy }) => policy },
    { title: 'LAST MIN', number: true, text: ({ rate }) => `${bytesText(rate.minute)}/s` },
    { title: 'LAST H', number: true, text: ({ rate }) => `${bytesText(rate.hour)}/s` },
  ]
}

function nextColumns(nowMs: number): readonly Column<NextRemoval>[] {
  return [
    { title: 'LOG', text: ({ log }) => log },
    { title: 'OFFSETS', text: ({ baseOffset, endOffset }) => `${baseOffset} to ${endOffset - 1}` },
    { title: 'SIZE', number: true, text: ({ bytes }) => bytesText(bytes) },
    { title: 'AGE', number: true, text: ({ newestRecordMs }) => durationText(Math.max(0, nowMs - newestRecordMs)) },
    { title: 'WEIGHT', number: true, text: ({ weight }) => String(weight) },
    { title: '', text: ({ active }) => (active ? 'is sealed first' : '') },
  ]
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `1.4 GiB` */
export function bytesText(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`
}

const spans = [
  ['y', 31_536_000_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** `2 d 4 h`: the two greatest units that say something. */
export function durationText(ms: number): string {
  const first = spans.findIndex(([, span]) => ms >= span)
  if (first < 0) return '0 s'
  const [unit, span] = spans[first]!
  const next = spans[first + 1]
  const whole = Math.floor(ms / span)
  const rest = next === undefined ? 0 : Math.floor((ms - whole * span) / next[1])
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next![0]}`
}
