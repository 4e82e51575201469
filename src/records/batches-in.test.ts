import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { baseOffsetOf, batchLayout } from './batch.ts'
import { buildBatch } from './batch-builder.ts'
import { batchesIn, forEachBatch } from './batches-in.ts'

const batches = [0, 1, 3].map((baseOffset) =>
  buildBatch(
    Array.from({ length: baseOffset + 1 }, () => ({ value: 'v' })),
    { baseOffset },
  ),
)
const whole = Buffer.concat(batches)

test('batches back to back are visited in order, as views', () => {
  const visited: number[] = []
  const range = forEachBatch(whole, (at, size) => {
    visited.push(baseOffsetOf(whole, at))
    assert.deepEqual(whole.subarray(at, at + size), batches[visited.length - 1])
  })
  assert.deepEqual(visited, [0, 1, 3])
  assert.deepEqual(range, { validBytes: whole.length, batches: 3, end: 'whole' })
  const views = [...batchesIn(whole)]
  assert.deepEqual(views, batches)
  assert.equal(views[1]!.buffer, whole.buffer)
})

test('a range may be part of the bytes, and a visitor may stop', () => {
  const from = batches[0]!.length
  const inner = forEachBatch(whole, () => {}, from, from + batches[1]!.length)
  assert.deepEqual(inner, { validBytes: batches[1]!.length, batches: 1, end: 'whole' })
  assert.deepEqual(
    forEachBatch(whole, () => false),
    { validBytes: batches[0]!.length, batches: 1, end: 'whole' },
  )
})

test('no bytes are a whole range of no batches', () => {
  assert.deepEqual(
    forEachBatch(new Uint8Array(0), () => {}),
    { validBytes: 0, batches: 0, end: 'whole' },
  )
})

test('a cut anywhere leaves the whole batches before it, and is reported as torn', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: whole.length - 1 }), (cut) => {
      const ends = [0, batches[0]!.length, batches[0]!.length + batches[1]!.length]
      const validBytes = ends.findLast((end) => end <= cut)!
      const range = forEachBatch(whole, () => {}, 0, cut)
      assert.equal(range.validBytes, validBytes)
      assert.equal(range.end, validBytes === cut ? 'whole' : 'torn')
      assert.equal([...batchesIn(whole.subarray(0, cut))].length, range.batches)
    }),
  )
})

const damages = [
  {
    name: 'a length too small for a header',
    end: 'badLength',
    damage: (b: Buffer) => b.writeInt32BE(48, batchLayout.batchLength),
  },
  { name: 'a negative length', end: 'badLength', damage: (b: Buffer) => b.writeInt32BE(-1, batchLayout.batchLength) },
  {
    name: 'a length beyond the bytes',
    end: 'torn',
    damage: (b: Buffer) => b.writeInt32BE(2 ** 31 - 1, batchLayout.batchLength),
  },
  { name: 'another magic', end: 'badMagic', damage: (b: Buffer) => b.writeInt8(1, batchLayout.magic) },
] as const
for (const { name, end, damage } of damages) {
  test(`${name} ends the range: ${end}`, () => {
    const bytes = Buffer.from(whole)
    damage(bytes.subarray(batches[0]!.length))
    assert.deepEqual(
      forEachBatch(bytes, () => {}),
      { validBytes: batches[0]!.length, batches: 1, end },
    )
  })
}

test('random bytes never make the walk read beyond them or stand still', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const range = forEachBatch(bytes, (at, size) => assert.ok(size >= 61 && at + size <= bytes.length))
      assert.ok(range.validBytes <= bytes.length)
    }),
  )
})
