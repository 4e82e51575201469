import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { TimeIndex } from './time-index.ts'

/** The beginning of an index that Apache Kafka 4.3.1 wrote for a segment from offset 4992 on. */
const golden = Buffer.from('000001a204e5df8e0000009b000001a204e5df8f000000e9000001a204e5df9100000185', 'hex')
const baseOffset = 4992
const decode = (bytes: Uint8Array) => TimeIndex.decode(bytes, baseOffset, Infinity)

test("Kafka's index is read, and written again byte for byte", () => {
  const index = decode(golden)
  assert.ok(index !== null)
  assert.deepEqual(index.last, { timestamp: 0x1a204e5df91, offset: 4992 + 0x185 })
  assert.deepEqual(Buffer.from(index.encode()), golden)
})

test('the zeros that Kafka preallocates are no entries', () => {
  assert.equal(decode(Buffer.concat([golden, Buffer.alloc(1200)]))?.count, 3)
  assert.equal(decode(Buffer.alloc(1200))?.count, 0)
})

const wrong: [name: string, bytes: Uint8Array][] = [
  ['half an entry', golden.subarray(0, 20)],
  ['times that fall', Buffer.concat([golden.subarray(12), golden.subarray(0, 12)])],
  ['entries after zeros', Buffer.concat([golden, Buffer.alloc(12), golden])],
  ['offsets that fall', Buffer.concat([golden, Buffer.from('000001a204e5df9200000001', 'hex')])],
]
for (const [name, bytes] of wrong)
  test(`an index with ${name} is not believed`, () => assert.equal(decode(bytes), null))

test('an entry beyond the end of the segment is not believed', () => {
  assert.equal(TimeIndex.decode(golden, baseOffset, 4992 + 0x185), null)
  assert.notEqual(TimeIndex.decode(golden, baseOffset, 4992 + 0x186), null)
})

test('only a greater timestamp makes an entry, and one slot stays free for the roll', () => {
  const index = new TimeIndex(10)
  assert.deepEqual(index.last, { timestamp: -1, offset: 10 })
  for (const [timestamp, offset] of [
    [-1, 10],
    [5, 11],
    [5, 12],
    [4, 13],
    [6, 14],
  ] as const)
    index.append(timestamp, offset)
  assert.deepEqual(
    [index.entryAt(0), index.entryAt(1)],
    [
      { timestamp: 5, offset: 11 },
      { timestamp: 6, offset: 14 },
    ],
  )
  assert.equal(index.count, 2)
  assert.equal(index.isFull(36), true)
  assert.equal(index.isFull(48), false)
})

test('lookups and truncation agree with a plain list', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 })), { maxLength: 60 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 600 }), fc.integer({ min: 100, max: 600 }), (steps, time, end) => {
      const index = new TimeIndex(100)
      let entries: { timestamp: number; offset: number }[] = []
      let timestamp = 0
      let offset = 100
      for (const [timeStep, offsetStep] of steps) {
        timestamp += timeStep
        offset += offsetStep
        index.append(timestamp, offset)
        entries.push({ timestamp, offset })
      }
      const none = { timestamp: -1, offset: 100 }
      assert.equal(index.lookup(time), entries.findLast((entry) => entry.timestamp < time)?.offset ?? 100)
      assert.deepEqual(index.lastBelow(end), entries.findLast((entry) => entry.offset < end) ?? none)
      index.truncateTo(end)
      entries = entries.filter((entry) => entry.offset < end)
      assert.deepEqual(index.last, entries.at(-1) ?? none)
      assert.equal(index.count, entries.length)
    }),
    { numRuns: 200 },
  )
})
