import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KeyMap, slotsFor } from './key-map.ts'

const hashKey = new Int32Array([1, 2, 3, 4])

test('a key has the offset it was last put with, others have none', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(2 ** 45)), { maxLength: 50 }), (puts) => {
      const map = new KeyMap({ slots: 64, loadFactor: 0.9, hashKey })
      const model = new Map<number, number>()
      for (const [key, offset] of puts) {
        const bytes = Buffer.from(`<${key}>`)
        map.put(bytes, 1, bytes.length - 1, offset)
        model.set(key, offset)
      }
      assert.equal(map.size, model.size)
      for (let key = 0; key <= 60; key++) {
        const bytes = Buffer.from(`${key}`)
        assert.equal(map.get(bytes, 0, bytes.length), model.get(key) ?? -1)
      }
    }),
  )
})

test('it is full at its load factor, and finds every key then', () => {
  const map = new KeyMap({ slots: 1000, loadFactor: 0.9, hashKey })
  const key = (i: number) => Buffer.from(`key-${i}`)
  for (let i = 0; i < 900; i++) {
    assert.equal(map.isFull, false)
    map.put(key(i), 0, key(i).length, i)
  }
  assert.equal(map.isFull, true)
  for (let i = 0; i < 900; i++) assert.equal(map.get(key(i), 0, key(i).length), i)
  assert.equal(map.get(key(900), 0, key(900).length), -1)
})

test('the slots are bounded by memory and by what can be needed', () => {
  assert.equal(slotsFor(1e9, 24_000, 0.9), 1000)
  for (const keys of [0, 1, 9, 100, 12345]) {
    const slots = slotsFor(keys, 2 ** 31, 0.9)
    assert.ok(slots < 2 * keys + 10)
    assert.ok(new KeyMap({ slots, loadFactor: 0.9, hashKey }).capacity > keys)
  }
})
