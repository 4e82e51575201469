import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Ring } from './ring.ts'

test('any pushes and shifts are as on an array', () => {
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.constant('push' as const) },
    { weight: 2, arbitrary: fc.constant('shift' as const) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const ring = new Ring<number>()
      const model: number[] = []
      for (const [i, what] of actions.entries()) {
        if (what === 'push') {
          ring.push(i)
          model.push(i)
        } else if (model.length > 0) {
          ring.shift()
          model.shift()
        }
        assert.equal(ring.length, model.length)
        assert.equal(ring.first(), model[0])
      }
    }),
  )
})
