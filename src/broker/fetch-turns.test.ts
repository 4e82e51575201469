import assert from 'node:assert/strict'
import { test } from 'node:test'
import { take } from './fetch-partitions.sim.ts'
import { FetchPartitions } from './fetch-partitions.ts'
import { FetchTurns } from './fetch-turns.ts'

function partitions(...indexes: number[]): FetchPartitions {
  const found = new FetchPartitions('name')
  take(found, 'orders', indexes)
  return found
}

test('who asks in the same order again gets the turn that was noted', () => {
  const turns = new FetchTurns()
  assert.equal(turns.turnOf(partitions(0, 1, 2)), 0)
  turns.next = 2
  assert.equal(turns.turnOf(partitions(0, 1, 2)), 2)
})

test('who asks in another order is served as he asks', () => {
  const turns = new FetchTurns()
  turns.turnOf(partitions(0, 1, 2))
  turns.next = 1
  assert.equal(turns.turnOf(partitions(1, 2, 0)), 0)
})
