import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { HandOver } from './hand-over.ts'
import { Schedule } from './schedule.ts'

test('a record counts from the tick that handed it over, and how late that came is kept', () => {
  const handOver = new HandOver(new Schedule({ perSecond: 1000, stepMs: 5, startMs: 100 }))
  assert.equal(handOver.upTo(103, Infinity), 0)
  assert.equal(handOver.upTo(106, Infinity), 5)
  assert.equal(handOver.upTo(118, Infinity), 15)
  assert.deepEqual(
    [0, 4, 5, 14].map((number) => handOver.handedMs(number)),
    [106, 106, 118, 118],
  )
  assert.equal(handOver.lateness.count, 3)
  assert.equal(handOver.lateness.summary().maxMs, 8)
})

test('a tick that comes after the end hands over what was due before', () => {
  const handOver = new HandOver(new Schedule({ perSecond: 1000, stepMs: 5, startMs: 100 }))
  assert.equal(handOver.upTo(118, 111), 10)
  assert.equal(handOver.upTo(130, 111), 10)
  assert.equal(handOver.handedMs(9), 118)
})

test('at any rate, every record that was handed over has its time', () => {
  const shapes = fc.record({
    perSecond: fc.integer({ min: 1, max: 50_000 }),
    stepMs: fc.constantFrom(0.25, 0.3, 1, 1.1, 5),
    startMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  })
  const gaps = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { maxLength: 20 })
  fc.assert(
    fc.property(shapes, gaps, (shape, gapsMs) => {
      const handOver = new HandOver(new Schedule(shape))
      let nowMs = shape.startMs
      let handed = 0
      for (const gapMs of gapsMs) {
        nowMs += gapMs
        const count = handOver.upTo(nowMs, Infinity)
        for (; handed < count; handed += 1) assert.equal(handOver.handedMs(handed), nowMs)
      }
    }),
  )
})
