// Who gets which of some partitions so that as many as can be are read within a rack (KIP-881's aim), when how many each gets is
// settled. Partitions with replicas in the same racks are one class, so the question stays small: classes, racks, and a flow between.

import { FlowNetwork } from '../../../lib/max-flow.ts'

export interface Taker {
  readonly rackId: string | null
  /** How many it must get. */
  readonly quota: number
  /** Whether it may get one of the extra ones beyond its quota. */
  readonly mayTakeExtra: boolean
}

export interface Handout<Partition> {
  readonly partitions: readonly Partition[]
  readonly takers: readonly Taker[]
  /** How many takers get one more. Quotas and extras together are as many as the partitions. */
  readonly extras: number
  readonly racksOf: (partition: Partition) => readonly string[]
}

/**
 * What each taker gets, in the order of the takers. Where racks say nothing, takers in their order get partitions in theirs, and the
 * first that may get the extra ones.
 */
export function handOut<Partition>(handout: Handout<Partition>): Partition[][] {
  const { partitions, takers } = handout
  const given: Partition[][] = takers.map(() => [])
  const within = withinRacks(handout)
  let extras = handout.extras
  within.forEach((chosen, taker) => {
    given[taker] = chosen
    if (chosen.length > takers[taker]!.quota) extras--
  })
  const rest = within.size === 0 ? partitions : without(partitions, within.values())
  let next = 0
  for (const [taker, { quota, mayTakeExtra }] of takers.entries()) {
    const own = given[taker]!
    const takesExtra = mayTakeExtra && own.length <= quota && extras > 0
    if (takesExtra) extras--
    const missing = quota + (takesExtra ? 1 : 0) - own.length
    for (const end = Math.max(next, next + missing); next < end; next++) own.push(rest[next]!)
  }
  return given
}

function without<Partition>(partitions: readonly Partition[], chosen: Iterable<readonly Partition[]>): Partition[] {
  const taken = new Set<Partition>()
  for (const some of chosen) for (const partition of some) taken.add(partition)
  return partitions.filter((partition) => !taken.has(partition))
}

interface Rack {
  /** In their order. */
  readonly takers: number[]
  quota: number
  mayTakeExtra: number
}

/** For takers by index: partitions with a replica in the taker's rack. As many as can be over all, each taker within its bounds. */
function withinRacks<Partition>({ partitions, takers, extras, racksOf }: Handout<Partition>): Map<number, Partition[]> {
  const racks = racksOfTakers(takers)
  if (racks.size === 0) return new Map()
  const classes = classesOf(partitions, racksOf, racks)
  if (classes.length === 0) return new Map()

  const ids = [...racks.keys()]
  const rackNode = new Map(ids.map((id, index) => [id, classes.length + index]))
  const extraNode = classes.length + ids.length
  const source = extraNode + 1
  const sink = source + 1
  const network = new FlowNetwork(sink + 1)
  const edges: { readonly group: PartitionClass; readonly rack: Rack; readonly edge: number }[] = []
  for (const [node, group] of classes.entries()) {
    network.connect(source, node, group.partitions.length)
    for (const id of group.racks) {
      const edge = network.connect(node, rackNode.get(id)!, group.partitions.length)
      edges.push({ group, rack: racks.get(id)!, edge })
    }
  }
  for (const [id, { quota, mayTakeExtra }] of racks) {
    network.connect(rackNode.get(id)!, sink, quota)
    network.connect(rackNode.get(id)!, extraNode, mayTakeExtra)
  }
  network.connect(extraNode, sink, extras)
  network.maximize(source, sink)

  const chosen = new Map<Rack, number[]>()
  for (const { group, rack, edge } of edges) {
    const indexes = group.partitions.splice(0, network.flowOn(edge))
    chosen.set(rack, [...(chosen.get(rack) ?? []), ...indexes])
  }
  const given = new Map<number, Partition[]>()
  for (const [rack, indexes] of chosen) {
    const ordered = indexes.sort((a, b) => a - b).map((index) => partitions[index]!)
    fillRack(rack, ordered, takers, given)
  }
  return given
}

function fillRack<Partition>(
  rack: Rack,
  partitions: readonly Partition[],
  takers: readonly Taker[],
  given: Map<number, Partition[]>,
): void {
  let extras = Math.max(0, partitions.length - rack.quota)
  let next = 0
  for (const taker of rack.takers) {
    const { quota, mayTakeExtra } = takers[taker]!
    const takesExtra = mayTakeExtra && extras > 0
    if (takesExtra) extras--
    const end = Math.min(partitions.length, next + quota + (takesExtra ? 1 : 0))
    if (end > next) given.set(taker, partitions.slice(next, end))
    next = end
  }
}

function racksOfTakers(takers: readonly Taker[]): Map<string, Rack> {
  const racks = new Map<string, Rack>()
  for (const [index, { rackId, quota, mayTakeExtra }] of takers.entries()) {
    if (rackId === null || (quota === 0 && !mayTakeExtra)) continue
    const rack = racks.get(rackId) ?? { takers: [], quota: 0, mayTakeExtra: 0 }
    racks.set(rackId, rack)
    rack.takers.push(index)
    rack.quota += quota
    rack.mayTakeExtra += mayTakeExtra ? 1 : 0
  }
  return racks
}

interface PartitionClass {
  readonly racks: readonly string[]
  /** Indexes into the partitions. Used up while racks choose. */
  readonly partitions: number[]
}

function classesOf<Partition>(
  partitions: readonly Partition[],
  racksOf: (partition: Partition) => readonly string[],
  wanted: ReadonlyMap<string, Rack>,
): PartitionClass[] {
  const classes = new Map<string, PartitionClass>()
  for (const [index, partition] of partitions.entries()) {
    const racks = [...new Set(racksOf(partition).filter((rack) => wanted.has(rack)))].sort()
    if (racks.length === 0) continue
    const key = JSON.stringify(racks)
    const known = classes.get(key)
    if (known === undefined) classes.set(key, { racks, partitions: [index] })
    else known.partitions.push(index)
  }
  return [...classes.values()]
}
