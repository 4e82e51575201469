import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  assertComplete,
  assertOrderDoesNotMatter,
  count,
  group,
  groups,
  inRack,
  rackless,
  type Written,
  type WrittenMember,
  type WrittenTopic,
  written,
} from './assignor.contract.ts'
import { range } from './range.ts'

const both = { reads: ['a', 'b'] }
interface Case {
  readonly does: string
  readonly topics: Readonly<Record<string, WrittenTopic>>
  readonly members: Readonly<Record<string, WrittenMember>>
  readonly answer: Readonly<Record<string, Written>>
}

const cases: readonly Case[] = [
  {
    does: 'each topic is cut in the order of the members, the first have more',
    topics: { a: 3, b: 3 },
    members: { m2: both, m1: both },
    answer: { m1: { a: [0, 1], b: [0, 1] }, m2: { a: [2], b: [2] } },
  },
  {
    does: 'topics of different size are cut each by itself',
    topics: { a: 3, b: 5 },
    members: { m1: both, m2: both },
    answer: { m1: { a: [0, 1], b: [0, 1, 2] }, m2: { a: [2], b: [3, 4] } },
  },
  {
    does: 'a topic is cut among those who read it',
    topics: { a: 3, b: 2, c: 2 },
    members: { m1: { reads: ['a'] }, m2: { reads: ['a', 'b'] }, m3: { reads: ['b', 'c'] } },
    answer: { m1: { a: [0, 1] }, m2: { a: [2], b: [0] }, m3: { b: [1], c: [0, 1] } },
  },
  {
    does: 'more members than partitions leaves the last without',
    topics: { a: 2 },
    members: { m1: { reads: ['a'] }, m2: { reads: ['a'] }, m3: { reads: ['a'] } },
    answer: { m1: { a: [0] }, m2: { a: [1] }, m3: {} },
  },
  {
    does: 'static members stand first, by instance id, whatever their member ids',
    topics: { a: 4 },
    members: {
      m1: { reads: ['a'] },
      m8: { reads: ['a'], instance: 'i2' },
      m9: { reads: ['a'], instance: 'i1' },
      m0: { reads: ['a'] },
    },
    answer: { m0: { a: [2] }, m1: { a: [3] }, m8: { a: [1] }, m9: { a: [0] } },
  },
  {
    does: 'what members have had does not matter',
    topics: { a: 2 },
    members: { m1: { reads: ['a'], has: { a: [1] } }, m2: { reads: ['a'], has: { a: [0] } } },
    answer: { m1: { a: [0] }, m2: { a: [1] } },
  },
  {
    does: 'ranges are given up for racks, shares are not',
    topics: { a: [['x'], ['x'], ['y'], ['x'], ['x']] },
    members: { m1: { reads: ['a'], rack: 'y' }, m2: { reads: ['a'], rack: 'x' } },
    answer: { m1: { a: [0, 1, 2] }, m2: { a: [3, 4] } },
  },
  {
    does: 'a partition counts as near when all the topics that are cut alike have it there',
    topics: {
      a: [['x'], ['x', 'y']],
      b: [['x', 'y'], ['y']],
    },
    members: { m1: { reads: ['a', 'b'], rack: 'y' }, m2: { reads: ['a', 'b'], rack: 'x' } },
    answer: { m1: { a: [1], b: [1] }, m2: { a: [0], b: [0] } },
  },
  {
    does: 'where nothing is near, ranges are whole',
    topics: { a: [['x'], ['x'], ['x'], ['x']] },
    members: { m1: { reads: ['a'], rack: 'y' }, m2: { reads: ['a'], rack: 'z' } },
    answer: { m1: { a: [0, 1] }, m2: { a: [2, 3] } },
  },
  { does: 'who reads nothing gets nothing', topics: {}, members: { m: { reads: [] } }, answer: { m: {} } },
]

for (const { does, topics, members, answer } of cases) {
  test(`range: ${does}`, () => {
    const input = group(topics, members)
    assert.deepEqual(written(range.assign(input)), answer)
  })
}

for (const homogeneous of [true, false]) {
  const kind = homogeneous ? 'members that read the same' : 'members that read different topics'

  test(`range: of ${kind}, each partition has exactly one reader as owner`, () => {
    fc.assert(fc.property(groups({ homogeneous, racks: true }), (input) => assertComplete(input, range.assign(input))))
  })

  test(`range: for ${kind}, the order of the lists does not matter`, () => {
    fc.assert(fc.property(groups({ homogeneous, racks: true }), (input) => assertOrderDoesNotMatter(range, input)))
  })

  test(`range: for ${kind}, racks change no share of a topic, and bring partitions nearer or leave them`, () => {
    fc.assert(
      fc.property(groups({ homogeneous, racks: true }), (input) => {
        const plain = range.assign(rackless(input))
        const near = range.assign(input)
        for (const { memberId } of input.members) {
          const shares = (assignment: typeof plain) => {
            return new Map([...assignment.get(memberId)!].map(([topicId, { length }]) => [topicId, length]))
          }
          assert.deepEqual(shares(near), shares(plain))
        }
      }),
    )
  })
}

test('range: where no rack is known, ranges are contiguous and shares differ by one at most', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: false }), (input) => {
      const assignment = range.assign(input)
      for (const { topicId, partitionCount } of input.topics) {
        if (!input.members[0]!.topicIds.has(topicId)) continue
        for (const topics of assignment.values()) {
          const own = topics.get(topicId) ?? []
          assert.ok(own.every((partition, index) => partition === own[0]! + index))
          const share = partitionCount / input.members.length
          assert.ok(own.length === Math.floor(share) || own.length === Math.ceil(share))
        }
      }
    }),
  )
})

test('range: topics of one size whose readers are the same are cut alike, near or not', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true }), (input) => {
      const assignment = range.assign(input)
      for (const one of input.topics) {
        for (const other of input.topics) {
          if (one.partitionCount !== other.partitionCount) continue
          for (const topics of assignment.values()) {
            if (!input.members[0]!.topicIds.has(one.topicId) || !input.members[0]!.topicIds.has(other.topicId)) continue
            assert.deepEqual(topics.get(one.topicId), topics.get(other.topicId))
          }
        }
      }
    }),
  )
})

test('range: of one topic, at least as much is near as in plain ranges', () => {
  fc.assert(
    fc.property(groups({ homogeneous: true, racks: true }), (start) => {
      const input = {
        ...start,
        topics: start.topics.slice(0, 1),
        members: start.members.map((member) => ({ ...member, topicIds: new Set(['a']) })),
      }
      const near = range.assign(input)
      assert.ok(inRack(input, near) >= inRack(input, range.assign(rackless(input))))
      assert.equal(
        [...near.values()].reduce((sum, topics) => sum + count(topics), 0),
        input.topics[0]!.partitionCount,
      )
    }),
  )
})
