import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../lib/uuid.ts'
import { take } from './fetch-partitions.sim.ts'
import { FetchPartitions } from './fetch-partitions.ts'

function forgotten(partitions: FetchPartitions, topic: string, indexes: readonly number[]): void {
  partitions.forget([{ topic, topicId: ZERO_UUID, partitions: indexes }])
}

const names = (partitions: FetchPartitions) => [...partitions.values()].map(({ topic, index }) => `${topic}-${index}`)

test('partitions are there once, in the order in which they came', () => {
  const partitions = new FetchPartitions('name')
  take(partitions, 'b', [1, 0])
  take(partitions, 'a', [0])
  take(partitions, 'b', [0, 2])
  assert.deepEqual(names(partitions), ['b-1', 'b-0', 'a-0', 'b-2'])
  assert.equal(partitions.first, [...partitions.values()][0])
})

test('who is forgotten and comes again comes last', () => {
  const partitions = new FetchPartitions('name')
  take(partitions, 'a', [0, 1])
  forgotten(partitions, 'a', [0, 5])
  forgotten(partitions, 'b', [0])
  assert.deepEqual([partitions.size, names(partitions)], [1, ['a-1']])
  take(partitions, 'a', [0])
  assert.deepEqual(names(partitions), ['a-1', 'a-0'])
})

test('what was forgotten meanwhile does not come back by being moved', () => {
  const partitions = new FetchPartitions('name')
  take(partitions, 'a', [0, 1, 2])
  const [first, second] = partitions.values()
  assert.ok(partitions.moveLast(first!))
  assert.deepEqual(names(partitions), ['a-1', 'a-2', 'a-0'])
  forgotten(partitions, 'a', [1])
  assert.ok(!partitions.moveLast(second!))
  assert.deepEqual(names(partitions), ['a-2', 'a-0'])
})
