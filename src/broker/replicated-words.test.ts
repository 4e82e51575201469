// What an operator reads when replicas fall behind and come back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from './replicated-brokers.sim.ts'

test('it is said once that replicas left the ISR, and that they are back, with the brokers they are on', async () => {
  const world = await World.start()
  const said = (words: RegExp) =>
    world.log.filter(({ level, message }) => level !== 'debug' && words.test(message)).map(({ fields }) => fields)
  world.crash(3, false)
  world.append(world.leader!, 'a')
  await world.until(() => world.image.isr.length === 2)
  await world.run(5000)
  assert.deepEqual(said(/ISR/), [{ partitions: 1, brokers: [3] }])
  assert.equal(said(/left the ISR/).length, 1)
  await world.boot(3)
  await world.until(() => world.image.isr.length === 3)
  await world.run(5000)
  assert.deepEqual(said(/joined the ISR/), [{ partitions: 1, brokers: [3] }])
  assert.equal(said(/ISR/).length, 2)
})
