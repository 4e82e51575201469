import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { systemClock } from './clock.ts'
import { SimulatedClock } from './clock.sim.ts'

/** The system's timers do not keep the process alive; a test that waits for one must. */
async function whileAlive<T>(work: Promise<T>): Promise<T> {
  const keepAlive = setInterval(() => undefined, 1000)
  try {
    return await work
  } finally {
    clearInterval(keepAlive)
  }
}

test('a system timer never fires early on the monotonic clock', async () => {
  for (const delayMs of [0, 0.2, 1, 2.7, 5]) {
    const begin = systemClock.monotonic()
    await whileAlive(new Promise<void>((resolve) => systemClock.setTimer(delayMs, resolve)))
    assert.ok(systemClock.monotonic() - begin >= delayMs)
  }
})

test('a system timer far beyond the limit of Node does not fire at once', async () => {
  let fired = false
  const timer = systemClock.setTimer(90 * 24 * 3_600_000, () => {
    fired = true
  })
  await whileAlive(new Promise<void>((resolve) => systemClock.setTimer(5, resolve)))
  timer.cancel()
  assert.equal(fired, false)
})

test('a cancelled system timer stays silent', async () => {
  let fired = false
  systemClock
    .setTimer(1, () => {
      fired = true
    })
    .cancel()
  await whileAlive(new Promise<void>((resolve) => systemClock.setTimer(3, resolve)))
  assert.equal(fired, false)
})

test('a system timer does not keep the process alive', () => {
  const code = `import { systemClock } from ${JSON.stringify(new URL('clock.ts', import.meta.url).href)}
    systemClock.setTimer(60_000, () => {})`
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code], { timeout: 20_000 })
  assert.equal(run.status, 0, run.stderr.toString())
})

test('the system defers to a later turn, after promises', async () => {
  const order: string[] = []
  const deferred = new Promise<void>((resolve) => {
    systemClock.defer(() => {
      order.push('deferred')
      resolve()
    })
  })
  void Promise.resolve().then(() => order.push('promise'))
  order.push('now')
  await deferred
  assert.deepEqual(order, ['now', 'promise', 'deferred'])
})

test('simulated time stands still until it is advanced', async () => {
  const clock = new SimulatedClock(1000)
  assert.equal(clock.now(), 1000)
  const begin = clock.monotonic()
  await clock.advance(250)
  assert.equal(clock.now(), 1250)
  assert.equal(clock.monotonic() - begin, 250)
})

test('simulated timers fire in order of due time, then of creation, each at its own time', async () => {
  const clock = new SimulatedClock(0)
  const fired: string[] = []
  const note = (name: string) => () => fired.push(`${name}@${clock.now()}`)
  clock.setTimer(20, note('late'))
  clock.setTimer(10, note('first'))
  clock.setTimer(10, note('second'))
  clock.setTimer(21, note('never'))
  await clock.advance(20)
  assert.deepEqual(fired, ['first@10', 'second@10', 'late@20'])
  assert.equal(clock.pendingTimers, 1)
  assert.equal(clock.nextTimerInMs, 1)
})

test('a timer set by a timer fires within the same advance when it falls due', async () => {
  const clock = new SimulatedClock(0)
  const fired: number[] = []
  const tick = () => {
    fired.push(clock.now())
    clock.setTimer(3, tick)
  }
  clock.setTimer(3, tick)
  await clock.advance(10)
  assert.deepEqual(fired, [3, 6, 9])
})

test('what a timer starts has run as far as it can before the next timer fires', async () => {
  const clock = new SimulatedClock(0)
  const order: string[] = []
  clock.setTimer(1, () => {
    void (async () => {
      for (let hop = 0; hop < 50; hop += 1) await Promise.resolve()
      await new Promise<void>((resolve) => clock.defer(resolve))
      order.push('chain')
    })()
  })
  clock.setTimer(1, () => order.push('next timer'))
  await clock.advance(1)
  assert.deepEqual(order, ['chain', 'next timer'])
})

test('a cancelled simulated timer stays silent, also when another timer of the same moment cancels it', async () => {
  const clock = new SimulatedClock(0)
  let fired = false
  clock.setTimer(5, () => victim.cancel())
  const victim = clock.setTimer(5, () => {
    fired = true
  })
  await clock.advance(5)
  assert.equal(fired, false)
  assert.equal(clock.pendingTimers, 0)
})

test('a jump of the wall clock moves no timer', async () => {
  const clock = new SimulatedClock(10_000)
  let fired = false
  clock.setTimer(100, () => {
    fired = true
  })
  clock.jump(-5000)
  assert.equal(clock.now(), 5000)
  await clock.advance(99)
  assert.equal(fired, false)
  await clock.advance(1)
  assert.equal(fired, true)
})

test('advances asked for at once follow each other', async () => {
  const clock = new SimulatedClock(0)
  await Promise.all([clock.advance(5), clock.advance(7), clock.runDue()])
  assert.equal(clock.now(), 12)
})

test('advanceUntil goes from timer to timer and fails when its time is up', async () => {
  const clock = new SimulatedClock(0)
  let count = 0
  const tick = () => {
    count += 1
    clock.setTimer(1000, tick)
  }
  tick()
  await clock.advanceUntil(() => count === 4)
  assert.equal(clock.now(), 3000)
  await assert.rejects(() => clock.advanceUntil(() => false, 2500), /does not hold/)
  assert.equal(clock.now(), 5000)
})
