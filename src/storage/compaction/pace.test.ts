import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { CleaningAborted } from './cleaning-job.ts'
import { Pace } from './pace.ts'

function paceOf(bytesPerSecond: number) {
  const clock = new SimulatedClock()
  const abort = new AbortController()
  return { clock, abort, pace: new Pace(clock, { bytesPerSecond, sliceMs: 5, signal: abort.signal }) }
}

test('bytes are paid for with time', async () => {
  const { clock, pace } = paceOf(1000)
  pace.spend(2000)
  let went = false
  const waiting = pace.next()!.then(() => {
    went = true
  })
  await clock.advance(1999)
  assert.equal(went, false)
  await clock.advance(1)
  await waiting
  assert.equal(pace.next(), null)
})

test('time that was not used is lost, save for a little', async () => {
  const { clock, pace } = paceOf(1000)
  await clock.advance(60_000)
  pace.spend(1300)
  const waiting = pace.next()!
  await clock.advance(1000)
  await waiting
  assert.equal(clock.monotonic(), 61_000)
})

test('without a limit nothing is waited for but the turn', async () => {
  const { clock, pace } = paceOf(Infinity)
  pace.spend(1e12)
  assert.equal(pace.next(), null)
  await clock.advance(5)
  const turn = pace.next()
  assert.notEqual(turn, null)
  await turn
  assert.equal(pace.next(), null)
})

test('an abort ends the wait', async () => {
  const { abort, pace } = paceOf(1)
  pace.spend(1e9)
  const waiting = pace.next()!
  abort.abort()
  await assert.rejects(waiting, CleaningAborted)
  assert.throws(() => pace.next(), CleaningAborted)
})
