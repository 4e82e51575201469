import assert from 'node:assert/strict'
import test from 'node:test'

import { SimulatedClock } from '../io/clock.sim.ts'
import { CoordinatorTimers } from './coordinator-timers.ts'

function setUp() {
  const clock = new SimulatedClock()
  const timers = new CoordinatorTimers<string>(clock)
  const fired: string[] = []
  const machine = (name: string) => timers.forMachine((event) => fired.push(`${name}:${event}`))
  return { clock, timers, fired, machine, one: machine('one'), two: machine('two') }
}

test('timers of all machines fire in order of time behind one timer of the clock', async () => {
  const { clock, timers, fired, one, two } = setUp()
  one.set('k', 30, 'c')
  two.set('k', 10, 'a')
  one.set('other', 20, 'b')
  assert.equal(clock.pendingTimers, 1)
  assert.equal(timers.size, 3)
  await clock.advance(29)
  assert.deepEqual(fired, ['two:a', 'one:b'])
  await clock.advance(1)
  assert.deepEqual(fired, ['two:a', 'one:b', 'one:c'])
  assert.equal(clock.pendingTimers, 0)
})

test('a session that is renewed for ever takes one place, and never fires', async () => {
  const { clock, timers, fired, one } = setUp()
  for (let beat = 0; beat < 1_000; beat++) {
    one.set('session', 100, `silent since ${beat}`)
    assert.equal(timers.size, 1)
    assert.equal(clock.pendingTimers, 1)
    await clock.advance(30)
  }
  assert.deepEqual(fired, [])
  await clock.advance(100)
  assert.deepEqual(fired, ['one:silent since 999'])
})

test('a timer that is set to an earlier time fires then', async () => {
  const { clock, fired, one } = setUp()
  one.set('k', 1_000, 'late')
  one.set('k', 10, 'early')
  await clock.advance(10)
  assert.deepEqual(fired, ['one:early'])
})

test('a machine whose timers are cleared hears of none, and the others of theirs', async () => {
  const { clock, fired, one, two } = setUp()
  one.set('a', 10, 'a')
  one.set('b', 20, 'b')
  two.set('a', 15, 'a')
  one.clear()
  await clock.advance(100)
  assert.deepEqual(fired, ['two:a'])
})

test('when the last timer is cancelled the clock has none', () => {
  const { clock, timers, one } = setUp()
  one.set('a', 10, 'a')
  one.cancel('a')
  one.cancel('a')
  assert.equal(clock.pendingTimers, 0)
  assert.equal(timers.size, 0)
})

test('a timer that is set while others fire is not forgotten', async () => {
  const clock = new SimulatedClock()
  const fired: string[] = []
  const timers = new CoordinatorTimers<string>(clock)
  const machine = timers.forMachine((event) => {
    fired.push(event)
    if (event === 'first') machine.set('k', 0, 'second')
  })
  machine.set('k', 10, 'first')
  await clock.advance(10)
  assert.deepEqual(fired, ['first', 'second'])
})

test('a timer that fires cancels another that is due in the same moment', async () => {
  const clock = new SimulatedClock()
  const fired: string[] = []
  const timers = new CoordinatorTimers<string>(clock)
  const machine = timers.forMachine((event) => {
    fired.push(event)
    machine.clear()
  })
  machine.set('a', 10, 'a')
  machine.set('b', 10, 'b')
  await clock.advance(100)
  assert.deepEqual(fired, ['a'])
})

/** A clock that tells of each turn of the event loop that is given to others. */
function watchedClock(onTurn: () => void): SimulatedClock {
  const clock = new SimulatedClock()
  const defer = clock.defer.bind(clock)
  clock.defer = (callback) => {
    defer(() => {
      onTurn()
      callback()
    })
  }
  return clock
}

test('when thousands are due at once, what else runs is let in between', async () => {
  const fired: string[] = []
  const seen: number[] = []
  const clock = watchedClock(() => seen.push(fired.length))
  const machine = new CoordinatorTimers<string>(clock).forMachine((event) => fired.push(event))
  const members = Array.from({ length: 1_000 }, (_, member) => `${member}`)
  for (const member of members) machine.set(member, 10, member)
  await clock.advance(10)
  assert.deepEqual(fired, members)
  const perTurn = seen.map((count, index) => count - (seen[index - 1] ?? 0))
  assert.ok(Math.max(...perTurn) <= 100, `fired in each turn: ${perTurn.join(' ')}`)
})

test('after a pause of the whole process nobody is silent whose heartbeat has arrived meanwhile', async () => {
  const fired: string[] = []
  // The loop runs timers first, then reads what the network has, then what was deferred.
  const clock = watchedClock(() => machine.set('heard', 10, 'heard'))
  const machine = new CoordinatorTimers<string>(clock).forMachine((event) => fired.push(event))
  machine.set('heard', 10, 'heard')
  machine.set('silent', 10, 'silent')
  await clock.advance(10)
  assert.deepEqual(fired, ['silent'])
})
