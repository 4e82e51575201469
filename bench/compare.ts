// Whether this tree is slower than another one: `npm run bench` in both, in turn, so that what else the machine does meets both alike.
// Prints the median of each figure and their ratio; the ratios are what to read.
//
//   node bench/compare.ts <folder of the other tree> [rounds] [megabytes] [rows, as --only of the bench]
//
// On a busy machine only CPU s/GB and MB mean anything: what else runs moves times and throughput, alike for both but not at once.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { median, printMachine } from './measured.ts'

const [other, rounds = '3', megabytes = '128', only] = process.argv.slice(2)
if (other === undefined) throw new Error('usage: node bench/compare.ts <folder of the other tree> [rounds] [megabytes]')

const columns = ['MB/s', 'krec/s', 'CPU s/GB', 'p50 ms', 'p99 ms', 'peak MB']
const start = /^ready after (\d+) ms, (\d+) MB idle, stopped in (\d+) ms/
type Figures = Map<string, number[]>

async function run(tree: string, figures: Figures): Promise<void> {
  const rows = only === undefined ? [] : ['--only', only]
  const child = spawn(process.execPath, ['bench/main.ts', '--megabytes', megabytes, ...rows], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`the bench of ${tree} ended with ${code}`)
  const add = (name: string, value: string | undefined): void => {
    if (!figures.has(name)) figures.set(name, [])
    figures.get(name)!.push(Number(value))
  }
  for (const line of output.split('\n')) {
    const ready = start.exec(line)
    if (ready !== null) {
      for (const [i, name] of ['start, ms', 'idle, MB', 'stop, ms'].entries()) add(name, ready[i + 1])
    }
    const cells = line.trim().split(/\s{2,}/)
    if (cells.length !== columns.length + 1 || !/^(produce|fetch) /.test(line)) continue
    for (const [i, column] of columns.entries()) add(`${cells[0]}: ${column}`, cells[i + 1])
  }
}

const here = join(import.meta.dirname, '..')
const trees = [other, here]
const figures: Figures[] = [new Map(), new Map()]
printMachine()
for (let round = 0; round < Number(rounds); round++) {
  // Whoever comes first in one round comes second in the next.
  for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) await run(trees[i]!, figures[i]!)
}
console.log(
  `median of ${rounds}`.padEnd(64) + ['other', 'here', 'here/other'].map((name) => name.padStart(11)).join(''),
)
for (const [name, values] of figures[0]!) {
  const [before, now] = [median(values), median(figures[1]!.get(name) ?? [])]
  const shown = [before.toFixed(1), now.toFixed(1), (now / before).toFixed(2)]
  console.log(name.padEnd(64) + shown.map((text) => text.padStart(11)).join(''))
}
printMachine()
