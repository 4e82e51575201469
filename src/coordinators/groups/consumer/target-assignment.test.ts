import assert from 'node:assert/strict'
import test from 'node:test'

import { isTooYoung } from './target-assignment.ts'

const cases = [
  { name: 'before the interval is over', targetTimestamp: 1000, now: 1999, tooYoung: true },
  { name: 'when the interval is over', targetTimestamp: 1000, now: 2000, tooYoung: false },
  { name: 'when nobody knows its age', targetTimestamp: 0, now: 600_000, tooYoung: false },
  { name: 'when it comes from a clock that is ahead', targetTimestamp: 600_000, now: 1000, tooYoung: false },
]
for (const { name, targetTimestamp, now, tooYoung } of cases) {
  test(`a target ${tooYoung ? 'is too young' : 'may be followed by another'} ${name}`, () => {
    assert.equal(isTooYoung(targetTimestamp, 1000, now), tooYoung)
  })
}

test('without an interval no target is too young', () => {
  assert.equal(isTooYoung(1000, 0, 1000), false)
})
