// How `odradek verify` says what it found: a line for each finding and a summary for people, one object for programs, a line that moves
// while it works.

import { styleText } from 'node:util'
import { type Finding, severities, type Severity } from '../storage/verify/finding.ts'
import type { Progress, Verified } from '../storage/verify/verify-directory.ts'

const labels: Readonly<Record<Severity, string>> = {
  damage: 'damage',
  tornTail: 'torn tail',
  repairable: 'repairable',
  leftover: 'leftover',
  notice: 'notice',
}

const colors = { damage: 'red', tornTail: 'yellow', repairable: 'yellow', leftover: 'gray', notice: 'cyan' } as const

/** `damage      orders-0/00000000000000000000.log, byte 1234, offset 42: what is wrong; what it means` */
export function findingLine({ severity, file, position, offset, what, meaning }: Finding, colored: boolean): string {
  const label = labels[severity].padEnd(11)
  const place = [file.replace(/\/$/, '')]
  if (position !== null) place.push(`byte ${position}`)
  if (offset !== null) place.push(`offset ${offset}`)
  return `${colored ? styleText(colors[severity], label, { validateStream: false }) : label} ${place.join(', ')}: ${what}; ${meaning}`
}

/** What was looked at, how fast, and how many findings there are of each kind. */
export function summaryLines(verified: Verified, seconds: number): string[] {
  const { logs, segments, batches, records, bytes, counts, clean, notListed } = verified
  const lines = [
    `${counted(logs, 'log')}, ${counted(segments, 'segment')}, ${counted(batches, 'batch')}, ` +
      `${counted(records, 'record')}, ${inBytes(bytes)} in ${seconds.toFixed(1)} s (${inBytes(bytes / seconds)}/s)`,
  ]
  if (!clean) lines.push('the folder was not closed properly: the next start recovers its logs')
  if (notListed > 0) lines.push(`${counted(notListed, 'finding')} more, of logs that have too many, not listed`)
  const found = severities
    .filter((severity) => counts[severity] > 0)
    .map((severity) => `${counts[severity]} ${labels[severity]}`)
  lines.push(found.length === 0 ? 'nothing is wrong' : `found: ${found.join(', ')}`)
  return lines
}

/** A line on a terminal that is written over again and again. */
export class ProgressLine {
  readonly #output: NodeJS.WriteStream
  readonly #startedAt: number
  #shownAt = 0

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
    this.#startedAt = performance.now()
  }

  show({ bytes, bytesTotal, logs, logsTotal }: Progress): void {
    const now = performance.now()
    if (now - this.#shownAt < 100) return
    this.#shownAt = now
    const rate = inBytes((bytes * 1000) / (now - this.#startedAt))
    const part = bytesTotal === 0 ? 100 : Math.floor((100 * bytes) / bytesTotal)
    this.#write(`${part}% of ${inBytes(bytesTotal)}, ${logs} of ${counted(logsTotal, 'log')}, ${rate}/s`)
  }

  clear(): void {
    this.#write('')
  }

  #write(text: string): void {
    this.#output.write(`\r\u001b[K${text}`)
  }
}

function counted(count: number, what: string): string {
  const plural = what.endsWith('ch') ? `${what}es` : `${what}s`
  return `${count.toLocaleString('en')} ${count === 1 ? what : plural}`
}

function inBytes(bytes: number): string {
  let value = bytes
  for (const unit of ['bytes', 'kB', 'MB', 'GB', 'TB']) {
    if (value < 1000 || unit === 'TB') return `${unit === 'bytes' ? Math.round(value) : value.toFixed(1)} ${unit}`
    value /= 1000
  }
  return `${bytes}`
}
