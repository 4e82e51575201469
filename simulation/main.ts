// `npm run simulate`: one seed, or seed after seed for a while. Ends with 1 when a rule was broken.
//
//   npm run simulate -- --seed 42              one run; --trace prints all that happened
//   npm run simulate -- --minutes 10           seeds from --from on, until the time is over
//   npm run simulate -- --runs 20 --workloads groups   a group of fifty members; groups-eager, -cooperative, -consumer, -mixed: of that kind
//   npm run simulate -- --runs 100 --brokers 5 --digest prints what two runs of a seed have in common, to the byte

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { reportOf, type WrittenSchedule } from './report.ts'
import { type RunOptions, runSeed } from './run.ts'
import { invariants, workloads } from './suite.ts'

const progressMs = 5000
/** To make a failing run smaller. */
const reportMsMax = 60_000
const msPerMinute = 60_000

const usage = `npm run simulate -- [--seed N | --from N] [--runs N | --minutes N] [--brokers N] [--workloads a,b] [--schedule FILE] [--trace] [--digest]`

interface Wanted {
  readonly firstSeed: number
  readonly runsMax: number
  readonly deadline: number
  readonly trace: boolean
  readonly digest: boolean
  /** Words of the command line that every repetition needs. */
  readonly asked: string
  readonly options: Omit<RunOptions, 'seed'>
}

const wanted = wantedOrNull(process.argv.slice(2))
if (wanted === null) {
  console.error(usage)
  process.exit(2)
}
process.exit((await runAll(wanted)) ? 0 : 1)

function wantedOrNull(argv: readonly string[]): Wanted | null {
  try {
    return wantedBy(argv)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return null
  }
}

function wantedBy(argv: readonly string[]): Wanted | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      from: { type: 'string' },
      runs: { type: 'string' },
      minutes: { type: 'string' },
      brokers: { type: 'string' },
      workloads: { type: 'string' },
      schedule: { type: 'string' },
      trace: { type: 'boolean', default: false },
      digest: { type: 'boolean', default: false },
    },
  })
  const number = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : Number.parseFloat(text)
  const firstSeed = number(values.seed ?? values.from, 1)
  const minutes = number(values.minutes, Infinity)
  const runsMax = number(values.runs, values.minutes === undefined ? 1 : Infinity)
  const brokers = number(values.brokers, 3)
  if ([firstSeed, minutes, runsMax, brokers].some((value) => Number.isNaN(value))) return null
  const written =
    values.schedule === undefined ? null : (JSON.parse(readFileSync(values.schedule, 'utf8')) as WrittenSchedule)
  const names = values.workloads?.split(',') ?? written?.workloads
  return {
    firstSeed,
    runsMax,
    deadline: performance.now() + minutes * msPerMinute,
    trace: values.trace,
    digest: values.digest,
    asked: values.workloads === undefined ? '' : `--workloads ${values.workloads}`,
    options: {
      brokers,
      workloads: (world) => workloads(world, names),
      invariants,
      ...(written !== null && { schedule: written }),
    },
  }
}

/** Until a rule is broken. */
async function runAll({ firstSeed, runsMax, deadline, trace, digest, asked, options }: Wanted): Promise<boolean> {
  const begun = performance.now()
  let simulatedMs = 0
  let saidAt = begun
  let seed = firstSeed
  const progress = (): string => {
    const wallMs = performance.now() - begun
    const seeds = seed - firstSeed
    const minutes = (simulatedMs / msPerMinute).toFixed(1)
    return `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${minutes} simulated minutes, ${(simulatedMs / wallMs).toFixed(0)} times as fast as the clock`
  }
  for (; seed < firstSeed + runsMax && performance.now() < deadline; seed++) {
    const result = await runSeed({ ...options, seed })
    simulatedMs += result.simulatedMs
    if (trace) for (const line of result.trace.lines) console.log(line)
    if (digest) console.log(`seed ${seed}: ${result.trace.digest()}`)
    if (result.violation !== null) {
      const reportUntil = performance.now() + reportMsMax
      const lines = await reportOf({
        options: { ...options, seed },
        result,
        asked,
        runsMax: 200,
        mayGoOn: () => performance.now() < reportUntil,
        scheduleFile: `simulation-${seed}.json`,
      })
      for (const line of lines) console.log(line)
      console.log(`after ${progress()}`)
      return false
    }
    if (performance.now() - saidAt > progressMs) {
      saidAt = performance.now()
      console.log(progress())
    }
  }
  console.log(`every rule held: ${progress()}`)
  return true
}
