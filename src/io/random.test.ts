import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { seededRandom } from './random.sim.ts'
import { kafkaUuid, systemRandom, type Random } from './random.ts'

const implementations: { name: string; random: Random }[] = [
  { name: 'system', random: systemRandom },
  { name: 'seeded', random: seededRandom(7) },
]

for (const { name, random } of implementations) {
  test(`${name}: bytes come in the number asked for, and differ`, () => {
    assert.equal(random.bytes(0).length, 0)
    assert.equal(random.bytes(16).length, 16)
    assert.notDeepEqual([...random.bytes(16)], [...random.bytes(16)])
  })

  test(`${name}: below stays below, and reaches every value`, () => {
    const seen = new Set<number>()
    for (let round = 0; round < 500; round += 1) seen.add(random.below(8))
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    )
    assert.equal(random.below(1), 0)
    const large = 2 ** 48 - 1
    for (let round = 0; round < 100; round += 1) {
      const value = random.below(large)
      assert.ok(Number.isSafeInteger(value) && value >= 0 && value < large)
    }
  })

  test(`${name}: a uuid is a version 4 UUID in Kafka's spelling and never looks like an option`, () => {
    for (let round = 0; round < 300; round += 1) {
      const uuid = random.uuid()
      assert.match(uuid, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      const bytes = Buffer.from(uuid, 'base64url')
      assert.equal(bytes.length, 16)
      assert.equal(bytes[6]! >> 4, 4)
      assert.equal(bytes[8]! >> 6, 2)
    }
  })
}

test('a uuid that would start with a dash is drawn again', () => {
  const draws = [Buffer.alloc(16, 0xff), Buffer.from([0xf8, ...Buffer.alloc(15)]), Buffer.alloc(16, 1)]
  assert.equal(kafkaUuid(() => draws.shift()!)[0], '_')
  assert.equal(kafkaUuid(() => draws.shift()!)[0], 'A')
  assert.equal(draws.length, 0)
})

test('equal seeds give equal sequences and different seeds different ones', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (one, other) => {
      const draw = (seed: number) => {
        const random = seededRandom(seed)
        return [random.uuid(), random.below(1000), random.chance(0.5), random.pick(['a', 'b', 'c'])]
      }
      assert.deepEqual(draw(one), draw(one))
      if (one !== other) assert.notDeepEqual(draw(one), draw(other))
    }),
    { numRuns: 200 },
  )
})

test('chance is near its probability', () => {
  const random = seededRandom(3)
  let hits = 0
  for (let round = 0; round < 10_000; round += 1) if (random.chance(0.2)) hits += 1
  assert.ok(hits > 1800 && hits < 2200, `${hits} of 10000`)
})
