// Where the time of a CPU profile went: `node bench/profile-top.ts <file.cpuprofile> [--top 15] [--runs 5]`.
// Self time of each function, total time with what it called (once for a function that calls itself), and the longest runs of the thread
// without a pause, each with what it spent them on: those are what an event loop waits for.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

interface Node {
  readonly id: number
  readonly callFrame: Frame
  readonly children?: readonly number[]
}

interface Profile {
  readonly nodes: readonly Node[]
  readonly startTime: number
  /** Node on the top of the stack, and microseconds since the sample before. */
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const { values: args, positionals } = parseArgs({
  options: {
    top: { type: 'string', default: '15' },
    runs: { type: 'string', default: '5' },
    /** Only what came later, in milliseconds: without the loading of modules. */
    after: { type: 'string', default: '0' },
  },
  allowPositionals: true,
})
const [path] = positionals
if (path === undefined) throw new Error('which profile?')
const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile
const top = Number(args.top)

const frames = new Map(profile.nodes.map((node) => [node.id, nameOf(node.callFrame)]))
const parents = new Map(
  profile.nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)),
)

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const file = url.replace(/^.*\/(src|node_modules)\//, '$1/')
  return `${functionName === '' ? '(anonymous)' : functionName}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`
}

/** The functions under way, the innermost first. */
function stackOf(node: number): string[] {
  const names: string[] = []
  for (let at: number | undefined = node; at !== undefined; at = parents.get(at)) names.push(frames.get(at) ?? '?')
  return names
}

const stacks = new Map<number, string[]>()
const isPause = (name: string): boolean => name === '(idle)' || name === '(program)'
const self = new Map<string, number>()
const total = new Map<string, number>()
interface Run {
  readonly from: number
  ms: number
  readonly by: Map<string, number>
}
const runs: Run[] = []
let run: Run | null = null
let now = 0
let busyMs = 0

for (const [i, sample] of profile.samples.entries()) {
  // A sample stands for the time until the next one.
  const ms = (profile.timeDeltas[i + 1] ?? 0) / 1000
  now += (profile.timeDeltas[i] ?? 0) / 1000
  if (now < Number(args.after)) continue
  let stack = stacks.get(sample)
  if (stack === undefined) stacks.set(sample, (stack = stackOf(sample)))
  const [innermost = '?'] = stack
  if (isPause(innermost)) {
    run = null
    continue
  }
  busyMs += ms
  add(self, innermost, ms)
  for (const name of new Set(stack)) add(total, name, ms)
  if (run === null) runs.push((run = { from: now, ms: 0, by: new Map() }))
  run.ms += ms
  // The outermost function of ours, and what it was in.
  add(run.by, stack.slice(0, -1).toReversed().slice(0, 4).join(' > '), ms)
}

function add(sums: Map<string, number>, name: string, ms: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ms)
}

function print(title: string, sums: ReadonlyMap<string, number>, rows: number): void {
  process.stdout.write(`\n${title}\n`)
  for (const [name, ms] of [...sums].sort((one, other) => other[1] - one[1]).slice(0, rows)) {
    process.stdout.write(`${ms.toFixed(0).padStart(8)} ms ${((100 * ms) / busyMs).toFixed(1).padStart(5)} %  ${name}\n`)
  }
}

process.stdout.write(`${now.toFixed(0)} ms, ${busyMs.toFixed(0)} of them busy\n`)
print('self time', self, top)
print('total time', total, top)
for (const { from, ms, by } of runs.sort((one, other) => other.ms - one.ms).slice(0, Number(args.runs))) {
  print(`a run of ${ms.toFixed(1)} ms, from ${from.toFixed(0)} ms on`, by, 6)
}
