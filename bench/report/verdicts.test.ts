import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Goal, RowResult, Sample } from './result.ts'
import { countOf, ratioOf, spreadOf, verdictOf, verdictsOf } from './verdicts.ts'

function row(odradek: Sample[], kafka: Sample[], goals: Goal[] = []): RowResult {
  return { id: 'row', section: 'produce', title: 'a row', goals, samples: { odradek, kafka } }
}
const rates = (...values: number[]): Sample[] => values.map((megabytesPerSecond) => ({ megabytesPerSecond }))
const more: Goal = { figure: 'megabytesPerSecond', against: 'kafka', ratio: 1.5 }
const less: Goal = { figure: 'p99Ms', against: 'kafka', ratio: 0.5 }

test('the median is the middle, or half way between the two in the middle, and the spread the ends', () => {
  assert.deepEqual(spreadOf([30, 10, 20]), { median: 20, min: 10, max: 30 })
  assert.deepEqual(spreadOf([10, 40, 20, 30]), { median: 25, min: 10, max: 40 })
  assert.equal(spreadOf([]), undefined)
})

test('a ratio is the median of the ratios of rounds that were run beside each other, not the ratio of medians', () => {
  // The machine was slow for both in the second round: 2, 4, 1 are the ratios; the medians' would be 100 over 50.
  assert.deepEqual(ratioOf(row(rates(200, 40, 100), rates(100, 10, 100)), 'kafka', 'megabytesPerSecond'), {
    median: 2,
    min: 1,
    max: 4,
  })
})

test('a round that only one of the two has finished counts for no ratio', () => {
  assert.deepEqual(ratioOf(row(rates(30, 20), rates(10)), 'kafka', 'megabytesPerSecond'), { median: 3, min: 3, max: 3 })
})

for (const { name, goal, odradek, kafka, outcome } of [
  { name: 'more than asked', goal: more, odradek: rates(16), kafka: rates(10), outcome: 'met' },
  { name: 'exactly what is asked', goal: more, odradek: rates(15), kafka: rates(10), outcome: 'met' },
  { name: 'too little', goal: more, odradek: rates(14), kafka: rates(10), outcome: 'NOT MET' },
  { name: 'less where less is better', goal: less, odradek: [{ p99Ms: 4 }], kafka: [{ p99Ms: 10 }], outcome: 'met' },
  { name: 'too much', goal: less, odradek: [{ p99Ms: 6 }], kafka: [{ p99Ms: 10 }], outcome: 'NOT MET' },
  { name: 'a peer without rounds', goal: more, odradek: rates(16), kafka: [], outcome: 'not measured' },
  { name: 'nothing to divide by', goal: more, odradek: rates(16), kafka: rates(0), outcome: 'not measured' },
  { name: 'another figure', goal: less, odradek: rates(16), kafka: rates(10), outcome: 'not measured' },
] as const) {
  test(`a goal is ${outcome}: ${name}`, () => {
    assert.equal(verdictOf(row([...odradek], [...kafka]), goal).outcome, outcome)
  })
}

test('verdicts of a run are counted over all rows and goals', () => {
  const rows = [
    row(rates(16), rates(10), [more]),
    row(rates(10), rates(10), [more, { ...more, ratio: 1 }]),
    row(rates(10), [], [more]),
  ]
  const verdicts = verdictsOf({ rows })
  assert.deepEqual(
    (['met', 'NOT MET', 'not measured'] as const).map((outcome) => countOf(verdicts, outcome)),
    [2, 1, 1],
  )
})
