// The child of a hunt: runs so many seeds from the first on, with the workloads named if there are any, and says of each what came of it, one line of JSON each.

import { Violation } from '../contracts.ts'
import { runSeed } from '../run.ts'
import { invariants, workloads } from '../suite.ts'
import type { SeedOutcome } from './hunt.ts'

const [firstSeed, seedsMax] = process.argv.slice(2, 4).map(Number) as [number, number]
const named = process.argv.slice(4)
const names = named.length === 0 ? undefined : named

for (let seed = firstSeed; seed < firstSeed + seedsMax; seed++) {
  const { violation, simulatedMs } = await runSeed({ seed, workloads: (world) => workloads(world, names), invariants })
  if (violation !== null && isOfTheText(violation)) throw violation
  const outcome: SeedOutcome = {
    seed,
    rule: violation?.rule ?? null,
    what: violation?.message ?? '',
    simulatedMs,
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}
process.exit(0)

/** A mistake as planted must be one of thought; one that does not run proves nothing. */
function isOfTheText(violation: Violation): boolean {
  return /threw (ReferenceError|SyntaxError)/.test(violation.message)
}
