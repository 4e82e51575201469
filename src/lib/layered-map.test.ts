import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LayeredMap } from './layered-map.ts'

interface Value {
  readonly n: number
}

test('after any changes it is what a map would be, and those before are as they were', () => {
  const key = fc.integer({ min: 0, max: 99 })
  const value = fc.option(fc.record({ n: fc.nat() }), { nil: undefined })
  const changes = fc.array(fc.tuple(key, value), { maxLength: 20 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99 }), fc.array(changes, { maxLength: 20 }), (size, steps) => {
      const model = new Map<number, Value>(Array.from({ length: size }, (_, i) => [i, { n: -i }]))
      let map = LayeredMap.over<number, Value>(new Map(model))
      const earlier: [LayeredMap<number, Value>, Map<number, Value>][] = []
      for (const step of steps) {
        earlier.push([map, new Map(model)])
        map = map.with(step)
        for (const [at, changed] of step) {
          if (changed === undefined) model.delete(at)
          else model.set(at, changed)
        }
      }
      earlier.push([map, model])
      for (const [seen, wanted] of earlier) {
        assert.equal(seen.size, wanted.size)
        assert.deepEqual(new Map(seen), wanted)
        assert.deepEqual(new Set(seen.keys()), new Set(wanted.keys()))
        assert.deepEqual(new Set(seen.values()), new Set(wanted.values()))
        for (let at = 0; at < 100; at++) {
          assert.equal(seen.get(at), wanted.get(at))
          assert.equal(seen.has(at), wanted.has(at))
        }
        let visited = 0
        seen.forEach((one, at, whole) => {
          visited += Number(wanted.get(at) === one && whole === seen)
        })
        assert.equal(visited, wanted.size)
      }
    }),
  )
})

test('a change of one entry does not look at the others', () => {
  class Watched extends Map<number, Value> {
    walks = 0
    override [Symbol.iterator]() {
      this.walks += 1
      return super[Symbol.iterator]()
    }
  }
  const base = new Watched(Array.from({ length: 10_000 }, (_, n) => [n, { n }]))
  let map = LayeredMap.over<number, Value>(base)
  for (let n = 0; n < 99; n++) map = map.with([[n, { n: -n }]])
  assert.equal(base.walks, 0)
  assert.deepEqual([map.get(98), map.get(99), map.size], [{ n: -98 }, { n: 99 }, 10_000])
})

test('a map made over a layered map is the same one', () => {
  const map = LayeredMap.over(new Map([['a', { n: 1 }]])).with([['b', { n: 2 }]])
  assert.equal(LayeredMap.over(map), map)
})
