// The report for people: what it was measured on, how to read it, what is not met, and a table for each section.

import type { PeerName } from '../peers/peer.ts'
import { digits } from './numbers.ts'
import { type Figure, figures, type Goal, type RowResult, type RunResult, sections } from './result.ts'
import { countOf, figureOf, type Outcome, type Spread, type Verdict, verdictOf } from './verdicts.ts'

export const peerTitles = { odradek: 'Odradek', kafka: 'Kafka', probe: 'probe' } as const satisfies Record<
  PeerName,
  string
>
const outcomes = ['met', 'NOT MET', 'not measured'] as const satisfies readonly Outcome[]

interface Line {
  readonly row: RowResult
  readonly verdict: Verdict
  /** A row with several goals says its title once. */
  readonly title: string
}

export function markdown(run: RunResult): string {
  const lines = run.rows.flatMap(linesOf)
  const missed = lines.filter(({ verdict }) => verdict.outcome === 'NOT MET')
  return [
    '# Odradek beside Apache Kafka',
    summary(lines),
    '![how many times better than Apache Kafka each figure is](results.svg)',
    '## How it was measured',
    setting(run),
    '## How to read it',
    reading(run),
    ...(missed.length === 0 ? [] : ['## Not met', goalTable(missed.map(withSection))]),
    ...sections.flatMap((section) => sectionOf(run.rows.filter((row) => row.section === section))),
  ]
    .join('\n\n')
    .concat('\n')
}

function linesOf(row: RowResult): Line[] {
  return row.goals.map((goal, index) => ({ row, verdict: verdictOf(row, goal), title: index === 0 ? row.title : '' }))
}

function summary(lines: readonly Line[]): string {
  const verdicts = lines.map(({ verdict }) => verdict)
  const [met, notMet, notMeasured] = outcomes.map((outcome) => countOf(verdicts, outcome))
  const unmeasured = notMeasured === 0 ? '' : `, ${notMeasured} could not be measured`
  const counted = sections.flatMap((section) => {
    const of = lines.filter(({ row }) => row.section === section).map(({ verdict }) => verdict)
    return of.length === 0 ? [] : [[section, ...outcomes.map((outcome) => String(countOf(of, outcome)))]]
  })
  return [
    `**${met} of ${verdicts.length} goals are met**, ${notMet} are not${unmeasured}. Written by \`npm run bench\`; results.json holds every round.`,
    table(['section', ...outcomes], counted),
  ].join('\n\n')
}

function setting({ startedAt, minutes, machine, versions }: RunResult): string {
  const peers = Object.entries(versions).map(([name, version]) => `${peerTitles[name as PeerName]} ${version}`)
  const disk = Object.entries(machine.disk).map(([name, value]) => `${name}: ${digits(value)}`)
  return [
    `- ${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${digits(minutes)} minutes`,
    `- ${machine.cores} cores of ${machine.processor}, ${machine.memoryGigabytes} GB of memory, Linux ${machine.kernel}, Node ${machine.node}`,
    ...(disk.length === 0 ? [] : [`- The disk itself, in the same run: ${disk.join('; ')}`]),
    `- ${peers.join('; ')}`,
  ].join('\n')
}

function reading({ rounds, secondsPerRound }: RunResult): string {
  return `Brokers and load share the machine. For each row the peers were measured in turn, ${rounds === 1 ? 'one round' : `${rounds} rounds`} of ${secondsPerRound} s or until 1.2 GB were
written (latency: twice as many rounds, three times as long; many connections: twice as many, six times as long; work of a given amount as long as it takes) after one that warmed up; a figure is the median of its rounds. **The ratio is Odradek's figure over the other's in the same round**, the median over the rounds; the spread is
the least and the most of them. Figures of another machine, or of this one on another day, differ; ratios differ less. "fsync": both
brokers have a record on the disk before they confirm it; "page cache": neither waits for the disk. CPU is that of the broker's processes,
user and system. Latency counts from when the load generator hands a record to its producer to when its consumer has it (many connections: to
its acknowledgement); by how much the generator itself came late is in results.json (\`lateP99Ms\`). The probe is no broker: it receives, takes the CRC-32C, appends to a file and answers, the least that any broker must do.`
}

function sectionOf(rows: readonly RowResult[]): string[] {
  if (rows.length === 0) return []
  const lines = rows.flatMap(linesOf)
  const free = rows.filter(({ goals }) => goals.length === 0)
  const failures = rows.flatMap(({ title, failures = {} }) =>
    Object.entries(failures).map(([peer, why]) => `- ${title}, ${peerTitles[peer as PeerName]}: ${oneLine(why)}`),
  )
  return [
    `## ${rows[0]!.section.replace(/^./, (letter) => letter.toUpperCase())}`,
    ...(lines.length === 0 ? [] : [goalTable(lines)]),
    ...(free.length === 0 ? [] : [freeTable(free)]),
    ...(failures.length === 0 ? [] : [`Failed:\n\n${failures.join('\n')}`]),
  ]
}

/** Titles are unique only within a section. */
function withSection({ row, verdict }: Line, index: number, lines: readonly Line[]): Line {
  const before = lines[index - 1]?.row
  return { row, verdict, title: before === row ? '' : `${row.section}: ${row.title}` }
}

function goalTable(lines: readonly Line[]): string {
  const head = ['', 'figure', 'Odradek', 'Kafka', 'probe', 'ratio', 'spread', 'goal', '']
  return table(
    head,
    lines.map(({ row, verdict: { goal, ratio, outcome }, title }) => [
      title,
      figures[goal.figure].unit,
      shown(figureOf(row, 'odradek', goal.figure)),
      ...(['kafka', 'probe'] as const).map((peer) => shown(figureOf(row, peer, goal.figure))),
      shown(ratio),
      spread(ratio),
      goalText(goal),
      outcome === 'met' ? 'met' : `**${outcome}**`,
    ]),
  )
}

/** Of rows without goals: all their figures, one a line. */
function freeTable(rows: readonly RowResult[]): string {
  return table(
    ['', 'figure', 'Odradek', 'Kafka', 'probe'],
    rows.flatMap((row) =>
      figuresOf(row).map((figure, index) => [
        index === 0 ? row.title : '',
        figures[figure].unit,
        ...(['odradek', 'kafka', 'probe'] as const).map((peer) => shown(figureOf(row, peer, figure))),
      ]),
    ),
  )
}

function figuresOf(row: RowResult): Figure[] {
  const samples = Object.values(row.samples).flat()
  return (Object.keys(figures) as Figure[]).filter((figure) => samples.some((sample) => sample[figure] !== undefined))
}

/** `≥ 1.5`, `≤ 0.4`, `≥ 0.8 of the probe` */
export function goalText({ figure, against, ratio }: Goal): string {
  const sign = figures[figure].better === 'more' ? '≥' : '≤'
  return `${sign} ${ratio}${against === 'probe' ? ' of the probe' : ''}`
}

function shown(values: Spread | undefined): string {
  return digits(values?.median)
}

function spread(values: Spread | undefined): string {
  return values === undefined ? '–' : `${digits(values.min)} to ${digits(values.max)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`, ...rows.map(line)].join(
    '\n',
  )
}

function oneLine(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').trim()
  return flat.length > 300 ? `${flat.slice(0, 300)} …` : flat
}
