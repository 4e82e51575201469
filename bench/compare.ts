// Whether this tree of Odradek is slower than another one: rows of the bench on both, in turn, so that what else the machine does meets
// both alike. Prints the median of each figure, and of the ratios of rounds that were run beside each other; the ratios are what to read.
//
//   node bench/compare.ts <folder of the other tree> [--only REGEX] [--rounds N] [--seconds N]
//
// On a busy machine only the CPU figures mean anything: what else runs moves times and throughput, alike for both but not at once.

import { parseArgs } from 'node:util'
import { median, printMachine } from './measured.ts'
import { odradek } from './peers/odradek.ts'
import { digits } from './report/numbers.ts'
import { type Figure, figures } from './report/result.ts'
import { type Contender, measureRow, type RowSamples } from './rounds.ts'
import { StandingBrokers } from './standing-brokers.ts'
import { workingFolder } from './working-folder.ts'
import { rows } from './workloads/rows.ts'

type Tree = 'other' | 'here'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: {
      type: 'string',
      default:
        '^(produce/1kb/(16kib|1mib)/(1|16)p/acks-all/none|drain/1kb/16kib/16p/8c/none/memory|latency/10k/1p|start/serving)',
    },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
  },
})
const [tree] = positionals
if (tree === undefined) throw new Error('usage: node bench/compare.ts <folder of the other tree> [--only REGEX]')

const folder = workingFolder()
const standing = new StandingBrokers({ folder, warmSeconds: 3 })
const ground = {
  rounds: Number(values.rounds),
  warmSeconds: 1,
  seconds: Number(values.seconds),
  quick: false,
  folder,
  standing,
}
const trees: readonly Contender<Tree>[] = [
  { label: 'other', peer: odradek({ tree }) },
  { label: 'here', peer: odradek() },
]
const wanted = new RegExp(values.only)

printMachine()
console.log(
  `median of ${values.rounds}`.padEnd(80) + ['other', 'here', 'here/other'].map((name) => name.padStart(12)).join(''),
)
for (const row of rows.filter(({ id }) => wanted.test(id))) print(row.title, await measureRow(row, trees, ground))
await standing.stop()
printMachine()

function print(title: string, { samples, failures }: RowSamples<Tree>): void {
  for (const [label, why] of Object.entries(failures)) console.log(`${title}: FAILED on ${label}: ${why}`)
  const { other = [], here = [] } = samples
  for (const figure of Object.keys(figures) as Figure[]) {
    const pairs = here.flatMap((sample, round) => {
      const [now, before] = [sample[figure], other[round]?.[figure]]
      return now === undefined || before === undefined ? [] : [{ now, before, ratio: now / before }]
    })
    if (pairs.length === 0) continue
    const of = (name: keyof (typeof pairs)[number]): string => digits(median(pairs.map((pair) => pair[name])))
    const cells = [of('before'), of('now'), of('ratio')].map((text) => text.padStart(12))
    console.log(`${title}: ${figures[figure].unit}`.padEnd(80) + cells.join(''))
  }
}
