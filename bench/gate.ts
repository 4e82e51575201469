// `npm run bench:gate`: whether Odradek has become dearer. What counts is the broker's processor time for each request and each gigabyte,
// relative to the probe in the same run: other work on the machine, a slow disk and a slow host meet both alike, so that the ratio says
// something where a time says nothing. Takes some minutes; prints a table and ends with 1 when a bound is broken.
//
//   npm run bench:gate                     everything
//   npm run bench:gate -- --only 16kib     rows whose ids match

import { parseArgs } from 'node:util'
import { type Bound, bounds } from './gate-bounds.ts'
import { odradek } from './peers/odradek.ts'
import { probe } from './peers/probe.ts'
import { figures } from './report/result.ts'
import { figureOf, ratioOf } from './report/verdicts.ts'
import { type Contender, type Ground, measureRow } from './rounds.ts'
import { StandingBrokers } from './standing-brokers.ts'
import { workingFolder } from './working-folder.ts'
import { rows } from './workloads/rows.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const only = new RegExp(values.only)
const wanted = bounds.filter(({ id }) => only.test(id))

const contenders: readonly Contender<'odradek' | 'probe'>[] = [
  { label: 'odradek', peer: odradek() },
  { label: 'probe', peer: probe() },
]
const folder = workingFolder()
const standing = new StandingBrokers({ folder, warmSeconds: 3 })
const ground: Ground = { rounds: 3, warmSeconds: 0.5, seconds: 1.5, quick: false, folder, standing }

let broken = 0
printLine(['row', 'figure', 'odradek', 'probe', 'ratio', 'bound', ''])
for (const bound of wanted) if (!(await isKept(bound))) broken += 1
await standing.stop()
console.log(`\n${wanted.length - broken} of ${wanted.length} bounds are kept`)
if (broken > 0) {
  console.log('npm run bench -- --profile --peers odradek --only ID shows where the time goes')
  process.exitCode = 1
}

/** What could not be measured is not kept. */
async function isKept({ id, figure, ratio: bound, reason }: Bound): Promise<boolean> {
  const row = rows.find((candidate) => candidate.id === id)
  if (row === undefined) throw new Error(`no row is called ${id}`)
  const { samples, failures } = await measureRow(row, contenders, ground)
  const measured = { ...row, samples, failures }
  const ratio = ratioOf(measured, 'probe', figure)?.median
  const kept = ratio !== undefined && ratio <= bound
  const cost = (label: 'odradek' | 'probe'): number | undefined => figureOf(measured, label, figure)?.median
  printLine([id, figures[figure].unit, cost('odradek'), cost('probe'), ratio, bound, kept ? '' : 'BROKEN'])
  for (const [label, failure] of Object.entries(failures)) console.log(`  ${label}: ${failure}`)
  if (!kept) console.log(`  look at: ${reason}`)
  return kept
}

function printLine([name = '', ...cells]: readonly (string | number | undefined)[]): void {
  const shown = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : (cell ?? 'none')).padStart(11))
  console.log([String(name).padEnd(52), ...shown].join(' ').trimEnd())
}
