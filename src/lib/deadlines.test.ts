import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'

import { type Deadline, Deadlines } from './deadlines.ts'

/** Everything due at `now`, in order. */
function takeAll(deadlines: Deadlines<string>, now: number): string[] {
  const taken: string[] = []
  for (let next = deadlines.take(now); next !== undefined; next = deadlines.take(now)) taken.push(next.value)
  return taken
}

test('what is due is taken in order of time, and among equals in order of being set', () => {
  const deadlines = new Deadlines<string>()
  for (const [due, value] of [
    [3, 'd'],
    [1, 'a'],
    [2, 'b'],
    [2, 'c'],
    [9, 'e'],
  ] as const)
    deadlines.add(due, value)
  assert.equal(deadlines.nextCheck, 1)
  assert.deepEqual(takeAll(deadlines, 3), ['a', 'b', 'c', 'd'])
  assert.equal(deadlines.nextCheck, 9)
  assert.equal(deadlines.size, 1)
})

test('a deadline that is put off is due at its new time, after those that had it before', () => {
  const deadlines = new Deadlines<string>()
  const moved = deadlines.add(1, 'moved')
  deadlines.add(5, 'other')
  for (const due of [2, 3, 4, 5]) deadlines.move(moved, due)
  assert.equal(deadlines.size, 2, 'it is in the heap once')
  assert.deepEqual(takeAll(deadlines, 4), [])
  assert.deepEqual(takeAll(deadlines, 5), ['other', 'moved'])
})

test('a deadline that is brought forward is due earlier', () => {
  const deadlines = new Deadlines<string>()
  deadlines.add(5, 'first')
  const moved = deadlines.add(9, 'moved')
  deadlines.move(moved, 4)
  assert.deepEqual(takeAll(deadlines, 4), ['moved'])
})

test('what is removed is never due, and removing it again does nothing', () => {
  const deadlines = new Deadlines<string>()
  const removed = deadlines.add(1, 'removed')
  deadlines.add(2, 'stays')
  deadlines.remove(removed)
  deadlines.remove(removed)
  assert.equal(deadlines.size, 1)
  assert.deepEqual(takeAll(deadlines, 9), ['stays'])
})

type Step =
  | { kind: 'set'; name: number; due: number }
  | { kind: 'remove'; name: number }
  | { kind: 'take'; now: number }
const name = fc.nat(7)
const time = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('set' as const), name, due: time }), weight: 4 },
  fc.record({ kind: fc.constant('remove' as const), name }),
  fc.record({ kind: fc.constant('take' as const), now: time }),
)

test('under any steps it answers as a sorted list would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const deadlines = new Deadlines<number>()
      const known = new Map<number, Deadline<number>>()
      let model: { name: number; due: number }[] = []
      for (const each of steps) {
        if (each.kind === 'take') {
          // A stable sort: the model is in order of being set.
          const expected = model.filter(({ due }) => due <= each.now).sort((a, b) => a.due - b.due)
          for (const { name: expectedName } of expected) {
            assert.equal(deadlines.take(each.now)?.value, expectedName)
            known.delete(expectedName)
          }
          assert.equal(deadlines.take(each.now), undefined)
          model = model.filter(({ due }) => due > each.now)
        } else {
          model = model.filter((other) => other.name !== each.name)
          const before = known.get(each.name)
          if (each.kind === 'remove') {
            if (before !== undefined) deadlines.remove(before)
            known.delete(each.name)
          } else {
            if (before === undefined) known.set(each.name, deadlines.add(each.due, each.name))
            else deadlines.move(before, each.due)
            model.push({ name: each.name, due: each.due })
          }
        }
        assert.equal(deadlines.size, model.length)
        assert.ok(deadlines.nextCheck <= Math.min(Infinity, ...model.map(({ due }) => due)))
      }
    }),
  )
})
