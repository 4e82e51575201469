import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BudgetMember, MemoryBudget } from './memory-budget.ts'

class Member implements BudgetMember {
  resumed = 0
  stopped = 0
  readonly turns: number[] = []
  readonly #budget: MemoryBudget
  readonly #needsMore: boolean

  constructor(budget: MemoryBudget, needsMore = true) {
    this.#budget = budget
    this.#needsMore = needsMore
  }

  /** Brings bytes; whether it may go on. */
  bring(bytes: number): boolean {
    this.#budget.take(this, bytes)
    return this.#budget.mayRead(this)
  }

  resumeReading(): boolean {
    this.resumed += 1
    return this.#needsMore
  }

  stopReading(): void {
    this.stopped += 1
  }

  endTurn(bytes: number): void {
    this.turns.push(bytes)
  }
}

function members(limitBytes: number) {
  const budget = new MemoryBudget(limitBytes)
  return { budget, first: new Member(budget), second: new Member(budget), third: new Member(budget) }
}

test('whoever exceeds the budget waits until there is room, save one', () => {
  const { budget, first, second, third } = members(100)
  assert.equal(first.bring(90), true)
  assert.equal(second.bring(20), true, 'one may go on, so that something is always finished')
  assert.equal(third.bring(5), false)
  budget.give(90)
  assert.equal(third.resumed, 1)
  assert.equal(budget.usedBytes, 25)
})

test('when everybody has half a frame, the favoured one goes on, and hands on its place when it is done', () => {
  const { budget, first, second } = members(10)
  assert.equal(first.bring(11), true)
  assert.equal(second.bring(11), false)
  assert.equal(first.bring(11), true)
  budget.pass(first)
  assert.equal(second.resumed, 1)
  assert.equal(second.bring(1), true)
  assert.equal(first.bring(1), false)
})

test('those who wait are favoured in the order in which they came', () => {
  const { budget, first, second, third } = members(10)
  for (const member of [first, second, third]) member.bring(11)
  budget.pass(first)
  assert.deepEqual([second.resumed, third.resumed], [1, 0])
  budget.pass(second)
  assert.deepEqual([second.resumed, third.resumed], [1, 1])
})

test('one that reading does not help is not favoured: the next is', () => {
  const { budget, first, third } = members(10)
  const helpless = new Member(budget, false)
  for (const member of [first, helpless, third]) member.bring(11)
  budget.pass(first)
  assert.deepEqual([helpless.resumed, third.resumed], [1, 1])
  assert.equal(third.bring(1), true)
})

test('a favoured one that leaves makes room for another', () => {
  const { budget, first, second } = members(10)
  first.bring(11)
  second.bring(1)
  budget.leave(first)
  budget.give(11)
  assert.equal(second.resumed, 1)
})

test('one that left while it waited is never resumed', () => {
  const { budget, first, second } = members(10)
  first.bring(11)
  second.bring(1)
  budget.leave(second)
  budget.give(12)
  assert.equal(second.resumed, 0)
})

test('a favoured one that does not come to an end hands on its place after a whole turn, and comes again at the end', () => {
  const { budget, first, second, third } = members(10)
  for (const member of [first, second, third]) member.bring(11)
  budget.rotate()
  assert.equal(first.stopped, 0, 'its turn began some time before the call: it gets a whole one')
  first.bring(7)
  budget.rotate()
  assert.deepEqual([first.stopped, first.turns, second.resumed], [1, [7], 1])
  budget.pass(second)
  budget.pass(third)
  assert.equal(first.resumed, 1)
})

test('a favoured one that nobody waits for keeps its place', () => {
  const { budget, first } = members(10)
  first.bring(11)
  budget.rotate()
  budget.rotate()
  assert.deepEqual([first.stopped, first.turns], [0, []])
})
