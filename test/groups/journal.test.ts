import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type Observation, observationOf } from './journal.ts'

/** `MEMBER KIND ARGUMENT...` in order of time. */
function observed(...lines: readonly string[]): Observation[] {
  return lines.map((line, index) => {
    const [member, kind, ...rest] = line.split(' ')
    const at = 1_700_000_000_000_000 + index * 2000
    if (kind === 'ended') return { at, member: member!, kind }
    const one = observationOf(member!, [at, kind, ...rest].join(' '))
    assert.ok(one !== null, line)
    return one
  })
}

const strict = { readsWhileJoining: false }

const reading = ['a assigned t:0', 'a record t 0 0 x', 'a committing t 0 1', 'a committed t 0 1', 'a record t 0 1 y']

test('a partition handed over goes on at the committed offset', () => {
  const { problems, again } = judge(
    observed(...reading, 'a revoked t:0', 'b assigned t:0', 'b record t 0 1 y', 'b record t 0 2 z'),
    strict,
  )
  assert.deepEqual({ problems, again }, { problems: [], again: 1 })
})

test('members whose clocks say the same millisecond may be heard in either order', () => {
  const lines = observed(...reading, 'b assigned t:0', 'a revoked t:0')
  const at = lines.at(-2)!.at
  assert.deepEqual(judge([...lines.slice(0, -1), { ...lines.at(-1)!, at }], strict).problems, [])
})

test('a commit that nobody heard of may have been kept', () => {
  const kept = observed(...reading, 'a committing t 0 2', 'a ended', 'b assigned t:0', 'b record t 0 2 z')
  assert.deepEqual(judge(kept, strict).problems, [])
})

const wrong: readonly { readonly name: string; readonly lines: readonly string[]; readonly problem: RegExp }[] = [
  {
    name: 'a record that was committed is read again',
    lines: [...reading, 'a revoked t:0', 'b assigned t:0', 'b record t 0 0 x'],
    problem: /^b read offset 0 of t:0 again, though 1 was committed/,
  },
  {
    name: 'a record that was read and not committed is passed over by the next owner',
    lines: [...reading, 'a revoked t:0', 'b assigned t:0', 'b record t 0 2 z'],
    problem: /^b passed over offsets 1 to 1 of t:0/,
  },
  {
    name: 'a record is passed over by the one who reads',
    lines: [...reading, 'a record t 0 3 z'],
    problem: /^a passed over offsets 2 to 2 of t:0/,
  },
  {
    name: 'a partition is assigned before it is revoked',
    lines: [...reading, 'b assigned t:0', 'a revoked t:0'],
    problem: /^t:0 was given up by a when b already owned it/,
  },
  {
    name: 'two members own a partition in the end',
    lines: [...reading, 'b assigned t:0'],
    problem: /^t:0 is owned by a and b/,
  },
  {
    name: 'a committed offset goes back',
    lines: [...reading, 'a committing t 0 0', 'a committed t 0 0'],
    problem: /^a committed 0 of t:0, behind 1/,
  },
  {
    name: 'a member reads what it has given up',
    lines: [...reading, 'a revoked t:0', 'a record t 0 2 z'],
    problem: /^a read offset 2 of t:0, which is not its own/,
  },
]

for (const { name, lines, problem } of wrong) {
  test(`it is a problem when ${name}`, () => {
    const { problems } = judge(observed(...lines), strict)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0]!, problem)
  })
}

test('a member that finds out late that it has lost a partition is counted, and no problem', () => {
  const { problems, lostLate } = judge(observed(...reading, 'b assigned t:0', 'b record t 0 1 y', 'a lost t:0'), strict)
  assert.deepEqual({ problems, lostLate }, { problems: [], lostLate: 1 })
})

test('a client that reads on while it joins may go on from there when it keeps the partition', () => {
  const lines = [...reading, 'a revoked t:0', 'a record t 0 2 z', 'a assigned t:0', 'a record t 0 3 q']
  assert.deepEqual(judge(observed(...lines), { readsWhileJoining: true }).problems, [])
})

test('lines that a library prints by itself are no observations', () => {
  assert.equal(observationOf('a', 'WARN something'), null)
  assert.equal(observationOf('a', '1700000000000000 sneezed'), null)
})
