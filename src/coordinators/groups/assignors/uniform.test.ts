import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  afterwards,
  assertComplete,
  assertOrderDoesNotMatter,
  count,
  group,
  groups,
  inRack,
  loads,
  moved,
  owners,
  rackless,
  type Written,
  type WrittenMember,
  type WrittenTopic,
  written,
} from './assignor.contract.ts'
import type { AssignorInput } from './assignor.ts'
import { uniform } from './uniform.ts'

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

interface Case {
  readonly does: string
  readonly topics: Readonly<Record<string, WrittenTopic>>
  readonly members: Readonly<Record<string, WrittenMember>>
  readonly answer: Readonly<Record<string, Written>>
}

const cases: readonly Case[] = [
  { does: 'one member gets all', topics: { a: 3 }, members: { m: { reads: ['a'] } }, answer: { m: { a: [0, 1, 2] } } },
  {
    does: 'partitions follow one another, and the first members have more',
    topics: { a: 3, b: 2 },
    members: { m1: { reads: ['a', 'b'] }, m2: { reads: ['a', 'b'] } },
    answer: { m1: { a: [0, 1, 2] }, m2: { b: [0, 1] } },
  },
  {
    does: 'members without partitions are answered',
    topics: { a: 1 },
    members: { m1: { reads: ['a'] }, m2: { reads: ['a'] } },
    answer: { m1: { a: [0] }, m2: {} },
  },
  { does: 'who reads nothing gets nothing', topics: {}, members: { m: { reads: [] } }, answer: { m: {} } },
  {
    does: 'a newcomer takes from those who have most',
    topics: { a: 6 },
    members: {
      m1: { reads: ['a'], has: { a: [0, 2, 4] } },
      m2: { reads: ['a'], has: { a: [1, 3, 5] } },
      m0: { reads: ['a'] },
    },
    answer: { m0: { a: [4, 5] }, m1: { a: [0, 2] }, m2: { a: [1, 3] } },
  },
  {
    does: 'whoever has one more keeps it',
    topics: { a: 3 },
    members: { m1: { reads: ['a'], has: { a: [0] } }, m2: { reads: ['a'], has: { a: [1, 2] } } },
    answer: { m1: { a: [0] }, m2: { a: [1, 2] } },
  },
  {
    does: 'new partitions go to those who have least',
    topics: { a: 4 },
    members: { m1: { reads: ['a'], has: { a: [0, 1] } }, m2: { reads: ['a'], has: {} } },
    answer: { m1: { a: [0, 1] }, m2: { a: [2, 3] } },
  },
  {
    does: 'what is no longer read is given up, and what is gone is forgotten',
    topics: { a: 2, b: 2 },
    members: { m1: { reads: ['a'], has: { a: [0, 1, 2, 3], b: [0, 1], gone: [0] } } },
    answer: { m1: { a: [0, 1] } },
  },
  {
    does: 'two that hold the same keep one copy of it',
    topics: { a: 2 },
    members: { m1: { reads: ['a'], has: { a: [0, 1] } }, m2: { reads: ['a'], has: { a: [0, 1] } } },
    answer: { m1: { a: [0] }, m2: { a: [1] } },
  },
  {
    does: 'who reads more than one topic leaves the shared one to the other',
    topics: { a: 4, b: 4 },
    members: { m1: { reads: ['a', 'b'] }, m2: { reads: ['b'] } },
    answer: { m1: { a: [0, 1, 2, 3] }, m2: { b: [0, 1, 2, 3] } },
  },
  {
    does: 'a chain of moves evens out what no single topic can',
    topics: { a: 14, b: 16 },
    members: {
      m1: { reads: ['a'], has: { a: numbers(0, 9) } },
      m2: { reads: ['a', 'b'], has: { a: numbers(9, 14), b: numbers(0, 5) } },
      m3: { reads: ['b'], has: { b: numbers(5, 16) } },
    },
    answer: {
      m1: { a: [...numbers(0, 9), 13] },
      m2: { a: numbers(9, 13), b: [...numbers(0, 5), 15] },
      m3: { b: numbers(5, 15) },
    },
  },
  {
    does: 'a member gets what is in its rack',
    topics: { a: [['x'], ['y'], ['x'], ['y']] },
    members: { m1: { reads: ['a'], rack: 'y' }, m2: { reads: ['a'], rack: 'x' } },
    answer: { m1: { a: [1, 3] }, m2: { a: [0, 2] } },
  },
  {
    does: 'a rack never moves what balance lets stay',
    topics: { a: [['x'], ['y']] },
    members: { m1: { reads: ['a'], rack: 'x', has: { a: [1] } }, m2: { reads: ['a'], rack: 'y', has: { a: [0] } } },
    answer: { m1: { a: [1] }, m2: { a: [0] } },
  },
  {
    does: 'a member that must give up partitions gives up those in other racks',
    topics: { a: [['y'], ['x'], ['y'], ['x']] },
    members: { m1: { reads: ['a'], rack: 'x', has: { a: [0, 1, 2, 3] } }, m2: { reads: ['a'] } },
    answer: { m1: { a: [1, 3] }, m2: { a: [0, 2] } },
  },
  {
    does: 'the one partition more stays with whoever reads it within its rack',
    topics: { a: [['x'], ['x'], ['x'], ['y'], ['y']] },
    members: {
      m1: { reads: ['a'], rack: 'y', has: { a: [0, 1] } },
      m2: { reads: ['a'], rack: 'y', has: { a: [3, 4] } },
      m3: { reads: ['a'] },
      m4: { reads: ['a'] },
    },
    answer: { m1: { a: [0] }, m2: { a: [3, 4] }, m3: { a: [1] }, m4: { a: [2] } },
  },
]

for (const each of cases) {
  test(`uniform: ${each.does}`, () => {
    const input = group(each.topics, each.members)
    const assignment = uniform.assign(input)
    assertComplete(input, assignment)
    assert.deepEqual(written(assignment), each.answer)
  })
}

const ascending = (a: number, b: number) => a - b

for (const homogeneous of [true, false]) {
  const kind = homogeneous ? 'members that read the same' : 'members that read different topics'

  test(`uniform: of ${kind}, each partition has exactly one reader as owner`, () => {
    fc.assert(
      fc.property(groups({ homogeneous, racks: true }), (input) => assertComplete(input, uniform.assign(input))),
    )
  })

  test(`uniform: for ${kind}, the order of the lists does not matter`, () => {
    fc.assert(fc.property(groups({ homogeneous, racks: true }), (input) => assertOrderDoesNotMatter(uniform, input)))
  })

  test(`uniform: for ${kind}, what is settled stays as it is`, () => {
    fc.assert(
      fc.property(groups({ homogeneous, racks: true }), (input) => {
        const assignment = uniform.assign(input)
        assert.deepEqual(written(uniform.assign(afterwards(input, assignment))), written(assignment))
      }),
    )
  })

  test(`uniform: for ${kind}, racks make it no less even`, () => {
    fc.assert(
      fc.property(groups({ homogeneous, racks: true }), (input) => {
        const without = loads(uniform.assign(rackless(input)))
        assert.deepEqual(loads(uniform.assign(input)).sort(ascending), without.sort(ascending))
      }),
    )
  })
}

test('uniform: for members that read the same, racks move no more', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true }), (start) => {
      // One holder at most of each partition, as in any group that has been assigned to before.
      const former = { ...start, members: start.members.slice(0, -1) }
      const before = uniform.assign(afterwards(former, new Map()))
      const input = afterwards(start, before)
      assert.equal(moved(before, uniform.assign(input)), moved(before, uniform.assign(rackless(input))))
    }),
  )
})

test('uniform: members that read the same have as many partitions as one another, or one more', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true, membersMax: 12 }), (input) => {
      const all = loads(uniform.assign(input))
      assert.ok(Math.max(...all) - Math.min(...all) <= 1)
    }),
  )
})

test('uniform: members that read the same keep as much as balance allows', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true }), fc.nat(), (start, who) => {
      // From a settled group one member goes: what the others keep can be said beforehand.
      const settled = uniform.assign(start)
      const others = start.members.filter((_, index) => index !== who % start.members.length)
      fc.pre(others.length > 0)
      const input = afterwards(start, settled, others)
      const after = uniform.assign(input)
      for (const { memberId, target } of input.members) {
        for (const [topicId, partitions] of target) {
          const now = after.get(memberId)!.get(topicId)!
          assert.ok(partitions.every((partition) => now.includes(partition)))
        }
      }
    }),
  )
})

test('uniform: a newcomer gets its share, and nothing else moves', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true }), (start) => {
      const settled = uniform.assign(start)
      const newcomer = { ...start.members[0]!, memberId: 'new', instanceId: null }
      const after = uniform.assign(afterwards(start, settled, [...start.members, newcomer]))
      assert.equal(moved(settled, after), count(after.get('new')!))
    }),
  )
})

test('uniform: of members that read different topics, no two could change partitions of a topic and have more of what they had', () => {
  const shape = { homogeneous: false, racks: false }
  fc.assert(
    fc.property(groups(shape), groups(shape), ({ topics, ...start }, next) => {
      const before = uniform.assign(afterwards({ ...start, topics }, new Map()))
      const input = afterwards({ ...next, topics: next.topics }, before)
      const now = owners(uniform.assign(input))
      const home = new Map<string, string>()
      for (const { memberId, target, topicIds } of input.members) {
        for (const [topicId, partitions] of target) {
          if (topicIds.has(topicId)) for (const partition of partitions) home.set(`${topicId}-${partition}`, memberId)
        }
      }
      const topicOf = (partition: string) => partition.slice(0, partition.indexOf('-'))
      for (const [lost, owner] of now) {
        const former = home.get(lost)
        if (former === undefined || former === owner) continue
        const stranger = [...now].find(([each, holder]) => {
          return holder === former && topicOf(each) === topicOf(lost) && home.get(each) !== former
        })
        assert.equal(stranger, undefined, `${former} would rather have ${lost}`)
      }
    }),
    { numRuns: 3_000 },
  )
})

/** The least sum of squared loads there is: every way to give each partition to one of its readers. */
function evenest({ members, topics }: AssignorInput): number {
  const readers = topics.flatMap(({ topicId, partitionCount }) => {
    const own = members.flatMap(({ topicIds }, index) => (topicIds.has(topicId) ? [index] : []))
    return own.length === 0 ? [] : Array.from({ length: partitionCount }, () => own)
  })
  // Only how much each has matters: a set of loads for each prefix of the partitions.
  let reached = new Set([members.map(() => 0).join()])
  for (const own of readers) {
    const next = new Set<string>()
    for (const each of reached) {
      const all = each.split(',').map(Number)
      for (const member of own) next.add(all.map((load, index) => (index === member ? load + 1 : load)).join())
    }
    reached = next
  }
  return Math.min(...[...reached].map((each) => squares(each.split(',').map(Number))))
}

const squares = (all: readonly number[]) => all.reduce((sum, load) => sum + load * load, 0)

test('uniform: members that read different topics are as even as any assignment could make them', () => {
  fc.assert(
    fc.property(groups({ homogeneous: false, racks: true, membersMax: 4, partitionsMax: 4 }), (input) => {
      assert.equal(squares(loads(uniform.assign(input))), evenest(input))
    }),
  )
})

test('uniform: members that come with nothing read within their racks as much as can be, being even', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true, membersMax: 3, partitionsMax: 2 }), (start) => {
      const input = afterwards(start, new Map())
      assert.equal(inRack(input, uniform.assign(input)), nearest(input))
    }),
  )
})

/** The most partitions read within a rack, of all ways that are even. */
function nearest(input: AssignorInput): number {
  const { members, topics } = input
  const partitions = topics.flatMap((topic) => {
    return members[0]!.topicIds.has(topic.topicId)
      ? Array.from({ length: topic.partitionCount }, (_, index) => topic.racksOf(index))
      : []
  })
  const share = Math.ceil(partitions.length / members.length)
  let reached = new Map([[members.map(() => 0).join(), 0]])
  for (const racks of partitions) {
    const next = new Map<string, number>()
    for (const [each, near] of reached) {
      const all = each.split(',').map(Number)
      for (const [member, { rackId }] of members.entries()) {
        if ((all[member] ?? 0) === share) continue
        const key = all.map((load, index) => (index === member ? load + 1 : load)).join()
        const nearer = near + (rackId !== null && racks.includes(rackId) ? 1 : 0)
        next.set(key, Math.max(next.get(key) ?? 0, nearer))
      }
    }
    reached = next
  }
  const even = [...reached].filter(([each]) => {
    const all = each.split(',').map(Number)
    return Math.max(...all) - Math.min(...all) <= 1
  })
  return Math.max(...even.map(([, near]) => near))
}

test('uniform: where no replica has a known rack, members say for nothing where they are', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true }), (input) => {
      const unplaced = { ...input, topics: input.topics.map((topic) => ({ ...topic, racksOf: () => [] })) }
      assert.deepEqual(written(uniform.assign(unplaced)), written(uniform.assign(rackless(input))))
    }),
  )
})
