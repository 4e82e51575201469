import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from './clock.sim.ts'
import { lanesOf } from './message-channel.ts'
import { SimulatedChannel } from './message-channel.sim.ts'

test('lanes of one channel do not hear each other, and close together', async () => {
  const clock = new SimulatedClock()
  const channel = new SimulatedChannel(clock)
  const left = lanesOf(channel.left, ['a', 'b'])
  const right = lanesOf(channel.right, ['a', 'b'])
  const heard: string[] = []
  for (const name of ['a', 'b'] as const) {
    right[name].onMessage = (message) => heard.push(`${name} ${String(message)}`)
    right[name].onClose = () => heard.push(`${name} closed`)
  }
  left.a.post(1)
  left.b.post(2)
  left.a.post(3)
  await clock.settle()
  channel.cut()
  await clock.settle()
  assert.deepEqual(heard, ['a 1', 'b 2', 'a 3', 'a closed', 'b closed'])
})

test('a lane that was closed neither says nor hears anything; the others go on', async () => {
  const clock = new SimulatedClock()
  const channel = new SimulatedChannel(clock)
  const left = lanesOf(channel.left, ['a', 'b'])
  const right = lanesOf(channel.right, ['a', 'b'])
  const heard: unknown[] = []
  right.a.onMessage = (message) => heard.push(message)
  right.b.onMessage = (message) => heard.push(message)
  right.a.close()
  left.a.post('unheard')
  left.b.post('heard')
  await clock.settle()
  assert.deepEqual(heard, ['heard'])
})

test('a simulated channel carries copies in order, after its latency, and loses what is on its way when it is cut', async () => {
  const clock = new SimulatedClock()
  const channel = new SimulatedChannel(clock)
  const heard: unknown[] = []
  let closed = 0
  channel.right.onMessage = (message) => heard.push(message)
  channel.right.onClose = () => closed++
  const bytes = Uint8Array.of(1)
  channel.latencyMs = 5
  channel.left.post(bytes)
  bytes[0] = 2
  channel.latencyMs = 0
  channel.left.post('later')
  await clock.advance(4)
  assert.deepEqual(heard, [])
  await clock.advance(1)
  assert.deepEqual(heard, [Uint8Array.of(1), 'later'])
  channel.left.post('lost')
  channel.cut()
  channel.cut()
  await clock.settle()
  assert.deepEqual([heard.length, closed], [2, 1])
})
