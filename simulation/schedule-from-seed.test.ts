import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../src/io/random.sim.ts'
import { scheduleOf } from './schedule-from-seed.ts'

const schedules = Array.from({ length: 300 }, (_, seed) => scheduleOf(seededRandom(seed), { brokers: 3 }))
const losesDisk = new Set(['emptyDisk', 'oldDisk'])

test('a seed has one schedule, which can be written down', () => {
  const schedule = scheduleOf(seededRandom(7), { brokers: 3 })
  assert.deepEqual(scheduleOf(seededRandom(7), { brokers: 3 }), schedule)
  assert.deepEqual(JSON.parse(JSON.stringify(schedule)), schedule)
})

test('faults come in the order of their beginning, and end', () => {
  for (const { items, durationMs } of schedules) {
    let last = 0
    for (const { atMs, untilMs, fault } of items) {
      assert.ok(atMs >= last && untilMs >= atMs, JSON.stringify(fault))
      assert.ok(losesDisk.has(fault.kind) || untilMs <= durationMs, JSON.stringify(fault))
      last = atMs
    }
  }
})

test('every kind of fault comes in some of a few hundred seeds, and no seed has them all', () => {
  const kinds = new Set(schedules.flatMap(({ items }) => items.map(({ fault: { kind } }) => kind)))
  assert.equal(kinds.size, 20)
  for (const { items } of schedules) assert.ok(new Set(items.map(({ fault: { kind } }) => kind)).size < 20)
})

test('while a disk is lost nothing else happens', () => {
  for (const { items } of schedules) {
    const losses = items.filter(({ fault: { kind } }) => losesDisk.has(kind))
    for (const { untilMs: lostAt } of losses) {
      for (const { atMs, untilMs, fault } of items) {
        const overlaps = atMs < lostAt + 8000 && untilMs > lostAt - 8000
        assert.ok(losesDisk.has(fault.kind) || !overlaps, `${JSON.stringify(fault)} beside a loss at ${lostAt}`)
      }
    }
  }
})
