// Groups of fifty members, to be asked for by name: too much for a usual run.

import { type GroupProtocol, GroupSettling } from '../groups/group-settling.ts'
import type { Workload, World } from '../contracts.ts'

const members = 50
const partitions = 30
const partitionsMax = 40

function fifty(world: World, protocol: GroupProtocol): Workload[] {
  const group = `groups-${protocol}`
  const calmMsMax = world.random(`${group} pace`).pick([10_000, 40_000, 100_000])
  return [new GroupSettling({ world, group, protocol, members, partitions, partitionsMax, calmMsMax })]
}

const protocols: readonly GroupProtocol[] = ['eager', 'cooperative', 'consumer', 'mixed']

/** By name. `groups`: one of them, as the seed has it. */
export const namedWorkloads: Readonly<Record<string, (world: World) => Workload[]>> = {
  groups: (world) => fifty(world, world.random('groups').pick(protocols)),
  ...Object.fromEntries(protocols.map((protocol) => [`groups-${protocol}`, (world: World) => fifty(world, protocol)])),
}
