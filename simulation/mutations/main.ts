// `npm run simulate:mutations`: shows that the simulator sees. Each mistake is planted alone, and must be found within its number of seeds;
// the same seeds without any must pass. Ends with 1 otherwise.
//
//   npm run simulate:mutations -- --only ack-before-fsync,old-disk-is-trusted --seeds 50 --from 1

import { parseArgs } from 'node:util'
import { hunt } from './hunt.ts'
import { mutationNamed, mutations } from './mutations.ts'

/** Children at the same time. */
const sideBySideMax = 2

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    /** In place of each mutation's own bound. */
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
  },
})
const wanted = values.only === undefined ? mutations : values.only.split(',').map(mutationNamed)
const firstSeed = Number(values.from)

let failed = 0
/** By workloads. */
const seedsUsed = new Map<string, number>()
const waiting = [...wanted]
console.log(row('mutation', 'seeds', 'of', 'simulated', 'the rule that found it'))
await Promise.all(Array.from({ length: sideBySideMax }, work))
for (const [key, seeds] of seedsUsed) {
  const workloads = key === '' ? [] : key.split(',')
  const clean = await hunt({ mutation: null, workloads, firstSeed, seedsMax: seeds })
  if (clean.kind !== 'notFound') failed += 1
  const of = key === '' ? '' : ` of ${key}`
  console.log(
    clean.kind === 'notFound'
      ? `The same ${clean.seeds} seeds${of} without a mistake: every rule held.`
      : `Without a mistake: ${JSON.stringify(clean)}`,
  )
}
console.log(
  failed === 0
    ? `All ${wanted.length} mistakes were found.`
    : `${failed} of ${wanted.length + seedsUsed.size} went wrong.`,
)
process.exitCode = failed === 0 ? 0 : 1

async function work(): Promise<void> {
  for (let mutation = waiting.shift(); mutation !== undefined; mutation = waiting.shift()) {
    const { name, workloads = [] } = mutation
    const seedsMax = Number(values.seeds ?? mutation.seedsMax)
    const found = await hunt({ mutation: name, workloads, firstSeed, seedsMax })
    const of = String(seedsMax)
    if (found.kind === 'found') {
      const { seeds, outcome } = found
      const key = workloads.join()
      seedsUsed.set(key, Math.max(seedsUsed.get(key) ?? 1, seeds))
      console.log(
        row(name, String(seeds), of, `${(outcome.simulatedMs / 1000).toFixed(1)} s`, outcome.what.slice(0, 120)),
      )
      continue
    }
    failed += 1
    console.log(row(name, '-', of, '', found.kind === 'broken' ? `does not run: ${found.reason}` : 'NOT FOUND'))
  }
}

function row(name: string, seeds: string, of: string, simulated: string, rule: string): string {
  return `${name.padEnd(38)} ${seeds.padStart(5)} ${of.padStart(4)} ${simulated.padStart(10)}  ${rule}`
}
