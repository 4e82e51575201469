import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { collidingName, manualReplicas, topicNameProblem } from './topic-rules.ts'

describe('the name of a topic', () => {
  for (const name of ['a', 'orders', 'A-b_c.9', '...', 'x'.repeat(249), '__consumer_offsets', '-']) {
    test(`may be '${name.slice(0, 30)}'`, () => assert.equal(topicNameProblem(name), null))
  }
  for (const name of ['', '.', '..', 'a b', 'ä', 'a/b', 'a\n', 'x'.repeat(250), 'a:b', 'a,b']) {
    test(`must not be ${JSON.stringify(name.slice(0, 30))}`, () => {
      const problem = topicNameProblem(name)
      assert.equal(problem?.error, ErrorCode.INVALID_TOPIC_EXCEPTION)
      assert.match(problem.message, /^Topic name is invalid: /)
    })
  }
})

for (const { name, others, collides } of [
  { name: 'a.b', others: ['a_b'], collides: 'a_b' },
  { name: 'a_b', others: ['x', 'a.b'], collides: 'a.b' },
  { name: 'a.b.c', others: ['a.b_c'], collides: 'a.b_c' },
  { name: 'a.b', others: ['a.b'], collides: null },
  { name: 'a.b', others: ['a-b', 'a.c', 'a_b_'], collides: null },
  { name: 'ab', others: ['a.b'], collides: null },
]) {
  test(`'${name}' beside ${others.join()} collides with ${collides}`, () => {
    assert.equal(collidingName(name, others), collides)
  })
}

describe('a manual assignment', () => {
  const isLive = (id: number) => id <= 3
  const of = (...replicas: number[][]) => replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))

  test('gives each partition its replicas, in whatever order it comes', () => {
    assert.deepEqual(manualReplicas(of([1, 2], [2, 3]).toReversed(), isLive), {
      ok: true,
      replicas: [
        [1, 2],
        [2, 3],
      ],
    })
  })

  for (const { what, assignments, message } of [
    { what: 'a partition twice', assignments: [...of([1]), ...of([2])], message: /multiple manual/ },
    { what: 'a gap', assignments: [{ partitionIndex: 1, brokerIds: [1] }], message: /consecutive/ },
    { what: 'a negative index', assignments: [{ partitionIndex: -1, brokerIds: [1] }], message: /consecutive/ },
    { what: 'no replicas', assignments: of([]), message: /empty replica list/ },
    { what: 'an unknown broker', assignments: of([1, 9]), message: /broker 9, but no such/ },
    { what: 'a broker twice', assignments: of([1, 1]), message: /broker 1 more than once/ },
    { what: 'different factors', assignments: of([1, 2], [3]), message: /not consistent/ },
  ]) {
    test(`is refused with ${what}`, () => {
      const result = manualReplicas(assignments, isLive)
      assert.ok(!result.ok)
      assert.equal(result.error, ErrorCode.INVALID_REPLICA_ASSIGNMENT)
      assert.match(result.message, message)
    })
  }
})
