import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { ByteRate } from './byte-rate.ts'

test('a rate is what came, by the time since the first of it, a second at least', async () => {
  const clock = new SimulatedClock()
  const rate = new ByteRate(clock)
  assert.equal(rate.perSecond(), 0)
  rate.add(1000)
  assert.equal(rate.perSecond(), 1000)
  await clock.advance(2000)
  rate.add(500)
  assert.equal(rate.perSecond(), 750)
  await clock.advance(3000)
  assert.equal(rate.perSecond(), 300)
})

test('what is older than eleven seconds is forgotten', async () => {
  const clock = new SimulatedClock()
  const rate = new ByteRate(clock)
  rate.add(1_000_000)
  await clock.advance(10_500)
  rate.add(1000)
  assert.ok(rate.perSecond() > 90_000)
  await clock.advance(500)
  assert.equal(rate.perSecond(), 1000)
  await clock.advance(11_000)
  assert.equal(rate.perSecond(), 0)
})
