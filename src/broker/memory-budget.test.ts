import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBudget } from './memory-budget.ts'

const member = () => {
  const seen = { resumed: 0, resumeReading: () => void seen.resumed++ }
  return seen
}

test('whoever exceeds the budget waits until there is room, in order of arrival', () => {
  const budget = new MemoryBudget(100)
  const [first, second, third] = [member(), member(), member()]
  assert.equal(budget.take(first, 90), true)
  assert.equal(budget.take(second, 20), true, 'one may go on, so that something is always finished')
  assert.equal(budget.take(third, 5), false)
  budget.give(90)
  assert.equal(third.resumed, 1)
  assert.equal(budget.usedBytes, 25)
})

test('when everybody has half a frame, the favoured one goes on, and hands on its place when it is done', () => {
  const budget = new MemoryBudget(10)
  const [first, second] = [member(), member()]
  assert.equal(budget.take(first, 11), true)
  assert.equal(budget.take(second, 11), false)
  assert.equal(budget.take(first, 11), true)
  budget.settle(first)
  assert.equal(second.resumed, 1)
  assert.equal(budget.take(second, 1), true)
  assert.equal(budget.take(first, 1), false)
})

test('a favoured one that leaves makes room for another', () => {
  const budget = new MemoryBudget(10)
  const [first, second] = [member(), member()]
  budget.take(first, 11)
  budget.take(second, 1)
  budget.give(11)
  budget.leave(first)
  assert.equal(second.resumed, 1)
})

test('one that left while it waited is never resumed', () => {
  const budget = new MemoryBudget(10)
  const [first, second] = [member(), member()]
  budget.take(first, 11)
  budget.take(second, 1)
  budget.leave(second)
  budget.give(12)
  assert.equal(second.resumed, 0)
})
