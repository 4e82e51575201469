import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { BatchRing } from './batch-ring.ts'

test('any batches added, let go and cleared are as on an array', () => {
  const action = fc.oneof(
    { weight: 60, arbitrary: fc.constant('push' as const) },
    { weight: 40, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const ring = new BatchRing()
      let model: { bytes: Uint8Array; base: number; next: number }[] = []
      for (const [i, what] of actions.entries()) {
        if (what === 'push') {
          const batch = { bytes: new Uint8Array(i), base: 3 * i, next: 3 * i + 2 }
          ring.push(batch.bytes, undefined, batch.base, batch.next)
          model.push(batch)
        } else if (what === 'clear') {
          ring.clear()
          model = []
        } else if (model.length > 0) {
          ring.shift()
          model.shift()
        }
        assert.equal(ring.length, model.length)
        for (const [index, { bytes, base, next }] of model.entries()) {
          assert.equal(ring.bytes(index), bytes)
          assert.equal(ring.slab(index), undefined)
          assert.deepEqual(
            [ring.sizeBytes(index), ring.baseOffset(index), ring.nextOffset(index)],
            [bytes.length, base, next],
          )
        }
      }
    }),
  )
})
