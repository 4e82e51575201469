import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OneLeaderPerEpoch } from './one-leader-per-epoch.ts'
import { sight } from './sights.sim.ts'

test('one broker may lead under many epochs, and another one after it', () => {
  const rule = new OneLeaderPerEpoch()
  rule.replicaChanged(sight({ machine: 1, leaderEpoch: 4 }), null)
  rule.replicaChanged(sight({ machine: 1, leaderEpoch: 5 }), sight({ machine: 1, leaderEpoch: 4 }))
  rule.replicaChanged(sight({ machine: 2, leaderEpoch: 6 }), null)
  rule.replicaChanged(sight({ machine: 1, leaderEpoch: 6, state: 'following' }), null)
  rule.replicaChanged(sight({ machine: 2, leaderEpoch: 4, topicId: 'another' }), null)
})

test('two brokers that lead in one epoch break the rule', () => {
  const rule = new OneLeaderPerEpoch()
  rule.replicaChanged(sight({ machine: 1, leaderEpoch: 4 }), null)
  const before = sight({ machine: 2, leaderEpoch: 4, state: 'following' })
  assert.throws(() => rule.replicaChanged(sight({ machine: 2, leaderEpoch: 4 }), before), { rule: rule.name })
})

test('a broker that comes back and leads in the epoch of its last life breaks the rule', () => {
  const rule = new OneLeaderPerEpoch()
  rule.replicaChanged(sight({ machine: 1, life: 1, leaderEpoch: 4 }), null)
  assert.throws(() => rule.replicaChanged(sight({ machine: 1, life: 2, leaderEpoch: 4 }), null), { rule: rule.name })
})
