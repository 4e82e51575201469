import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { OffsetIndex } from './offset-index.ts'

/** The beginning of an index that Apache Kafka 4.3.1 wrote for a segment from offset 4992 on. */
const golden = Buffer.from('0000009b00003ff9000000e900007ff2000001370000bfeb', 'hex')
const baseOffset = 4992
const decode = (bytes: Uint8Array) => OffsetIndex.decode(bytes, baseOffset, 1 << 20, Infinity)

test("Kafka's index is read, and written again byte for byte", () => {
  const index = decode(golden)
  assert.ok(index !== null)
  assert.deepEqual([index.count, index.lastOffset, index.lastPosition], [3, 4992 + 0x137, 0xbfeb])
  assert.deepEqual(Buffer.from(index.encode()), golden)
})

test('the zeros that Kafka preallocates are no entries', () => {
  assert.equal(decode(Buffer.concat([golden, Buffer.alloc(800)]))?.count, 3)
  assert.equal(decode(Buffer.alloc(800))?.count, 0)
})

const wrong: [name: string, bytes: Uint8Array][] = [
  ['half an entry', golden.subarray(0, 12)],
  ['entries in the wrong order', Buffer.concat([golden.subarray(8), golden.subarray(0, 8)])],
  ['entries after zeros', Buffer.concat([golden, Buffer.alloc(8), golden])],
  [
    'an offset that goes on where the position does not',
    Buffer.concat([golden, Buffer.from('000002000000bfeb', 'hex')]),
  ],
  ['a position beyond the segment', Buffer.concat([golden, Buffer.from('0000020000100000', 'hex')])],
  ['a negative offset', Buffer.from('ffffff0000003ff9', 'hex')],
]
for (const [name, bytes] of wrong)
  test(`an index with ${name} is not believed`, () => assert.equal(decode(bytes), null))

test('an entry beyond the end of the segment is not believed', () => {
  assert.equal(OffsetIndex.decode(golden, baseOffset, 1 << 20, 4992 + 0x137), null)
  assert.notEqual(OffsetIndex.decode(golden, baseOffset, 1 << 20, 4992 + 0x138), null)
})

test('lookups and truncation agree with a plain list', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), { maxLength: 60 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 600 }), (steps, target, end) => {
      const index = new OffsetIndex(100)
      let entries: { offset: number; position: number }[] = []
      let offset = 100
      let position = 0
      for (const [offsetStep, positionStep] of steps) {
        offset += offsetStep
        position += positionStep
        index.append(offset, position)
        entries.push({ offset, position })
      }
      const check = () => {
        assert.equal(index.lookup(target), entries.findLast((entry) => entry.offset <= target)?.position ?? 0)
        assert.equal(index.lookupAfter(target), entries.find((entry) => entry.offset > target)?.position ?? null)
        assert.equal(index.count, entries.length)
      }
      check()
      index.truncateTo(end)
      entries = entries.filter((entry) => entry.offset < end)
      check()
      const again = OffsetIndex.decode(index.encode(), 100, 1 << 20, Infinity)
      assert.deepEqual(Buffer.from(again!.encode()), Buffer.from(index.encode()))
    }),
    { numRuns: 200 },
  )
})

test('an index is full when its file would be', () => {
  const index = new OffsetIndex(0)
  for (let i = 1; i <= 3; i++) {
    assert.equal(index.isFull(31), false)
    index.append(i, i)
  }
  assert.equal(index.isFull(31), true)
  assert.equal(index.isFull(32), false)
})
