import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { planRemoval, type RemovableLog, type RemovableSegment } from './removal-plan.ts'

const hour = 3_600_000
const nowMs = 1000 * hour

/** Segments of these ages in hours, 100 bytes each; the last is active. */
function log(name: string, hours: readonly number[], options: Partial<RemovableLog> = {}): RemovableLog {
  const segments = hours.map((age, i): RemovableSegment => ({
    baseOffset: i * 10,
    endOffset: (i + 1) * 10,
    sizeBytes: 100,
    newestMs: nowMs - age * hour,
    active: i === hours.length - 1,
  }))
  return { name, weight: 1, policy: 'delete', highWatermark: hours.length * 10, segments, ...options }
}

function plan(logs: readonly RemovableLog[], bytes = Infinity): string[] {
  return planRemoval(logs, { bytes, segmentsMax: 100, nowMs }).map(
    ({ log: { name }, segment, kind, ageMs }) => `${kind} ${name}@${segment.baseOffset} ${ageMs / hour}h`,
  )
}

const cases = [
  {
    name: 'the oldest goes first, whichever log it is in',
    logs: [log('orders', [9, 5, 0]), log('clicks', [6, 1, 0])],
    bytes: 350,
    answer: ['delete orders@0 9h', 'delete clicks@0 6h', 'delete orders@10 5h', 'delete clicks@10 1h'],
  },
  {
    name: 'records of weight 2 stay twice as long',
    logs: [log('orders', [9, 5, 0], { weight: 2 }), log('clicks', [6, 4, 0])],
    bytes: 350,
    answer: ['delete clicks@0 6h', 'delete orders@0 9h', 'delete clicks@10 4h', 'delete orders@10 5h'],
  },
  {
    name: 'no more goes than is asked for',
    logs: [log('orders', [9, 5, 3, 0])],
    bytes: 101,
    answer: ['delete orders@0 9h', 'delete orders@10 5h'],
  },
  { name: 'nothing goes when nothing is asked for', logs: [log('orders', [9, 5, 0])], bytes: 0, answer: [] },
  {
    name: 'an older segment behind a newer one waits for its turn',
    logs: [log('orders', [1, 50, 0]), log('clicks', [2, 0])],
    bytes: 200,
    answer: ['delete clicks@0 2h', 'delete orders@0 1h'],
  },
  {
    name: 'topics that refuse, and internal ones, lose nothing',
    logs: [log('kept', [90, 80, 0], { policy: 'refuse' }), log('__consumer_offsets', [99, 0], { policy: 'exempt' })],
    bytes: Infinity,
    answer: [],
  },
  {
    name: 'what is not committed stays, and what comes after it',
    logs: [log('orders', [9, 8, 7, 0], { highWatermark: 15 })],
    bytes: Infinity,
    answer: ['delete orders@0 9h'],
  },
  {
    name: 'active segments are sealed when nothing else is left',
    logs: [log('orders', [3]), log('clicks', [9, 4])],
    bytes: Infinity,
    answer: ['delete clicks@0 9h', 'roll clicks@10 4h', 'roll orders@0 3h'],
  },
  {
    name: 'records from the future are new',
    logs: [log('orders', [-5, 0]), log('clicks', [1, 0])],
    bytes: 200,
    answer: ['delete clicks@0 1h', 'delete orders@0 0h'],
  },
] satisfies { name: string; logs: RemovableLog[]; bytes: number; answer: string[] }[]

for (const { name, logs, bytes, answer } of cases) {
  void test(name, () => assert.deepEqual(plan(logs, bytes), answer))
}

test('an empty active segment is not sealed', () => {
  const orders = log('orders', [0])
  const empty = { ...orders, segments: orders.segments.map((segment) => ({ ...segment, sizeBytes: 0 })) }
  assert.deepEqual(plan([empty]), [])
})

test('of any logs: each goes from its oldest on, and of two the one goes first that is older for its weight', () => {
  const logs = fc.array(
    fc.record({
      hours: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 6 }),
      weight: fc.constantFrom(0.5, 1, 2),
    }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(logs, fc.integer({ min: 0, max: 2000 }), (drawn, bytes) => {
      const made = drawn.map(({ hours, weight }, i) =>
        log(
          `t${i}`,
          hours.toSorted((a, b) => b - a),
          { weight },
        ),
      )
      const removals = planRemoval(made, { bytes, segmentsMax: 100, nowMs })
      const deleted = removals.filter(({ kind }) => kind === 'delete')
      const scores = deleted.map(({ log: { weight }, ageMs }) => ageMs / weight)
      assert.deepEqual(
        scores,
        scores.toSorted((a, b) => b - a),
      )
      for (const { name } of made) {
        const bases = removals.filter(({ log: of }) => of.name === name).map(({ segment }) => segment.baseOffset)
        assert.deepEqual(
          bases,
          bases.map((_, i) => i * 10),
        )
      }
      const all = made.reduce((sum, { segments }) => sum + segments.length * 100, 0)
      assert.equal(removals.length * 100, Math.min(all, Math.ceil(bytes / 100) * 100))
    }),
  )
})
