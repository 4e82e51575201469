// A group's partitions and members while an assignor thinks, nothing owned at first: everything by number, so that thousands of members and partitions cost
// arrays and no maps. Members stand in their order, topics by name; partition `p` of a topic is `topic.first + p`.

import type { AssignedPartitions, AssignorInput, AssignorMember, AssignorTopic, GroupAssignment } from './assignor.ts'
import { compareText, inMemberOrder } from './member-order.ts'

export const nobody = -1

export interface BoardTopic {
  readonly topic: AssignorTopic
  /** Its partition 0; it has the numbers [first, end). */
  readonly first: number
  readonly end: number
  /** Members that read it, ascending. */
  readonly readers: readonly number[]
}

export class Board {
  readonly members: readonly AssignorMember[]
  /** Those that somebody reads and that have partitions. */
  readonly topics: readonly BoardTopic[]
  /** Of each partition; `nobody` when it has none. */
  readonly owners: Int32Array
  /** Who owned it when all had been brought home; `nobody` otherwise. */
  readonly homes: Int32Array
  /** How many partitions each member owns. */
  readonly loads: Int32Array
  readonly #topicOf: readonly BoardTopic[]

  constructor({ members, topics }: AssignorInput) {
    this.members = inMemberOrder(members)
    this.topics = boardTopics(this.members, topics)
    this.#topicOf = this.topics.flatMap((each) => Array.from({ length: each.end - each.first }, () => each))
    this.owners = new Int32Array(this.#topicOf.length).fill(nobody)
    this.loads = new Int32Array(this.members.length)
    this.homes = this.owners.slice()
  }

  /** Everybody owns what it was last meant to have, of what it still reads. Before anything is given. */
  bringHome(): void {
    const byId = new Map(this.topics.map((each) => [each.topic.topicId, each]))
    for (const [member, { target, topicIds }] of this.members.entries()) {
      for (const [topicId, partitions] of target) {
        const known = byId.get(topicId)
        if (known === undefined || !topicIds.has(topicId)) continue
        for (const partition of partitions) {
          const number = known.first + partition
          // Members that come from a client-side assignor may claim the same partition: one of them keeps it.
          if (number < known.end && this.owners[number] === nobody) this.give(number, member)
        }
      }
    }
    this.homes.set(this.owners)
  }

  give(partition: number, member: number): void {
    this.free(partition)
    this.owners[partition] = member
    this.loads[member]!++
  }

  free(partition: number): void {
    const owner = this.owners[partition]!
    if (owner !== nobody) this.loads[owner]!--
    this.owners[partition] = nobody
  }

  topicOf(partition: number): BoardTopic {
    return this.#topicOf[partition]!
  }

  racksOf(partition: number): readonly string[] {
    const { topic, first } = this.topicOf(partition)
    return topic.racksOf(partition - first)
  }

  inRack(partition: number, member: number): boolean {
    const { rackId } = this.members[member]!
    return rackId !== null && this.racksOf(partition).includes(rackId)
  }

  assignment(): GroupAssignment {
    const assigned = this.members.map(() => new Map<string, number[]>())
    for (const { topic, first, end } of this.topics) {
      for (let partition = first; partition < end; partition++) {
        const owner = this.owners[partition]!
        if (owner === nobody) continue
        const own = assigned[owner]!.get(topic.topicId)
        if (own === undefined) assigned[owner]!.set(topic.topicId, [partition - first])
        else own.push(partition - first)
      }
    }
    return new Map(
      this.members.map(({ memberId }, member): [string, AssignedPartitions] => [memberId, assigned[member]!]),
    )
  }
}

function boardTopics(members: readonly AssignorMember[], topics: readonly AssignorTopic[]): BoardTopic[] {
  const readers = new Map<string, number[]>(topics.map(({ topicId }) => [topicId, []]))
  for (const [member, { topicIds }] of members.entries()) for (const id of topicIds) readers.get(id)?.push(member)
  let first = 0
  return [...topics]
    .sort((a, b) => compareText(a.name, b.name) || compareText(a.topicId, b.topicId))
    .flatMap((topic) => {
      const own = readers.get(topic.topicId)!
      if (own.length === 0 || topic.partitionCount === 0) return []
      const placed = { topic, first, end: first + topic.partitionCount, readers: own }
      first = placed.end
      return [placed]
    })
}
