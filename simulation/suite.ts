// What a usual run consists of, beside its faults.

import type { Invariant, Workload } from './contracts.ts'
import { defaultInvariants } from './invariants/index.ts'
import { namedWorkloads } from './workloads/fifty-members.ts'
import { defaultWorkloads } from './workloads/index.ts'
import type { SimulatedWorld } from './world.ts'

/** `names`: only these, of those that the seed has or that are had by name alone; default: all that the seed has. */
export function workloads(world: SimulatedWorld, names?: readonly string[]): readonly Workload[] {
  const all = defaultWorkloads(world)
  if (names === undefined) return all
  const named = names.flatMap((name) => namedWorkloads[name]?.(world) ?? [])
  const chosen = [...all.filter(({ name }) => names.includes(name)), ...named]
  if (chosen.length > 0) return chosen
  const known = [...all.map(({ name }) => name), ...Object.keys(namedWorkloads)]
  throw new Error(`this seed has no workload ${names.join()}; it has ${known.join()}`)
}

export function invariants(world: SimulatedWorld): readonly Invariant[] {
  return defaultInvariants(world)
}
