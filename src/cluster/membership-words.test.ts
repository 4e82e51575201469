// What an operator reads of a broker that loses its place in the cluster and gets it back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../lib/logger.ts'
import { SeveralBrokers } from './several-brokers.sim.ts'

test('a broker that was cut off says once that it is fenced, once that it cannot come back yet, and that it is back', async () => {
  const said: string[] = []
  const say = (_: object, words: string) => void said.push(words)
  const brokers = await SeveralBrokers.create({ logger: { ...silentLogger, info: say, warn: say } })
  for (const id of [1, 2]) await brokers.start(id)
  said.length = 0
  const { store, membership } = brokers.running.get(2)!
  store.cutOff()
  await brokers.clock.advance(40_000)
  store.reconnect()
  await brokers.clock.advanceUntil(() => membership.valid())
  assert.deepEqual(said, [
    'this broker is fenced: its lease was lost',
    'this broker could not register again, and goes on trying',
    'this broker is part of the cluster again',
  ])
})
