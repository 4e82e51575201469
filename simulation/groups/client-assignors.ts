// Assignors of classic consumers: what the leader of a generation computes for all. Pure; the same input gives the same answer.

import { partitionName } from './partition-name.ts'

export interface AssignedMember {
  readonly memberId: string
  /** Orders members through restarts (KIP-345). */
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** What it has from before, and the generation it got that in (KIP-429, KIP-792). */
  readonly owned: readonly string[]
  readonly ownedSince: number
}

/** Partitions by member; counts by topic. */
export type ClientAssignor = (
  members: readonly AssignedMember[],
  counts: ReadonlyMap<string, number>,
) => Map<string, string[]>

/** Each topic by itself: consecutive ranges, the first members get one more. */
export const range: ClientAssignor = (members, counts) => {
  const assigned = new Map(members.map(({ memberId }) => [memberId, [] as string[]]))
  const ordered = members.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1))
  for (const [topic, count] of counts) {
    const readers = ordered.filter(({ topics }) => topics.includes(topic))
    const each = Math.floor(count / readers.length)
    const more = count % readers.length
    let next = 0
    readers.forEach(({ memberId }, i) => {
      const end = next + each + (i < more ? 1 : 0)
      for (; next < end; next++) assigned.get(memberId)!.push(partitionName(topic, next))
    })
  }
  return assigned
}

/**
 * Balanced, and as before where it can be. A partition that moves is in nobody's assignment until its owner has given it up: that member
 * joins again then, and the next generation has it to give (KIP-429).
 */
export const cooperativeSticky: ClientAssignor = (members, counts) => {
  const assigned = new Map(members.map(({ memberId }) => [memberId, [] as string[]]))
  const ownerOf = owners(members)
  const readersOf = (topic: string) => members.filter(({ topics }) => topics.includes(topic))
  const free: { name: string; topic: string }[] = []
  const topicOf = new Map<string, string>()
  for (const [topic, count] of counts) {
    for (let index = 0; index < count; index++) {
      const name = partitionName(topic, index)
      topicOf.set(name, topic)
      const owner = ownerOf.get(name)
      if (owner !== undefined && owner.topics.includes(topic)) assigned.get(owner.memberId)!.push(name)
      else free.push({ name, topic })
    }
  }
  const load = (memberId: string) => assigned.get(memberId)!.length
  const least = (readers: readonly AssignedMember[]) =>
    readers.reduce((best, one) => (load(one.memberId) < load(best.memberId) ? one : best))
  for (const { name, topic } of free) {
    const readers = readersOf(topic)
    if (readers.length > 0) assigned.get(least(readers).memberId)!.push(name)
  }
  for (let moved = true; moved;) {
    moved = false
    for (const { memberId } of members) {
      const name = assigned.get(memberId)!.findLast((candidate) => {
        const other = least(readersOf(topicOf.get(candidate)!))
        return load(other.memberId) + 1 < load(memberId)
      })
      if (name === undefined) continue
      const own = assigned.get(memberId)!
      own.splice(own.indexOf(name), 1)
      assigned.get(least(readersOf(topicOf.get(name)!)).memberId)!.push(name)
      moved = true
    }
  }
  for (const [memberId, names] of assigned) {
    const kept = names.filter((name) => (ownerOf.get(name)?.memberId ?? memberId) === memberId)
    assigned.set(memberId, kept)
  }
  return assigned
}

/** Of two that claim a partition, the one that got it later has it; when both got it in the same generation, neither. */
function owners(members: readonly AssignedMember[]): Map<string, AssignedMember> {
  const found = new Map<string, AssignedMember | null>()
  const since = new Map<string, number>()
  for (const member of members) {
    for (const name of member.owned) {
      const last = since.get(name) ?? -Infinity
      if (member.ownedSince > last) found.set(name, member)
      else if (member.ownedSince === last) found.set(name, null)
      since.set(name, Math.max(last, member.ownedSince))
    }
  }
  return new Map([...found].flatMap(([name, member]) => (member === null ? [] : [[name, member] as const])))
}

function orderOf({ memberId, instanceId }: AssignedMember): string {
  return instanceId === null ? `1 ${memberId}` : `0 ${instanceId}`
}
