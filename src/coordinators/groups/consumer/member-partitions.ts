// Which partitions a member has, and since when: topic id -> partition -> the epoch in which the member got it (KIP-1251).
// Values: what changes is a copy. No topic is kept without partitions.

import type { AssignedPartitions } from '../assignors/assignor.ts'

export type MemberPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

/** The partitions a client says it owns: as a request lists them. */
export type OwnedPartitions = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

export const noPartitions: MemberPartitions = new Map()

export function samePartitions(one: MemberPartitions, other: MemberPartitions): boolean {
  return (
    one === other ||
    (one.size === other.size && [...one].every(([topicId, epochs]) => same(epochs, other.get(topicId))))
  )
}

function same(epochs: ReadonlyMap<number, number>, others: ReadonlyMap<number, number> | undefined): boolean {
  if (others === undefined || epochs.size !== others.size) return false
  for (const [partition, epoch] of epochs) if (others.get(partition) !== epoch) return false
  return true
}

/** As if every partition had been got in this epoch. */
export function withEpoch(partitions: MemberPartitions, epoch: number): MemberPartitions {
  return new Map(
    Array.from(partitions, ([topicId, epochs]) => [topicId, new Map([...epochs.keys()].map((p) => [p, epoch]))]),
  )
}

export function has(partitions: MemberPartitions, topicId: string, partition: number): boolean {
  return partitions.get(topicId)?.has(partition) === true
}

/** Whether one of the listed partitions is among these; when nobody knows what the client owns, it may be any. */
export function containsAny(partitions: MemberPartitions, owned: OwnedPartitions | null): boolean {
  return (
    owned === null || owned.some(({ topicId, partitions: listed }) => listed.some((p) => has(partitions, topicId, p)))
  )
}

/** Whether all listed partitions are among these; false when nobody knows what the client owns. */
export function containsAll(partitions: MemberPartitions, owned: OwnedPartitions | null): boolean {
  return (
    owned !== null &&
    owned.every(
      ({ topicId, partitions: listed }) => partitions.has(topicId) && listed.every((p) => has(partitions, topicId, p)),
    )
  )
}

/** As an answer lists them, partitions ascending. */
export function listed(partitions: MemberPartitions): { topicId: string; partitions: number[] }[] {
  return Array.from(partitions, ([topicId, epochs]) => ({ topicId, partitions: ascending(epochs.keys()) }))
}

export function ascending(partitions: Iterable<number>): number[] {
  return [...partitions].toSorted((one, other) => one - other)
}

/** Partitions of `one` that `other` does not have. */
export function without(one: MemberPartitions, other: MemberPartitions): { topicId: string; partition: number }[] {
  if (one === other) return []
  return Array.from(one, ([topicId, epochs]) =>
    ascending(epochs.keys())
      .filter((partition) => !has(other, topicId, partition))
      .map((partition) => ({ topicId, partition })),
  ).flat()
}

export function sameTarget(one: AssignedPartitions, other: AssignedPartitions): boolean {
  return (
    one.size === other.size &&
    [...one].every(([topicId, partitions]) => {
      const others = other.get(topicId)
      if (others === undefined || others.length !== partitions.length) return false
      const known = new Set(others)
      return partitions.every((partition) => known.has(partition))
    })
  )
}
