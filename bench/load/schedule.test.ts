import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dealtTo, Schedule } from './schedule.ts'

test('what falls within a step is due together at its end', () => {
  const schedule = new Schedule({ perSecond: 1000, stepMs: 5, startMs: 100 })
  assert.deepEqual(
    [99, 104.9, 105, 109.9, 110].map((nowMs) => schedule.dueBy(nowMs)),
    [0, 0, 5, 5, 10],
  )
  assert.deepEqual(
    [0, 4, 5, 9].map((number) => schedule.dueMs(number)),
    [105, 105, 110, 110],
  )
})

test('at any rate, a number is due from when it is said to be due', () => {
  for (const perSecond of [1, 7, 100, 1000, 10_000, 50_000]) {
    for (const stepMs of [0.25, 1, 5]) {
      const schedule = new Schedule({ perSecond, stepMs, startMs: 0 })
      for (const number of [0, 1, 2, 10, 999, 12_345]) {
        const dueMs = schedule.dueMs(number)
        assert.ok(schedule.dueBy(dueMs + stepMs / 2) > number, `${number} at ${perSecond} in ${stepMs}`)
        assert.ok(schedule.dueBy(dueMs - stepMs / 2) <= number, `${number} at ${perSecond} in ${stepMs}`)
        const evenlyMs = (number * 1000) / perSecond
        assert.ok(dueMs >= evenlyMs && dueMs <= evenlyMs + stepMs + 1e-6)
      }
    }
  }
})

test('numbers are dealt in turn', () => {
  assert.deepEqual(
    [0, 1, 2].map((hand) => dealtTo(hand, 3, 7)),
    [3, 2, 2],
  )
  assert.deepEqual(
    [0, 1, 2].map((hand) => dealtTo(hand, 3, 1)),
    [1, 0, 0],
  )
  assert.equal(dealtTo(0, 3, 0), 0)
})
