// Where a partition is, and what is wanted in; where it goes, and what is read again or never, out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { planLines } from './group-reset-lines.ts'
import { planReset, type Position, type ResetGoal, type ResetPlan } from './group-reset-plan.ts'

const position = (committed: number | null, start = 100, end = 1000): Position => {
  return { topic: 'orders', partition: 0, committed, bounds: { start, end } }
}
const saved = (offset: number | null): ResetGoal => ({ kind: 'undo', saved: new Map([['orders-0', offset]]) })
const time = (offset: number): ResetGoal => ({ kind: 'datetime', timeMs: 5, offsets: new Map([['orders-0', offset]]) })

interface Case {
  readonly name: string
  readonly at: Position
  readonly goal: ResetGoal
  readonly to: number | null
  readonly reReads?: readonly [number, number]
  readonly skips?: readonly [number, number]
  readonly meant?: number
}

const cases: readonly Case[] = [
  { name: 'to the earliest', at: position(400), goal: { kind: 'earliest' }, to: 100, reReads: [100, 400] },
  { name: 'to the latest', at: position(400), goal: { kind: 'latest' }, to: 1000, skips: [400, 1000] },
  {
    name: 'to an offset before',
    at: position(400),
    goal: { kind: 'offset', offset: 250 },
    to: 250,
    reReads: [250, 400],
  },
  { name: 'to an offset after', at: position(400), goal: { kind: 'offset', offset: 450 }, to: 450, skips: [400, 450] },
  {
    name: 'to an offset that is deleted',
    at: position(400),
    goal: { kind: 'offset', offset: 3 },
    to: 100,
    reReads: [100, 400],
    meant: 3,
  },
  {
    name: 'to an offset that is not there yet',
    at: position(400),
    goal: { kind: 'offset', offset: 5000 },
    to: 1000,
    skips: [400, 1000],
    meant: 5000,
  },
  { name: 'back by some', at: position(400), goal: { kind: 'shiftBy', by: -50 }, to: 350, reReads: [350, 400] },
  {
    name: 'back by too many',
    at: position(120),
    goal: { kind: 'shiftBy', by: -50 },
    to: 100,
    reReads: [100, 120],
    meant: 70,
  },
  { name: 'on by some', at: position(400), goal: { kind: 'shiftBy', by: 50 }, to: 450, skips: [400, 450] },
  { name: 'to a time', at: position(400), goal: time(300), to: 300, reReads: [300, 400] },
  { name: 'to a time after the last record', at: position(400), goal: time(-1), to: 1000, skips: [400, 1000] },
  { name: 'back to what it was', at: position(400), goal: saved(700), to: 700, skips: [400, 700] },
  { name: 'back to having none', at: position(400), goal: saved(null), to: null },
  { name: 'of a partition that had none', at: position(null), goal: { kind: 'earliest' }, to: 100 },
  {
    name: 'what is deleted is neither read again nor skipped',
    at: position(20),
    goal: { kind: 'offset', offset: 300 },
    to: 300,
    skips: [100, 300],
  },
  {
    name: 'what was never there is not read again',
    at: position(4000),
    goal: { kind: 'earliest' },
    to: 100,
    reReads: [100, 1000],
  },
]

for (const { name, at, goal, to, reReads, skips, meant } of cases) {
  test(`a reset: ${name}`, () => {
    const [move] = planReset([at], goal).moves
    const range = (pair: readonly [number, number] | undefined) =>
      pair === undefined ? null : { from: pair[0], to: pair[1] }
    assert.deepEqual(move, {
      topic: 'orders',
      partition: 0,
      from: at.committed,
      to,
      meant: meant ?? null,
      reReads: range(reReads),
      skips: range(skips),
    })
  })
}

const alone: readonly {
  readonly name: string
  readonly at: Position
  readonly goal: ResetGoal
  readonly why: RegExp
}[] = [
  {
    name: 'a partition without a leader',
    at: { ...position(400), bounds: null },
    goal: { kind: 'earliest' },
    why: /no leader/,
  },
  { name: 'a shift from nowhere', at: position(null), goal: { kind: 'shiftBy', by: 1 }, why: /no offset is committed/ },
  {
    name: 'what the last reset left alone',
    at: position(400),
    goal: { kind: 'undo', saved: new Map() },
    why: /did not touch/,
  },
]
for (const { name, at, goal, why } of alone) {
  test(`left alone: ${name}`, () => {
    const { moves, leftAlone } = planReset([at], goal)
    assert.deepEqual(moves, [])
    assert.match(leftAlone[0]!.why, why)
  })
}

test('a partition that is where it should be does not move', () => {
  const plan = planReset([position(100)], { kind: 'earliest' })
  assert.deepEqual(plan, { moves: [], unchanged: [{ topic: 'orders', partition: 0 }], leftAlone: [] })
})

test('no reset leaves the log, and none both re-reads and skips', () => {
  const numbers = fc.nat({ max: 50 })
  fc.assert(
    fc.property(numbers, numbers, numbers, fc.integer({ min: -60, max: 60 }), (start, size, committed, by) => {
      const at = position(committed, start, start + size)
      for (const goal of [{ kind: 'shiftBy', by }, { kind: 'earliest' }, { kind: 'latest' }] as const) {
        for (const { to, reReads, skips } of planReset([at], goal).moves) {
          assert.ok(to !== null && to >= start && to <= start + size)
          assert.ok(reReads === null || skips === null)
        }
      }
    }),
  )
})

test('a preview says for each topic what is read again and what is skipped, with the times', () => {
  const at = (text: string): number => Date.parse(`2026-07-24T${text}`)
  const plan: ResetPlan = planReset(
    [
      { topic: 'orders', partition: 0, committed: 900, bounds: { start: 0, end: 1000 } },
      { topic: 'orders', partition: 1, committed: 740, bounds: { start: 0, end: 1000 } },
      { topic: 'payments', partition: 0, committed: null, bounds: { start: 0, end: 10 } },
    ],
    { kind: 'offset', offset: 200 },
  )
  const none = new Map<string, number>()
  const reReads = {
    first: new Map([
      ['orders-0', at('09:12:30')],
      ['orders-1', at('09:14:00')],
    ]),
    last: new Map([
      ['orders-0', at('09:20:00')],
      ['orders-1', at('09:31:10')],
    ]),
  }
  assert.deepEqual(planLines(plan, { reReads, skips: { first: none, last: none } }, at('15:00:00')), [
    'orders: re-reads 1,240 records, 09:12 to 09:31; skips 0',
    'payments: 1 partition without an offset gets one',
    '',
    '  PARTITION   FROM   TO  RE-READS  SKIPS',
    '  orders-0     900  200       700      0',
    '  orders-1     740  200       540      0',
    '  payments-0     -   10         0      0  200 is after the last record',
  ])
})
