import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../src/io/clock.sim.ts'
import { SimulatedNetwork } from '../src/io/network.sim.ts'
import type { Socket } from '../src/io/network.ts'
import { ProcessLife } from './process-life.ts'
import { networkOf } from './process-network.ts'

function lifeOn(clock: SimulatedClock, wallOffsetMs = 0): ProcessLife {
  return new ProcessLife(
    clock,
    () => wallOffsetMs,
    (error) => {
      throw error
    },
  )
}

test('the timers of a frozen process fire when it thaws, while the clock has gone on', async () => {
  const clock = new SimulatedClock()
  const life = lifeOn(clock)
  const fired: number[] = []
  life.clock.setTimer(10, () => fired.push(life.clock.monotonic()))
  const cancelled = life.clock.setTimer(20, () => fired.push(-1))
  life.freeze()
  await clock.advance(1000)
  assert.deepEqual(fired, [])
  cancelled.cancel()
  life.thaw('timersFirst')
  await clock.runDue()
  assert.deepEqual(fired, [1000])
})

for (const [order, expected] of [
  ['ioFirst', ['io', 'timer']],
  ['timersFirst', ['timer', 'io']],
] as const) {
  test(`what waited comes ${order === 'ioFirst' ? 'from sockets first' : 'from timers first'} when that is asked for`, async () => {
    const clock = new SimulatedClock()
    const life = lifeOn(clock)
    const heard: string[] = []
    life.clock.setTimer(10, () => heard.push('timer'))
    clock.setTimer(5, () => life.enter(() => heard.push('io')))
    life.freeze()
    await clock.advance(100)
    life.thaw(order)
    await clock.runDue()
    assert.deepEqual(heard, expected)
  })
}

test('a process that is over hears nothing of timers, promises and callbacks', async () => {
  const clock = new SimulatedClock()
  const life = lifeOn(clock)
  const heard: string[] = []
  life.clock.setTimer(10, () => heard.push('timer'))
  life.clock.defer(() => heard.push('deferred'))
  void life.gate(Promise.resolve()).then(() => heard.push('promise'))
  life.end()
  life.enter(() => heard.push('callback'))
  await clock.advance(100)
  assert.deepEqual(heard, [])
  assert.equal(clock.pendingTimers, 0)
})

test('its wall clock is off by as much as it is told, its timers are not', async () => {
  const clock = new SimulatedClock(1_000_000)
  const life = lifeOn(clock, -5000)
  let firedAt = 0
  life.clock.setTimer(30, () => (firedAt = life.clock.now()))
  await clock.advance(30)
  assert.equal(firedAt, 995_030)
})

test('to others a frozen process is a live connection that says nothing; when it thaws it reads what they sent', async () => {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork({ clock })
  const life = lifeOn(clock)
  const read: string[] = []
  await networkOf(network.host('broker-1'), life).listen({ host: 'broker-1', port: 9092 }, (socket) => {
    socket.onData = (bytes) => {
      read.push(Buffer.from(bytes).toString())
      socket.write([Buffer.from('answer')])
    }
  })
  const connected = Promise.withResolvers<Socket>()
  void network.host('client').connect({ host: 'broker-1', port: 9092 }).then(connected.resolve)
  await clock.advance(10)
  const socket = await connected.promise
  const heard: string[] = []
  socket.onData = (bytes) => heard.push(Buffer.from(bytes).toString())
  socket.onClose = () => heard.push('closed')
  life.freeze()
  socket.write([Buffer.from('question')])
  // The kernel takes a new connection too.
  void network
    .host('client')
    .connect({ host: 'broker-1', port: 9092 })
    .then((second) => second.write([Buffer.from('another')]))
  await clock.advance(60_000)
  assert.deepEqual([read, heard], [[], []])
  life.thaw('ioFirst')
  await clock.advance(10)
  assert.deepEqual(read.toSorted(), ['another', 'question'])
  assert.deepEqual(heard, ['answer'])
})
