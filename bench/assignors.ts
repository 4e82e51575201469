// `node bench/assignors.ts`: how long server-side assignors think about 1,000 members and 10,000 partitions, in milliseconds.
// `fresh`: nobody has anything. `settled`: all have what they should. `10 gone`: ten members have left.

import type {
  Assignor,
  AssignorInput,
  AssignorMember,
  GroupAssignment,
} from '../src/coordinators/groups/assignors/assignor.ts'
import { assignors } from '../src/coordinators/groups/assignors/assignors.ts'

interface Shape {
  readonly members: number
  readonly topics: number
  readonly partitions: number
  /** How many of the topics a member reads, about. */
  readonly reads: number
  readonly racks: number
}

const shapes: readonly Shape[] = [0, 3, 1_000].flatMap((racks) => [
  { members: 1_000, topics: 1, partitions: 10_000, reads: 1, racks },
  { members: 1_000, topics: 100, partitions: 100, reads: 100, racks },
  { members: 1_000, topics: 100, partitions: 100, reads: 50, racks },
  { members: 1_000, topics: 100, partitions: 100, reads: 2, racks },
  { members: 1_000, topics: 10, partitions: 1_000, reads: 5, racks },
  { members: 1_000, topics: 1_000, partitions: 10, reads: 20, racks },
])

let seed = 1
/** The same numbers in every run. */
function random(): number {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

function build(shape: Shape): AssignorInput {
  const racksOf = (topic: number, partition: number) =>
    shape.racks === 0 ? [] : [0, 1, 4].map((step) => `rack-${(topic * 7 + partition * 3 + step) % shape.racks}`)
  const topics = Array.from({ length: shape.topics }, (_, topic) => ({
    topicId: `topic-${topic}`,
    name: `topic-${topic}`,
    partitionCount: shape.partitions,
    racksOf: (partition: number) => racksOf(topic, partition),
  }))
  const homogeneous = shape.reads === shape.topics
  const members = Array.from({ length: shape.members }, (_, member): AssignorMember => {
    const read = topics.filter(() => homogeneous || random() < shape.reads / shape.topics)
    return {
      memberId: `member-${member}`,
      instanceId: null,
      rackId: shape.racks === 0 ? null : `rack-${member % shape.racks}`,
      topicIds: new Set(read.map(({ topicId }) => topicId)),
      target: new Map(),
    }
  })
  return { members, topics, homogeneous }
}

function afterwards(input: AssignorInput, assignment: GroupAssignment, gone: number): AssignorInput {
  const members = input.members.slice(gone).map((member) => ({ ...member, target: assignment.get(member.memberId)! }))
  return { ...input, members }
}

function timed(
  assignor: Assignor,
  input: AssignorInput,
): { readonly took: string; readonly assignment: GroupAssignment } {
  const start = performance.now()
  const assignment = assignor.assign(input)
  return { took: (performance.now() - start).toFixed(0), assignment }
}

for (const assignor of assignors) {
  console.table(
    shapes.map((shape) => {
      const input = build(shape)
      const fresh = timed(assignor, input)
      const settled = timed(assignor, afterwards(input, fresh.assignment, 0))
      const less = timed(assignor, afterwards(input, fresh.assignment, 10))
      const { topics, partitions, reads, racks } = shape
      return {
        assignor: assignor.name,
        partitions: `${topics} x ${partitions}`,
        'reads of topics': `${reads}/${topics}`,
        racks,
        fresh: fresh.took,
        settled: settled.took,
        '10 gone': less.took,
      }
    }),
  )
}
