// Groups for tests of assignors: written down in short, or random; and what must be true of any answer.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type {
  AssignedPartitions,
  Assignor,
  AssignorInput,
  AssignorMember,
  AssignorTopic,
  GroupAssignment,
} from './assignor.ts'

/** Topic names are their ids; partitions as in `{ orders: [0, 1] }`. */
export type Written = Readonly<Record<string, readonly number[]>>

export interface WrittenMember {
  readonly reads: readonly string[]
  readonly has?: Written
  readonly rack?: string
  readonly instance?: string
}

/** A count of partitions, or the racks of each of them. */
export type WrittenTopic = number | readonly (readonly string[])[]

export function group(
  topics: Readonly<Record<string, WrittenTopic>>,
  members: Readonly<Record<string, WrittenMember>>,
): AssignorInput {
  const all = Object.entries(members).map(([memberId, { reads, has, rack, instance }]) => {
    const target = new Map(Object.entries(has ?? {}))
    return { memberId, instanceId: instance ?? null, rackId: rack ?? null, topicIds: new Set(reads), target }
  })
  return {
    members: all,
    topics: Object.entries(topics).map(([name, written]) => topic(name, written)),
    homogeneous: readsAlike(all),
  }
}

function topic(name: string, written: WrittenTopic): AssignorTopic {
  const racks = typeof written === 'number' ? null : written
  const partitionCount = typeof written === 'number' ? written : written.length
  return { topicId: name, name, partitionCount, racksOf: (partition) => racks?.[partition] ?? [] }
}

function readsAlike(members: readonly AssignorMember[]): boolean {
  const sets = members.map(({ topicIds }) => [...topicIds].sort().join())
  return new Set(sets).size <= 1
}

export function written(assignment: GroupAssignment): Record<string, Record<string, readonly number[]>> {
  return Object.fromEntries([...assignment].map(([member, topics]) => [member, Object.fromEntries(topics)]))
}

/** The group after its members have got what the assignor meant for them, with other members perhaps. */
export function afterwards(
  input: AssignorInput,
  assignment: GroupAssignment,
  members: readonly AssignorMember[] = input.members,
): AssignorInput {
  const next = members.map((member) => ({ ...member, target: assignment.get(member.memberId) ?? new Map() }))
  return { ...input, members: next, homogeneous: readsAlike(next) }
}

export function count(partitions: AssignedPartitions): number {
  return [...partitions.values()].reduce((sum, { length }) => sum + length, 0)
}

export function loads(assignment: GroupAssignment): number[] {
  return [...assignment.values()].map(count)
}

/** Owners by `topic-partition`. */
export function owners(assignment: GroupAssignment): Map<string, string> {
  const all = new Map<string, string>()
  for (const [memberId, topics] of assignment) {
    for (const [topicId, partitions] of topics)
      for (const partition of partitions) all.set(`${topicId}-${partition}`, memberId)
  }
  return all
}

/** How many partitions have another owner than before, of those that had one. */
export function moved(before: GroupAssignment, after: GroupAssignment): number {
  const now = owners(after)
  return [...owners(before)].filter(([partition, owner]) => now.get(partition) !== owner).length
}

export function inRack({ members, topics }: AssignorInput, assignment: GroupAssignment): number {
  const topicOf = new Map(topics.map((each) => [each.topicId, each]))
  let near = 0
  for (const { memberId, rackId } of members) {
    if (rackId === null) continue
    for (const [topicId, partitions] of assignment.get(memberId)!) {
      near += partitions.filter((partition) => topicOf.get(topicId)!.racksOf(partition).includes(rackId)).length
    }
  }
  return near
}

/** Everybody is answered; each partition that somebody reads has exactly one owner, which reads it; lists ascend. */
export function assertComplete({ members, topics }: AssignorInput, assignment: GroupAssignment): void {
  assert.deepEqual([...assignment.keys()].sort(), members.map(({ memberId }) => memberId).sort())
  const owner = new Map<string, string>()
  for (const { memberId, topicIds } of members) {
    for (const [topicId, partitions] of assignment.get(memberId)!) {
      assert.ok(topicIds.has(topicId), `${memberId} reads ${topicId}`)
      assert.ok(partitions.length > 0, `${memberId} has no empty list`)
      assert.deepEqual(
        partitions,
        [...new Set(partitions)].sort((a, b) => a - b),
      )
      for (const partition of partitions) {
        const key = `${topicId}-${partition}`
        assert.equal(owner.get(key), undefined, `${key} has one owner`)
        owner.set(key, memberId)
      }
    }
  }
  for (const { topicId, partitionCount } of topics) {
    if (!members.some(({ topicIds }) => topicIds.has(topicId))) continue
    for (let partition = 0; partition < partitionCount; partition++) assert.ok(owner.has(`${topicId}-${partition}`))
  }
  const exist = topics.reduce((sum, { topicId, partitionCount }) => {
    return sum + (members.some(({ topicIds }) => topicIds.has(topicId)) ? partitionCount : 0)
  }, 0)
  assert.equal(owner.size, exist, 'nothing that does not exist is assigned')
}

export interface GroupShape {
  readonly homogeneous: boolean
  readonly racks: boolean
  readonly membersMax?: number
  readonly partitionsMax?: number
}

/** A group of any history: members hold what they like, even what others hold, what they do not read or what does not exist. */
export function groups({
  homogeneous,
  racks,
  membersMax = 7,
  partitionsMax = 9,
}: GroupShape): fc.Arbitrary<AssignorInput> {
  const names = ['a', 'b', 'c', 'd']
  const rack = fc.constantFrom('r1', 'r2', 'r3')
  const counted: fc.Arbitrary<WrittenTopic> = fc.nat(partitionsMax)
  const placed: fc.Arbitrary<WrittenTopic> = fc.array(fc.uniqueArray(rack, { maxLength: 3 }), {
    maxLength: partitionsMax,
  })
  const topics = fc.tuple(...names.map(() => (racks ? placed : counted)))
  const reads = fc.subarray(names)
  const member = fc.record({
    reads,
    has: fc.dictionary(fc.constantFrom(...names, 'gone'), fc.uniqueArray(fc.nat(partitionsMax), { maxLength: 6 })),
    rack: racks ? fc.option(rack, { nil: undefined, freq: 5 }) : fc.constant(undefined),
    instance: fc.boolean(),
  })
  return fc
    .tuple(topics, reads, fc.array(member, { minLength: 1, maxLength: membersMax }))
    .map(([counts, common, members]) =>
      group(
        Object.fromEntries(names.map((name, index) => [name, counts[index]!])),
        Object.fromEntries(
          members.map((each, index) => [
            `m${index}`,
            {
              reads: homogeneous ? common : each.reads,
              has: each.has,
              ...(each.rack === undefined ? {} : { rack: each.rack }),
              ...(each.instance ? { instance: `i${members.length - index}` } : {}),
            },
          ]),
        ),
      ),
    )
}

/** The same group, listed in another order. */
function reversed(input: AssignorInput): AssignorInput {
  return {
    ...input,
    members: input.members
      .toReversed()
      .map((member) => ({ ...member, topicIds: new Set([...member.topicIds].toReversed()) })),
    topics: input.topics.toReversed(),
  }
}

export function assertOrderDoesNotMatter(assignor: Assignor, input: AssignorInput): void {
  assert.deepEqual(owners(assignor.assign(reversed(input))), owners(assignor.assign(input)))
}

/** The same group where nobody says where it is. */
export function rackless(input: AssignorInput): AssignorInput {
  return { ...input, members: input.members.map((member) => ({ ...member, rackId: null })) }
}
