// The story of a failing run, for a person who was not there: what the cluster was, what befell it, what became of the partition
// concerned, what the clients were told, and which two facts cannot both be. Short: what matters least is left out first.

import type { Millis } from '../src/io/clock.ts'

/** Something that happened, in words. */
export interface Happening {
  /** Simulated, from the beginning of the run on. */
  readonly atMs: Millis
  readonly who: string
  readonly what: string
}

export interface StoryParts {
  readonly seed: number
  /** One line: brokers, etcd, topics, workloads. */
  readonly cluster: string
  readonly rule: string
  /** What contradicts what. */
  readonly contradiction: readonly string[]
  readonly failedAtMs: Millis
  /** Faults in the order of time. */
  readonly faults: readonly Happening[]
  /** How many there were before the run was made smaller; the same when it was not. */
  readonly faultsBefore: number
  /** `orders-3`; null: the rule is about no single one. */
  readonly partition: string | null
  readonly partitionHistory: readonly Happening[]
  readonly clientHistory: readonly Happening[]
  /** What repeats it. */
  readonly command: string
}

const linesMax = 60
const widthMax = 160
/** Of the lines that do not depend on the lists, blank ones and headings included. */
const frameLines = 16

/** At most 60 lines. */
export function storyOf(parts: StoryParts): string[] {
  const { seed, cluster, rule, contradiction, failedAtMs, faults, faultsBefore, partition, command } = parts
  const room = linesMax - frameLines - Math.min(contradiction.length, 8)
  const [ofFaults, ofPartition, ofClients] = shares(room, [
    faults.length,
    parts.partitionHistory.length,
    parts.clientHistory.length,
  ])
  const smaller = faultsBefore > faults.length ? `, ${faultsBefore} before it was made smaller` : ''
  const lines = [
    `Seed ${seed} breaks a rule after ${seconds(failedAtMs)} s: ${rule}`,
    ...contradiction.slice(0, 8).map((fact) => `  ${fact}`),
    '',
    `The cluster: ${cluster}`,
    '',
    faults.length === 0
      ? 'No fault is needed for it.'
      : `What befell it (${counted(faults.length, 'fault')}${smaller}):`,
    ...told(faults, ofFaults!, 'first'),
  ]
  if (parts.partitionHistory.length > 0) {
    lines.push(
      '',
      `What became of ${partition ?? 'the partitions'}:`,
      ...told(parts.partitionHistory, ofPartition!, 'last'),
    )
  }
  if (parts.clientHistory.length > 0) {
    lines.push('', 'What clients were told:', ...told(parts.clientHistory, ofClients!, 'last'))
  }
  lines.push('', `Again: ${command}`)
  return lines.map((line) => (line.length > widthMax ? `${line.slice(0, widthMax - 1)}…` : line))
}

function told(happenings: readonly Happening[], linesOfIt: number, keep: 'first' | 'last'): string[] {
  const isTooLong = happenings.length > linesOfIt
  const count = isTooLong ? linesOfIt - 1 : happenings.length
  const kept = keep === 'first' ? happenings.slice(0, count) : happenings.slice(happenings.length - count)
  const lines = kept.map(({ atMs, who, what }) => `  ${seconds(atMs).padStart(8)}  ${who}: ${what}`)
  if (!isTooLong) return lines
  const left = `  ${' '.repeat(8)}  (${happenings.length - count} more)`
  return keep === 'first' ? [...lines, left] : [left, ...lines]
}

/** Who needs little gets it all; the others share the rest. */
function shares(room: number, wanted: readonly number[]): number[] {
  const given = wanted.map(() => 0)
  let left = room
  for (;;) {
    const wanting = wanted.flatMap((want, i) => (given[i]! < want ? [i] : []))
    if (wanting.length === 0 || left < wanting.length) return given
    const each = Math.floor(left / wanting.length)
    for (const i of wanting) {
      const more = Math.min(each, wanted[i]! - given[i]!)
      given[i] = given[i]! + more
      left -= more
    }
  }
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`
}

function seconds(ms: Millis): string {
  return (ms / 1000).toFixed(3)
}
