import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bounds } from './gate-bounds.ts'
import { rows } from './workloads/rows.ts'

test('every bound is one of a row that the bench has, on brokers that a probe can stand in for', () => {
  for (const { id } of bounds) {
    const row = rows.find((candidate) => candidate.id === id)
    assert.equal(row?.brokers, 'shared', id)
    assert.equal(row.brokerCounts, undefined, id)
  }
})
