// Spreads some partitions over members as evenly as can be, moving none that need not move: water poured into vessels.
//
//   loads without these partitions  5 1 0, pour 4:  level 2, and 1 left over: 5 2 3 or 5 3 2, whichever moves less

import { type Board, nobody } from './board.ts'
import { handOut } from './rack-matching.ts'

/** All `partitions` may be owned by each of `members` and by nobody else; afterwards they are owned. Returns how many changed hands. */
export function level(board: Board, partitions: readonly number[], members: readonly number[]): number {
  if (partitions.length === 0) return 0
  const owned = new Map<number, number[]>(members.map((member) => [member, []]))
  for (const partition of partitions) owned.get(board.owners[partition]!)?.push(partition)

  const base = (member: number) => board.loads[member]! - owned.get(member)!.length
  const { water, extras } = pour(members.map(base), partitions.length)
  const quota = (member: number) => water - base(member)
  const vessels = members.filter((member) => quota(member) >= 0)
  const keepsExtra = extraKeepers(board, vessels, owned, quota, extras)

  for (const member of members) {
    const surplus = owned.get(member)!.length - (Math.max(0, quota(member)) + (keepsExtra.has(member) ? 1 : 0))
    if (surplus > 0)
      for (const partition of leastFitting(board, owned.get(member)!, member, surplus)) board.free(partition)
  }

  const free = partitions.filter((partition) => board.owners[partition] === nobody)
  const takers = vessels.map((member) => {
    const missing = water - board.loads[member]!
    const { rackId } = board.members[member]!
    return { rackId, quota: Math.max(0, missing), mayTakeExtra: !keepsExtra.has(member) }
  })
  const racksOf = (partition: number) => board.racksOf(partition)
  const given = handOut({ partitions: free, takers, extras: extras - keepsExtra.size, racksOf })
  for (const [index, member] of vessels.entries()) {
    for (const partition of given[index]!) board.give(partition, member)
  }
  return free.length
}

/** The level that so much water reaches, in whole units, and how many vessels that it reaches get one unit more. */
function pour(bases: readonly number[], amount: number): { readonly water: number; readonly extras: number } {
  const ascending = Int32Array.from(bases).sort()
  let below = ascending[0]!
  for (let vessels = 1; ; vessels++) {
    const water = Math.floor((below + amount) / vessels)
    const next = ascending[vessels]
    if (next === undefined || next > water) return { water, extras: (below + amount) % vessels }
    below += next
  }
}

/** Of those who have more than their quota now, the ones who may keep one beyond it: first who reads it within its rack. */
function extraKeepers(
  board: Board,
  vessels: readonly number[],
  owned: ReadonlyMap<number, readonly number[]>,
  quota: (member: number) => number,
  extras: number,
): ReadonlySet<number> {
  const candidates = vessels.filter((member) => owned.get(member)!.length > quota(member))
  if (candidates.length <= extras) return new Set(candidates)
  const fits = (member: number) => {
    const near = owned.get(member)!.filter((partition) => board.inRack(partition, member))
    return near.length > quota(member)
  }
  const fitting = new Set(candidates.filter(fits))
  const others = candidates.filter((member) => !fitting.has(member))
  return new Set([...fitting, ...others].slice(0, extras))
}

/** The last ones, and before them those without a replica in the member's rack. */
function leastFitting(board: Board, owned: readonly number[], member: number, count: number): readonly number[] {
  const last = owned.toReversed()
  if (board.members[member]!.rackId === null) return last.slice(0, count)
  const near = new Set(last.filter((partition) => board.inRack(partition, member)))
  return [...last.filter((partition) => !near.has(partition)), ...near].slice(0, count)
}
