// What a usual run consists of, beside its faults.

import type { Invariant, Workload } from './contracts.ts'
import { defaultInvariants } from './invariants/index.ts'
import { defaultWorkloads } from './workloads/index.ts'
import type { SimulatedWorld } from './world.ts'

/** `names`: only these; default: all that the seed has. */
export function workloads(world: SimulatedWorld, names?: readonly string[]): readonly Workload[] {
  const all = defaultWorkloads(world)
  if (names === undefined) return all
  const chosen = all.filter(({ name }) => names.includes(name))
  if (chosen.length > 0) return chosen
  throw new Error(`this seed has no workload ${names.join()}; it has ${all.map(({ name }) => name).join()}`)
}

export function invariants(world: SimulatedWorld): readonly Invariant[] {
  return defaultInvariants(world)
}
