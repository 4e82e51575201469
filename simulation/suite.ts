// What a usual run consists of, beside its faults.

import type { Invariant, Workload } from './contracts.ts'
import { defaultInvariants } from './invariants/index.ts'
import { defaultWorkloads } from './workloads/index.ts'
import type { SimulatedWorld } from './world.ts'

/** `names`: only these; default: all. */
export function workloads(world: SimulatedWorld, names?: readonly string[]): readonly Workload[] {
  const all = defaultWorkloads(world)
  return names === undefined ? all : all.filter(({ name }) => names.includes(name))
}

export function invariants(world: SimulatedWorld): readonly Invariant[] {
  return defaultInvariants(world)
}
