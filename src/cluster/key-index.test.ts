import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KeyIndex } from './key-index.ts'

test('keys are found by prefix in order, however many came and went at once', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 7 })
  const changes = fc.array(
    fc.record({ keys: fc.uniqueArray(key, { maxLength: 300, size: 'max' }), removes: fc.boolean() }),
    {
      maxLength: 6,
    },
  )
  fc.assert(
    fc.property(fc.uniqueArray(key), changes, key, (first, changes, prefix) => {
      const index = new KeyIndex(first)
      const model = new Set(first)
      for (const { keys, removes } of changes) {
        const half = removes ? Math.floor(keys.length / 2) : keys.length
        const added = keys.slice(0, half)
        const removed = keys.slice(half)
        index.update(added, new Set(removed))
        for (const each of added) model.add(each)
        for (const each of removed) model.delete(each)
      }
      assert.deepEqual(index.withPrefix(''), [...model].sort())
      assert.deepEqual(
        index.withPrefix(prefix),
        [...model].sort().filter((each) => each.startsWith(prefix)),
      )
    }),
    { numRuns: 200 },
  )
})
